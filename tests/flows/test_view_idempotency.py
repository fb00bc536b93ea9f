"""A step that Activepieces repeats does not act twice where the action is a view of the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import wraps
from typing import Any

import pytest
from flask import Flask, Response, abort, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from marshmallow import Schema, fields
from sqlalchemy import text
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces, Piece, current_token, require_scope
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.pieces import create_token
from tests.support.problems import problem
from tests.support.storage import database_away, rows_of

KEY = "run-1:step_1"
TASK = {"title": "Buy milk"}


class TaskId(Schema):
    task_id = fields.Integer(required=True)


@dataclass
class Effects:
    """What the views have done, and how they will end."""

    created: list[Any] = field(default_factory=list)
    ending: Callable[[], ResponseReturnValue] = lambda: ("", 204)
    after: Callable[[], object] = lambda: None


@dataclass
class Step:
    """A step that calls a view with the token of its connection."""

    app: Flask
    token: str

    def calls(
        self, path: str = "/tasks", *, key: str | None = KEY, method: str = "POST", **body: Any
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | ({} if key is None else {"Idempotency-Key": key})
        client = self.app.test_client(use_cookies=False)
        return client.open(path, method=method, headers=headers, **(body or {"json": TASK}))


def encoded(view: Callable[..., Decimal]) -> Callable[..., ResponseReturnValue]:
    """A decorator of the app, as other extensions have."""

    @wraps(view)
    def wrapper() -> ResponseReturnValue:
        return {"amount": view() * 2}

    return wrapper


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def app(make_app: MakeApp, effects: Effects) -> Flask:
    views: dict[str, Any] = {}

    def declare(activepieces: Activepieces) -> None:
        @activepieces.action("create_task")
        @require_scope("tasks:write")
        def create_task() -> ResponseReturnValue:
            """Adds a task."""
            effects.created.append(request.get_json()["title"])
            response = jsonify(id=len(effects.created), tenant=current_token.tenant_id)
            response.headers["Location"] = "/tasks/1"
            return response, 201

        @activepieces.action("end_task")
        @require_scope("tasks:write")
        def end_task() -> ResponseReturnValue:
            """Ends as the test says."""
            effects.created.append("ended")
            return effects.ending()

        @activepieces.action("add_receipt")
        @require_scope("tasks:write")
        def add_receipt() -> ResponseReturnValue:
            """Adds a file."""
            effects.created.append(request.files["receipt"].read())
            return {"note": request.form["input"]}

        @activepieces.action("finish_task", input=TaskId)
        @require_scope("tasks:write")
        def finish_task(task_id: int) -> ResponseReturnValue:
            """Marks a task as done."""
            effects.created.append(task_id)
            return {"id": task_id}

        @activepieces.action("set_title", idempotent=True)
        @require_scope("tasks:write")
        def set_title() -> ResponseReturnValue:
            """Sets the title."""
            effects.created.append("set")
            return ""

        @activepieces.action("list_tasks")
        @require_scope("tasks:read")
        def list_tasks() -> ResponseReturnValue:
            """Lists the tasks."""
            return jsonify(effects.created)

        @require_scope("tasks:write")
        def other_view() -> ResponseReturnValue:
            effects.created.append("other")
            return ""

        class Notes(MethodView):
            decorators = [require_scope("tasks:write")]

            @activepieces.action("create_note")
            @require_scope("profile:read")
            def post(self) -> ResponseReturnValue:
                """Adds a note."""
                effects.created.append("note")
                return {"id": len(effects.created)}

        @activepieces.action("encoded")
        @encoded
        @require_scope("tasks:write")
        def encoded_view() -> Any:
            """Returns what no view of Flask can."""
            effects.created.append("encoded")
            return Decimal("1.5")

        views.update(locals())

    app = make_app(declare=declare, piece=Piece(name="@acme/piece-tasks", title="Tasks"))
    for rule, name, method in (
        ("/tasks", "create_task", "POST"),
        ("/tasks", "list_tasks", "GET"),
        ("/tasks/end", "end_task", "POST"),
        ("/tasks/<int:task_id>/finish", "finish_task", "POST"),
        ("/api/receipts", "add_receipt", "POST"),
        ("/api/title", "set_title", "PUT"),
        ("/api/other", "other_view", "POST"),
        ("/api/encoded", "encoded_view", "POST"),
    ):
        app.add_url_rule(rule, view_func=views[name], methods=[method])
    app.add_url_rule("/api/notes", view_func=views["Notes"].as_view("notes"))

    @app.after_request
    def after(response: Response) -> Response:
        effects.after()
        return response

    return app


@pytest.fixture
def step(app: Flask, bob: Person) -> Step:
    return Step(app, create_token(bob))


def test_a_repeated_request_gets_the_first_answer_and_does_not_act(step: Step, effects: Effects) -> None:
    first, second = step.calls(), step.calls()

    assert answer_of(first, 201) == {"id": 1, "tenant": "acme"} == answer_of(second, 201)
    assert (second.headers["Location"], second.mimetype) == ("/tasks/1", "application/json")
    assert effects.created == ["Buy milk"]


def test_without_a_key_or_with_another_one_each_request_acts(step: Step, effects: Effects) -> None:
    for key in (None, None, KEY, "run-2:step_1"):
        step.calls(key=key)

    assert len(effects.created) == 4


def test_any_bytes_are_repeated(step: Step, effects: Effects) -> None:
    effects.ending = lambda: make_response(b"\x00\xff\xc3", {"Content-Type": "application/octet-stream"})

    answers = [step.calls("/tasks/end") for _ in range(2)]

    assert [answer.data for answer in answers] == [b"\x00\xff\xc3"] * 2
    assert effects.created == ["ended"]


def test_a_decorator_encodes_what_the_view_returns(step: Step, effects: Effects) -> None:
    answers = [answer_of(step.calls("/api/encoded")) for _ in range(2)]

    problem(step.calls("/api/encoded", json={}), 422, "Invalid input")
    assert answers == [{"amount": "3.0"}] * 2
    assert effects.created == ["encoded"]


def test_an_empty_answer_is_repeated(step: Step, effects: Effects) -> None:
    assert [step.calls("/tasks/end").status_code for _ in range(2)] == [204, 204]
    assert effects.created == ["ended"]


@pytest.mark.parametrize(
    "other",
    [{"json": {"title": "Buy bread"}}, {"query_string": "notify=1", "json": TASK}, {"data": {"title": "Buy milk"}}],
    ids=["body", "query", "form"],
)
def test_a_key_that_was_used_for_another_request_is_rejected(
    step: Step, effects: Effects, other: dict[str, Any]
) -> None:
    step.calls()

    body = problem(step.calls(**other), 422, "Invalid input")

    assert body["fields"] == {"Idempotency-Key": "This key was used with other inputs. Use a new one."}
    assert effects.created == ["Buy milk"]


def test_a_part_of_the_path_is_a_part_of_the_request(step: Step, effects: Effects) -> None:
    statuses = [step.calls(f"/tasks/{number}/finish").status_code for number in (1, 1, 2)]

    assert statuses == [200, 200, 422]
    assert effects.created == [1]


def test_a_form_is_the_same_whatever_its_boundary(step: Step, effects: Effects) -> None:
    """Each attempt of the piece has another boundary."""

    def upload(note: str, content: bytes, boundary: str) -> int:
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="input"\r\n\r\n{note}\r\n'.encode()
        part += f'--{boundary}\r\nContent-Disposition: form-data; name="receipt"; filename="r.txt"\r\n\r\n'.encode()
        data = part + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return step.calls("/api/receipts", data=data, content_type=kind).status_code

    assert [upload("{}", b"12", "a"), upload("{}", b"12", "b"), upload("{}", b"13", "b")] == [200, 200, 422]
    assert upload('{"note": 1}', b"12", "a") == 422
    assert effects.created == [b"12"]


def test_a_key_counts_for_one_action_only(step: Step, effects: Effects) -> None:
    step.calls()
    step.calls("/tasks/end")

    assert effects.created == ["Buy milk", "ended"]


def test_views_that_may_be_repeated_and_other_views_need_no_key(app: Flask, step: Step, effects: Effects) -> None:
    """A GET, a view that the app declares as idempotent, and one that is no action."""
    for _ in range(2):
        step.calls("/api/title", method="PUT")
        step.calls("/api/other")
        step.calls(method="GET", query_string="")

    assert effects.created == ["set", "other"] * 2
    assert rows_of(app, "action_calls") == []


def test_a_view_that_is_protected_twice_acts_once(step: Step, effects: Effects) -> None:
    assert [answer_of(step.calls("/api/notes")) for _ in range(2)] == [{"id": 1}] * 2


def test_another_user_with_the_same_key_acts(app: Flask, step: Step, effects: Effects) -> None:
    step.calls()
    for name in ("alice", "carol"):
        assert Step(app, create_token(Person(app, name))).calls().status_code == 201

    assert len(effects.created) == 3


def test_a_token_without_the_scope_does_not_get_the_answer(app: Flask, step: Step, bob: Person) -> None:
    step.calls()

    assert Step(app, create_token(bob, scope="tasks:read")).calls().status_code == 403


def test_a_token_with_other_scopes_acts(app: Flask, step: Step, bob: Person, effects: Effects) -> None:
    """What it may see can differ."""
    step.calls()
    Step(app, create_token(bob, scope="tasks:write")).calls()

    assert len(effects.created) == 2


def test_a_retry_with_a_refreshed_token_does_not_act_again(
    app: Flask, program: Program, bob: Person, effects: Effects
) -> None:
    pair = program.connects(bob)
    Step(app, pair["access_token"]).calls()

    Step(app, answer_of(program.refreshes(pair["refresh_token"]))["access_token"]).calls()

    assert len(effects.created) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
def test_an_invalid_key_is_rejected(step: Step, effects: Effects, key: str) -> None:
    problem(step.calls(key=key), 422, "Invalid input")

    assert effects.created == []


def respond_409() -> ResponseReturnValue:
    return {"message": "The project is locked."}, 409


def redirect() -> ResponseReturnValue:
    return "", 302, {"Location": "/login"}


def reject() -> ResponseReturnValue:
    abort(409, "The project is locked.")


def crash() -> ResponseReturnValue:
    raise RuntimeError


@pytest.mark.parametrize("failure", [respond_409, redirect, reject, crash])
def test_a_request_that_failed_acts_when_it_is_repeated(step: Step, effects: Effects, failure: Any) -> None:
    effects.ending = failure
    assert step.calls("/tasks/end").status_code in (302, 409, 500)

    effects.ending = lambda: ("", 204)

    assert step.calls("/tasks/end").status_code == 204
    assert len(effects.created) == 2


def test_what_a_failed_view_has_written_does_not_hold_up_the_next_call(
    app: Flask, step: Step, effects: Effects
) -> None:
    """On SQLite, its open transaction would lock the database."""
    session = app.extensions["sqlalchemy"].session

    def write_and_reject() -> ResponseReturnValue:
        session.execute(text("DELETE FROM activepieces_action_calls WHERE name = 'none'"))
        return "", 409

    effects.ending = write_and_reject
    step.calls("/tasks/end")

    assert rows_of(app, "action_calls") == []


def test_a_request_whose_commit_fails_acts_when_it_is_repeated(step: Step, effects: Effects) -> None:
    """Some apps commit after the view."""
    effects.after = crash
    assert step.calls().status_code == 500

    effects.after = lambda: None

    assert step.calls().status_code == 201
    assert len(effects.created) == 2


def test_a_second_request_while_the_first_one_acts_is_told_to_wait(step: Step, effects: Effects) -> None:
    during: list[TestResponse] = []

    def repeat() -> ResponseReturnValue:
        during.append(step.calls("/tasks/end"))
        return "", 204

    effects.ending = repeat
    step.calls("/tasks/end")

    assert problem(during[0], 409, "In progress")["retry_after"] == 5
    assert during[0].headers["Retry-After"] == "5"
    assert effects.created == ["ended"]


def test_an_answer_is_kept_for_a_day(step: Step, effects: Effects, clock: StoppedClock) -> None:
    step.calls()
    clock.advance(86_399)
    step.calls()
    assert len(effects.created) == 1

    clock.advance(1)
    step.calls()

    assert len(effects.created) == 2


@pytest.mark.parametrize("answer", ["x" * 1024 * 1024, iter(["a", "stream"])], ids=["long", "stream"])
def test_a_long_or_streamed_answer_is_not_kept(app: Flask, step: Step, effects: Effects, answer: Any) -> None:
    effects.ending = lambda: Response(answer)

    assert step.calls("/tasks/end").status_code == 200
    assert rows_of(app, "action_calls") == []


def test_neither_the_key_nor_the_inputs_are_stored(app: Flask, step: Step) -> None:
    step.calls(key="names a person")

    (row,) = rows_of(app, "action_calls")
    assert "names a person" not in repr(row)
    assert TASK["title"] not in repr(row)


def test_a_view_succeeds_though_its_answer_cannot_be_kept(
    app: Flask, step: Step, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    """It has acted: an error would make the flow repeat it."""
    away = database_away(app)

    def lose_database() -> ResponseReturnValue:
        away.__enter__()
        return "", 204

    effects.ending = lose_database
    try:
        answer = step.calls("/tasks/end")
    finally:
        away.__exit__(None, None, None)

    assert answer.status_code == 204
    assert "was not kept" in caplog.text


def test_nothing_is_done_while_the_database_is_away(
    app: Flask, effects: Effects, program: Program, bob: Person
) -> None:
    step = Step(app, program.connects(bob)["access_token"])
    step.calls(method="GET", query_string="")  # the revocations are known
    with database_away(app):
        answer = step.calls()

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert effects.created == []
