"""Actions, dropdowns and connections of an installed piece: in Python, and by the JavaScript of its package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.testing import ActivepiecesServer
from tests.support.installed_piece import AUTH, NAME, TOKEN, install, install_manifest
from tests.support.piece_host import API, PieceHost, json_of, running_host
from tests.support.piece_manifest import BASIC_AUTH, CUSTOM_AUTH, OAUTH2, SECRET_TEXT, action, manifest, text
from tests.support.requirements import require
from tests.support.standin import Standin
from tests.support.standin import action as step
from tests.support.standin import standin as calls

ME = {"id": "1", "name": "Ann", "email": "ann@tasklane.example", "workspace": {"id": "w", "name": "Acme"}}
CREATE = f"{API}/actions/create"
PROJECT = {
    "type": "DROPDOWN",
    "displayName": "Project",
    "required": True,
    "options": "projects",
    "refreshers": [],
    "refreshOnSearch": True,
}
FIELDS = {"type": "DYNAMIC", "displayName": "Fields", "required": False, "props": "fields", "refreshers": []}
FORM = action("create", {"title": text("Title"), "project": PROJECT, "fields": FIELDS})


@pytest.fixture
def host() -> Iterator[PieceHost]:
    with running_host() as host:
        yield host


@pytest.fixture(params=["stand-in", "JavaScript"])
def node(request: pytest.FixtureRequest) -> str | None:
    return require("node") if request.param == "JavaScript" else None


@pytest.fixture
def standin(node: str | None) -> Iterator[Standin]:
    """A server 0.92 whose worker checks connections."""
    server = ActivepiecesServer(version="0.92", validates_values=True, sleep=lambda seconds: None, node=node)
    yield calls(server)
    server.close()


def result_of(standin: Standin, action_name: str, *, options: Any = None, **inputs: Any) -> Any:
    """The result of a step with that action of the piece."""
    one = step("step_1", NAME, action_name, auth=AUTH, **inputs)
    one["settings"]["errorHandlingOptions"] = options or {}
    flow_id = standin.flow(one)
    standin.post(f"/webhooks/{flow_id}", {})
    standin.server.finish_runs()
    return standin.get(f"/flow-runs/{standin.runs(flow_id)[0]['id']}")["steps"]["step_1"]


def test_action_sends_its_inputs_with_the_token(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", CREATE, 200, {"id": 1})
    install_manifest(standin, host.url, actions=FORM)

    result = result_of(standin, "create", title="Feed the coyote", project="")

    assert (result["status"], result["output"]) == ("SUCCEEDED", {"id": 1})
    assert json_of(host.last) == {"title": "Feed the coyote"}
    assert host.last.headers["authorization"] == f"Bearer {TOKEN['secret_text']}"
    assert host.last.headers["idempotency-key"].split(":")[1] == "step_1"


def test_failure_is_the_sentence_and_no_secret(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", CREATE, 422, {"fields": {"title": [f"Not {TOKEN['secret_text']}."]}})
    install_manifest(standin, host.url, actions=FORM)

    result = result_of(standin, "create", title="x")

    assert '"message":"title: Not [hidden]."' in result["errorMessage"]
    assert TOKEN["secret_text"] not in str(result)


def test_repeated_step_has_the_same_key(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", CREATE, 500, {})
    install_manifest(standin, host.url, actions=FORM)

    result = result_of(standin, "create", options={"retryOnFailure": {"value": True}}, title="x")

    keys = [request.headers["idempotency-key"] for request in host.received if request.target == CREATE]
    assert (result["status"], len(keys), len(set(keys))) == ("FAILED", 4, 1)


def test_file_is_downloaded_and_sent_as_a_part(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("GET", "/report.txt", 200, b"hello")
    host.on("POST", CREATE, 200, {})
    file = {"type": "FILE", "displayName": "File", "required": True}
    install_manifest(standin, host.url, actions=action("create", {"file": file}, body=[], files=["file"]))

    result_of(standin, "create", file=f"{host.url}/report.txt")

    assert b'filename="report.txt"' in host.last.body
    assert b"hello" in host.last.body


def test_file_that_cannot_be_downloaded_fails_the_step(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    file = {"type": "FILE", "displayName": "File", "required": True}
    install_manifest(standin, host.url, actions=action("create", {"file": file}, body=[], files=["file"]))

    result = result_of(standin, "create", file="no url")

    assert "Expected file url or base64 with mimeType, received: no url" in result["errorMessage"]


def test_file_of_the_output_can_be_read_at_its_url(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", CREATE, 200, {"report": {"$file": {"name": "a.txt", "base64": "aGVsbG8="}}})
    install_manifest(standin, host.url, actions=FORM)

    url = result_of(standin, "create")["output"]["report"]

    path = url.partition("/api/v1")[2]
    answer = standin.by("").ask("GET", path)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"hello", "text/plain")
    assert standin.ask("GET", f"{path}x").status_code == 404


def form_of(standin: Standin, prop: str, *, by_user: bool = True, **changes: Any) -> Any:
    """The answer to a question for the choices of a field."""
    flow = standin.post("/flows", {"displayName": "x", "projectId": standin.server.project_id})
    body = {
        "projectId": standin.server.project_id,
        "pieceName": NAME,
        "pieceVersion": "~1.0.0",
        "actionOrTriggerName": "create",
        "propertyName": prop,
        "flowId": flow["id"],
        "flowVersionId": flow["version"]["id"],
        "input": {"auth": AUTH},
        **changes,
    }
    return (standin.by_admin() if by_user else standin).ask("POST", "/pieces/options", body)


def test_dropdown_gets_its_choices_from_the_app(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", f"{API}/options/projects", 200, {"options": [{"label": "Home", "value": 1}]})
    install_manifest(standin, host.url, actions=FORM)

    answer = form_of(standin, "project", searchValue="ho").get_json()

    choices = {"disabled": False, "options": [{"label": "Home", "value": 1}]}
    assert answer == {"type": "DROPDOWN", "options": choices}
    assert json_of(host.last) == {"inputs": {}, "search": "ho"}


def test_dynamic_field_gets_its_fields_from_the_app(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", f"{API}/options/fields", 200, {"props": {"colour": text("Colour")}})
    install_manifest(standin, host.url, actions=FORM)

    assert form_of(standin, "fields").get_json() == {"type": "DYNAMIC", "options": {"colour": text("Colour")}}


def test_dropdown_without_a_connection_says_so(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    install_manifest(standin, host.url, actions=FORM)

    answer = form_of(standin, "project", input={}).get_json()["options"]

    assert answer == {"disabled": True, "options": [], "placeholder": "Choose a connection to Tasklane first."}


def test_form_of_what_does_not_exist(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    install_manifest(standin, host.url, actions=FORM)
    expected: list[tuple[dict[str, Any], int]] = [
        ({"pieceName": "@tasklane/piece-none"}, 404),
        ({"actionOrTriggerName": "none"}, 400),
        ({"propertyName": "title"}, 400),
        ({"flowId": "0" * 21}, 404),
        ({"pieceVersion": "one"}, 400),
    ]

    assert [(changes, form_of(standin, "project", **changes).status_code) for changes, _ in expected] == expected


def test_form_is_for_users_only(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    install_manifest(standin, host.url, actions=FORM)

    assert form_of(standin, "project", by_user=False).status_code == 403


def test_form_with_a_missing_connection_fails_as_in_an_engine(standin: Standin, host: PieceHost) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    install_manifest(standin, host.url, actions=FORM)

    answer = form_of(standin, "project", input={"auth": "{{connections['none']}}"}).get_json()["options"]

    assert answer["placeholder"] == "Throws an error, reconnect or refresh the page"


def value_of(kind: str, host: PieceHost) -> dict[str, Any]:
    values: dict[str, dict[str, Any]] = {
        "SECRET_TEXT": TOKEN,
        "BASIC_AUTH": {"type": "BASIC_AUTH", "username": "ann", "password": "a long password"},
        "CUSTOM_AUTH": {"type": "CUSTOM_AUTH", "props": {"base_url": host.url, "key": "key of ann"}},
    }
    return values[kind]


def upsert(standin: Standin, value: dict[str, Any]) -> Any:
    body = {
        "externalId": value["type"],
        "displayName": "new",
        "pieceName": NAME,
        "projectId": standin.server.project_id,
        "type": value["type"],
        "value": value,
    }
    return standin.ask("POST", "/app-connections", body)


@pytest.mark.parametrize(
    "kinds",
    [[OAUTH2, SECRET_TEXT, BASIC_AUTH, CUSTOM_AUTH], [SECRET_TEXT], [BASIC_AUTH], [CUSTOM_AUTH]],
    ids=["several", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"],
)
def test_connection_is_checked_and_named(standin: Standin, host: PieceHost, kinds: Any) -> None:
    host.on("GET", f"{API}/me", 200, ME)
    host.on("POST", f"{API}/token", 200, {"access_token": "t", "expires_in": 3600})
    install_only(standin, host.url, kinds)

    for kind in kinds:
        if kind is not OAUTH2:
            answer = upsert(standin, value_of(kind["type"], host))
            assert answer.status_code == 201, answer.text
            assert answer.get_json()["metadata"] == {"accountIdentifier": "Ann, ann@tasklane.example (Acme)"}


def test_refused_connection_is_not_stored(standin: Standin, host: PieceHost) -> None:
    for method, path in (("POST", "/token"), ("GET", "/me")):
        host.on(method, f"{API}{path}", 401, {"detail": "Unknown pat-of-ann."})
    install_only(standin, host.url, [OAUTH2, SECRET_TEXT, BASIC_AUTH, CUSTOM_AUTH])

    sentence = "Tasklane does not accept this sign-in: check what you entered, and try again."
    for kind in ("SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"):
        answer = upsert(standin, value_of(kind, host))
        assert (answer.status_code, answer.get_json()["params"]) == (400, {"error": sentence})
    assert standin.get(f"/app-connections?projectId={standin.server.project_id}")["data"] == []


def test_connection_of_another_kind_is_refused(standin: Standin, host: PieceHost) -> None:
    install_only(standin, host.url, [SECRET_TEXT])

    answer = upsert(standin, value_of("BASIC_AUTH", host))

    assert "Connection value type does not match piece auth type" in answer.get_json()["params"]["error"]


def install_only(standin: Standin, url: str, kinds: list[Any]) -> None:
    """Install a piece with these kinds of connection, and connect nothing."""
    assert install(standin, build_archive(manifest(url, auth=kinds))).status_code == 201
