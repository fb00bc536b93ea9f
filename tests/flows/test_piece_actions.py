"""Running the app's actions from a flow: checked input, files, and errors that the author of the flow can read."""

from __future__ import annotations

import base64
import io
import json
import logging
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.pieces import Effects, Flow, create_token, make_piece_app
from tests.support.problems import problem


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture
def flow(app: Flask, bob: Person) -> Flow:
    """A flow with a token of Bob."""
    return Flow(app, create_token(bob))


def test_an_action_gets_the_loaded_input_and_its_output_is_dumped(flow: Flow, effects: Effects) -> None:
    answer = flow.runs("create_task", {"title": "Buy milk", "due": "2027-01-31"})

    assert answer_of(answer) == {"title": "Buy milk", "due": "2027-01-31", "secret_note": "acme"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert effects.created == ["Buy milk"]


def test_an_oauth_connection_runs_actions_too(app: Flask, program: Program, bob: Person) -> None:
    flow = Flow(app, program.connects(bob)["access_token"])

    assert answer_of(flow.runs("create_task", {"title": "x"}))["secret_note"] == "acme"


def test_an_action_without_input_is_called_without_an_argument(flow: Flow) -> None:
    assert flow.runs("count_tasks").get_json() == 0


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, [{"a": None}], "ü 🎉"])
def test_any_json_value_can_be_the_output(flow: Flow, value: Any) -> None:
    answer = flow.runs("fail", {"value": value})

    assert (answer.status_code, answer.get_json()) == (200, value)


# --- Rejected input -------------------------------------------------------------------------------


def test_invalid_fields_are_named_with_their_messages(flow: Flow, effects: Effects) -> None:
    body = problem(flow.runs("create_task", {"title": "", "due": "soon"}), 422, "Invalid input")

    assert body["fields"] == {"title": "Length must be between 1 and 80.", "due": "Not a valid date."}
    assert body["detail"] == "title: Length must be between 1 and 80. due: Not a valid date."
    assert effects.created == []


def test_unknown_and_missing_fields_are_named(flow: Flow) -> None:
    body = problem(flow.runs("create_task", {"titel": "x"}), 422, "Invalid input")

    assert body["fields"] == {"title": "Missing data for required field.", "titel": "Unknown field."}


def test_an_action_can_reject_a_field(flow: Flow) -> None:
    body = problem(flow.runs("fail", {"value": "invalid input"}), 422, "Invalid input")

    assert body["fields"] == {"title": "This project is archived."}


def test_an_action_can_reject_the_input_with_a_sentence(flow: Flow) -> None:
    body = problem(flow.runs("fail", {"value": "validation error"}), 422, "Invalid input")

    assert body["detail"] == "Close the project first."


def test_the_text_of_an_abort_reaches_the_author(flow: Flow) -> None:
    body = problem(flow.runs("fail", {"value": "abort"}), 409, "HTTP error")

    assert body["detail"] == "The project is locked."


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "1"])
def test_a_body_that_is_no_object_is_rejected(flow: Flow, body: str) -> None:
    answer = flow.calls("POST", "/actions/create_task", data=body, content_type="application/json")

    problem(answer, 422, "Invalid input")


@pytest.mark.parametrize("body", ["{", "", "[" * 100_000])
def test_a_body_that_is_no_json_is_rejected(flow: Flow, body: str) -> None:
    answer = flow.calls("POST", "/actions/create_task", data=body, content_type="application/json")

    problem(answer, 400, "Bad Request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
def test_another_content_type_is_rejected(flow: Flow, effects: Effects, content_type: str) -> None:
    """Also what a form of another site could send."""
    answer = flow.calls("POST", "/actions/create_task", data='{"title": "x"}', content_type=content_type)

    problem(answer, 415, "Unsupported Media Type")
    assert effects.created == []


def test_a_body_that_is_too_large_is_rejected(flow: Flow, effects: Effects) -> None:
    problem(flow.runs("create_task", {"title": "x" * 1024 * 1024}), 413, "Request Entity Too Large")
    assert effects.created == []


def test_a_lower_limit_of_the_app_counts(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app, MAX_CONTENT_LENGTH=1000)
    flow = Flow(app, create_token(Person(app, "bob")))

    problem(flow.runs("create_task", {"title": "x" * 1000}), 413, "Request Entity Too Large")


# --- Failures of the app --------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["own exception", "no JSON"])
def test_an_exception_of_the_app_is_logged_and_says_nothing_but_a_reference(
    flow: Flow, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    body = problem(flow.runs("fail", {"value": failure}), 500, "App error")

    assert set(body) == {"type", "title", "status", "code", "detail", "reference"}
    assert body["reference"] in body["detail"]
    assert "10.0.0.1" not in str(body) and "object" not in str(body)
    (record,) = [each for each in caplog.records if body["reference"] in each.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info


# --- Who may run what -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unknown", "Create_task", "projects", "task_done", "..", "%00"])
def test_an_action_that_is_not_declared_is_not_found(flow: Flow, name: str) -> None:
    assert flow.runs(name).status_code == 404


def test_a_view_is_run_at_its_own_route(flow: Flow) -> None:
    """Otherwise it would be run without what its other decorators check."""
    body = problem(flow.runs("protected_view", {"title": "x"}), 404, "Not found")

    assert body["detail"] == "This action is the app's own route: POST /api/view."


def test_a_token_without_the_scope_learns_which_one_it_needs(app: Flask, bob: Person, effects: Effects) -> None:
    refused = Flow(app, create_token(bob, scope="tasks:read")).runs("create_task", {"title": "x"})

    body = problem(refused, 403, "Insufficient scope")
    assert (body["code"], body["scope"]) == ("insufficient_scope", "tasks:write")
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert 'scope="tasks:write"' in refused.headers["WWW-Authenticate"]
    assert effects.created == []


# --- Files in -------------------------------------------------------------------------------------


def uploads(flow: Flow, inputs: Any, *files: tuple[str, str, str], **options: Any) -> TestResponse:
    """Send files of a property, each with a name and a content, as the piece does."""
    parts: dict[str, Any] = {"input": inputs if isinstance(inputs, str) else json.dumps(inputs)}
    for name, filename, content in files:
        parts.setdefault(name, []).append((io.BytesIO(content.encode()), filename))
    return flow.calls("POST", "/actions/add_receipt", data=parts, content_type="multipart/form-data", **options)


def test_an_action_gets_an_uploaded_file(flow: Flow) -> None:
    answer = uploads(flow, {"note": "lunch"}, ("receipt", "lunch.txt", "12 EUR"))

    assert answer.get_json() == [["lunch.txt", "12 EUR"]]


def test_files_in_a_list_of_objects_keep_their_place(flow: Flow) -> None:
    inputs = {"lines": [{"label": "a", "scan": {"$file": 1}}, {"label": "b"}, {"scan": {"$file": 0}}]}

    answer = uploads(flow, inputs, ("lines", "0.txt", "zero"), ("lines", "1.txt", "one"))

    assert answer.get_json() == [None, ["1.txt", "one"], None, ["0.txt", "zero"]]


def test_a_list_of_files_only_is_a_list_of_parts(flow: Flow) -> None:
    answer = uploads(flow, {}, ("lines", "0.txt", "zero"), ("lines", "1.txt", "one"))

    assert answer.get_json() == [None, ["0.txt", "zero"], ["1.txt", "one"]]


@pytest.mark.parametrize("value", ["text", {"$file": 0}, {"stream": "x", "filename": "/etc/passwd"}, 1])
def test_json_is_no_file(flow: Flow, effects: Effects, value: Any) -> None:
    body = problem(flow.runs("add_receipt", {"receipt": value}), 422, "Invalid input")

    assert body["fields"] == {"receipt": "Not an uploaded file."}
    assert effects.created == []


@pytest.mark.parametrize("number", [1, -1, True, "0", None, 1.0])
def test_a_place_without_a_file_is_rejected(flow: Flow, number: Any) -> None:
    body = problem(
        uploads(flow, {"lines": [{"scan": {"$file": number}}]}, ("lines", "0.txt", "x")), 422, "Invalid input"
    )

    assert body["fields"] == {"lines": "A file of this list is missing in the form."}


def test_two_files_for_one_property_are_rejected(flow: Flow) -> None:
    answer = uploads(flow, {}, ("receipt", "0.txt", "x"), ("receipt", "1.txt", "y"))

    assert problem(answer, 422, "Invalid input")["fields"] == {"receipt": "Send one file."}


def test_a_file_for_an_unknown_property_is_rejected(flow: Flow) -> None:
    answer = uploads(flow, {}, ("photo", "0.txt", "x"))

    assert problem(answer, 422, "Invalid input")["fields"] == {"photo": "Unknown field."}


@pytest.mark.parametrize(("text", "status"), [("{", 400), ("[" * 100_000, 400), ("[]", 422), ("3", 422)])
def test_a_form_with_invalid_json_is_rejected(flow: Flow, text: str, status: int) -> None:
    assert uploads(flow, text, ("receipt", "0.txt", "x")).status_code == status


def test_files_that_are_too_large_are_rejected(flow: Flow, effects: Effects) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="receipt"; filename="big.txt"\r\n\r\n'
    body = head + b"x" * 27 * 1024 * 1024 + b"\r\n--x--\r\n"

    answer = flow.calls("POST", "/actions/add_receipt", data=body, content_type="multipart/form-data; boundary=x")

    problem(answer, 413, "Request Entity Too Large")
    assert effects.created == []


# --- Files out ------------------------------------------------------------------------------------


def test_a_file_in_an_output_is_sent_with_its_name_and_type(flow: Flow) -> None:
    output = answer_of(flow.runs("export"))

    content = base64.b64encode(b"title\n").decode()
    file = {"name": "tasks.csv", "contentType": "text/csv", "base64": content}
    assert output == {"title": "All tasks", "document": {"$file": file}}


def test_a_file_can_be_the_whole_output(flow: Flow) -> None:
    output = answer_of(flow.runs("download"))

    file = {"name": "tasks.bin", "contentType": "application/octet-stream", "base64": "AP8="}
    assert output == {"$file": file}
