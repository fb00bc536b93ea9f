"""Actions: what the app receives of a step, and what the step's output is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import PieceError, file_input
from tests.support.piece_host import API, PieceHost, json_of, query_of
from tests.support.piece_manifest import action, text

CREATE = f"{API}/actions/create_task"
PROPS = {"title": text("Title"), "done": {"type": "CHECKBOX", "displayName": "Done", "required": False}}


def test_action_sends_its_inputs_and_returns_the_answer(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE, 200, {"id": 7, "labels": ["a"]})
    piece = load_piece(actions=action("create_task", PROPS))

    output = piece.run("create_task", title="Feed the coyote", done=False)

    assert output == {"id": 7, "labels": ["a"]}
    assert json_of(host.last) == {"title": "Feed the coyote", "done": False}
    assert host.last.headers["authorization"] == "Bearer access-token-of-ann"


@pytest.mark.parametrize("output", [[1, 2], "text", 5, None, True])
def test_output_may_be_any_json(load_piece: LoadPiece, host: PieceHost, output: object) -> None:
    host.on("POST", CREATE, 200, output)

    assert load_piece(actions=action("create_task", PROPS)).run("create_task") == output


def test_only_the_access_token_leaves_the_piece(load_piece: LoadPiece, host: PieceHost) -> None:
    """The engine puts the whole connection into the values of the form, with the client secret and all tokens."""
    host.on("POST", CREATE)

    load_piece(actions=action("create_task", PROPS)).run("create_task", title="x", not_a_field="y")

    assert json_of(host.last) == {"title": "x"}
    assert "SECRET" not in f"{host.last.target} {host.last.headers} {host.last.body!r}"


def test_empty_fields_and_explanations_are_not_sent(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    note = {"type": "MARKDOWN", "displayName": "Note", "description": "Read this", "required": False}
    piece = load_piece(actions=action("create_task", {**PROPS, "note": note}))

    piece.run("create_task", title="", done=None, note="x")

    assert json_of(host.last) == {}


def test_view_gets_path_query_and_body_where_its_route_has_them(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("PUT", "/api/tasks/a%3Fb%20c", 200, {})
    props = {"id": text("Task"), "notify": text("Notify"), "title": text("Title")}
    request = {
        "method": "PUT",
        "path": "/api/tasks/{id}",
        "pathParams": ["id"],
        "query": ["notify"],
        "body": ["title"],
    }

    load_piece(actions=action("rename", props, **request)).run("rename", id="a?b c", notify=["ann", "bob"], title="x")

    assert (query_of(host.last), json_of(host.last)) == ({"notify": ["ann", "bob"]}, {"title": "x"})


def test_get_view_has_no_body(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("GET", "/api/tasks", 200, [])
    request = {"method": "GET", "path": "/api/tasks", "query": ["limit", "filter"], "body": []}
    props = {"limit": {"type": "NUMBER", "displayName": "Limit", "required": False}, "filter": text("Filter")}

    load_piece(actions=action("list", props, **request)).run("list", limit=20, filter={"done": True})

    assert query_of(host.last) == {"limit": ["20"], "filter": ['{"done":true}']}
    assert (host.last.body, "content-type" in host.last.headers) == (b"", False)


@pytest.mark.parametrize("value", ["..", ".", "", None, "1/notes", "/", "../users"])
def test_path_parameter_leads_to_no_other_route(load_piece: LoadPiece, host: PieceHost, value: object) -> None:
    request = {"method": "DELETE", "path": "/api/tasks/{id}/x", "pathParams": ["id"], "body": []}
    piece = load_piece(actions=action("remove", {"id": text("Task")}, **request))

    with pytest.raises(PieceError, match='^Fill in "Task" with a valid value.$'):
        piece.run("remove", id=value)

    assert host.received == []


def test_action_without_a_connection_sends_no_token(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)

    load_piece(None, actions=action("create_task", PROPS)).run("create_task")

    assert "authorization" not in host.last.headers


# --- Files ---------------------------------------------------------------------------------------------------------

FILE = {"type": "FILE", "displayName": "File", "required": False}


def test_file_is_a_part_beside_the_other_inputs(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    props = {"title": text("Title"), "attachment": FILE}
    piece = load_piece(actions=action("create_task", props, body=["title"], files=["attachment"]))

    piece.run("create_task", title="x", attachment=file_input("ä.txt", b"\x00hello"))

    parts = parts_of(host.last.headers["content-type"], host.last.body)
    assert parts == [("input", None, b'{"title":"x"}'), ("attachment", "ä.txt", b"\x00hello")]


def test_list_of_files_repeats_the_part(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    files = {"type": "ARRAY", "displayName": "Files", "required": False, "properties": {"file": FILE}}
    piece = load_piece(actions=action("create_task", {"files": files}, body=[], files=["files"]))

    piece.run("create_task", files=[{"file": file_input("a", b"1")}, {"file": file_input("b", b"2")}])

    parts = parts_of(host.last.headers["content-type"], host.last.body)
    assert parts == [("input", None, b"{}"), ("files", "a", b"1"), ("files", "b", b"2")]


def test_files_among_other_fields_of_a_list_keep_their_place(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    item = {"note": text("Note"), "file": FILE}
    files = {"type": "ARRAY", "displayName": "Files", "required": False, "properties": item}
    piece = load_piece(actions=action("create_task", {"files": files}, body=[], files=["files"]))

    piece.run("create_task", files=[{"note": "first"}, {"note": "second", "file": file_input("b", b"2")}])

    (_, _, rest), part = parts_of(host.last.headers["content-type"], host.last.body)
    assert rest == b'{"files":[{"note":"first"},{"note":"second","file":{"$file":0}}]}'
    assert part == ("files", "b", b"2")


def test_without_a_file_the_inputs_are_json(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    props = {"title": text("Title"), "attachment": FILE}

    load_piece(actions=action("create_task", props, body=["title"], files=["attachment"])).run(
        "create_task", title="x"
    )

    assert json_of(host.last) == {"title": "x"}


def test_files_of_the_output_are_stored_in_activepieces(load_piece: LoadPiece, host: PieceHost) -> None:
    file = {"$file": {"name": "report.txt", "contentType": "text/plain", "base64": "aGVsbG8="}}
    host.on("POST", CREATE, 200, {"reports": [{"file": file}], "count": 1})
    piece = load_piece(actions=action("create_task", PROPS))

    output = piece.run("create_task")

    url = "https://activepieces.example/files/report.txt"
    assert output == {"reports": [{"file": url}], "count": 1}
    assert piece.files == [{"fileName": "report.txt", "content": "aGVsbG8="}]


def test_output_that_is_a_file_is_its_url(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE, 200, {"$file": {"name": "a.txt", "contentType": "text/plain", "base64": ""}})

    assert load_piece(actions=action("create_task", PROPS)).run("create_task").endswith("/files/a.txt")


def parts_of(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part of a multipart body."""
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    parts = []
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        fields: dict[str, Any] = dict(
            each.split("=", 1) for each in head.decode().splitlines()[0].split("; ") if "=" in each
        )
        name, file_name = fields["name"].strip('"'), fields.get("filename")
        parts.append((name, file_name and file_name.strip('"'), content))
    return parts


# --- Repeated steps ------------------------------------------------------------------------------------------------


def keys_of(host: PieceHost) -> list[str]:
    return [request.headers["idempotency-key"] for request in host.received]


def test_key_names_the_run_the_step_and_the_inputs(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    piece = load_piece(actions=action("create_task", PROPS))

    for run_id, step, title in [("r", "s", "a"), ("r2", "s", "a"), ("r", "s2", "a"), ("r", "s", "b")]:
        piece.run("create_task", run_id=run_id, step=step, title=title)

    keys = keys_of(host)
    assert len(set(keys)) == 4
    assert [key.rpartition(":")[0] for key in keys] == ["r:s", "r2:s", "r:s2", "r:s"]


def test_retry_after_a_failure_has_the_same_key(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = load_piece(actions=action("create_task", PROPS))
    host.on("POST", CREATE, 500, {})
    with pytest.raises(PieceError):
        piece.run("create_task", title="a")
    host.on("POST", CREATE)

    piece.run("create_task", title="a")

    first, second = keys_of(host)
    assert first == second


def test_equal_items_of_a_loop_have_keys_of_their_own(load_piece: LoadPiece, host: PieceHost) -> None:
    """The engine says neither that a step is in a loop nor which item it is."""
    host.on("POST", CREATE)
    piece = load_piece(actions=action("create_task", PROPS))

    for _ in range(3):
        piece.run("create_task", title="a")

    assert len(set(keys_of(host))) == 3


def test_key_depends_on_the_content_of_files(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CREATE)
    piece = load_piece(actions=action("create_task", {"attachment": FILE}, body=[], files=["attachment"]))

    for content in (b"1", b"2"):
        piece.run("create_task", attachment=file_input("a", content))

    first, second = keys_of(host)
    assert first.count(":") == second.count(":") == 2
    assert first != second


def test_step_that_is_tried_out_in_the_editor_has_no_key(load_piece: LoadPiece, host: PieceHost) -> None:
    """The author wants each attempt to count."""
    host.on("POST", CREATE)

    load_piece(actions=action("create_task", PROPS)).try_out("create_task", title="a")

    assert "idempotency-key" not in host.last.headers
