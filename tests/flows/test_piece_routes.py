"""What all routes of the piece share: who may call them, and what strangers learn. Then `/me` and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces, Principal, check_scopes, current_token
from flask_activepieces.web.piece.routes import ROUTES
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.pieces import PREFIX, Effects, Flow, PieceHost, create_token, make_piece_app
from tests.support.problems import problem
from tests.support.storage import database_away, rows_of

#: Every route with a bearer token, as a test calls it.
CALLS = [
    (method, path.replace("<name>", "task_done").replace("<subscription_id>", "x")) for method, path, _ in ROUTES
]
CALLS.remove(("POST", "/token"))


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def flow(app: Flask, bob: Person) -> Flow:
    return Flow(app, create_token(bob))


def assert_invalid_token(response: TestResponse) -> None:
    assert problem(response, 401, "Invalid token")["code"] == "invalid_token"
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="api"')


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_token_nothing_is_answered(app: Flask, method: str, path: str) -> None:
    answer = Flow(app, None).calls(method, path, json={} if method == "POST" else None)

    assert_invalid_token(answer)
    assert "error=" not in answer.headers["WWW-Authenticate"], "RFC 6750 §3.1"


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_cookie_authenticates_nothing(app: Flask, alice: Person, method: str, path: str) -> None:
    """So these routes need no CSRF protection."""
    assert_invalid_token(alice.browser.open(f"{PREFIX}{path}", method=method, json={}))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_in_the_query_string_is_not_read(app: Flask, flow: Flow, method: str, path: str) -> None:
    assert_invalid_token(Flow(app, None).calls(method, path, query_string={"access_token": flow.token}))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_invalid_token_is_refused(app: Flask, method: str, path: str) -> None:
    for token in ("apat_wrong", "a.b.c", "x" * 10_000):
        assert_invalid_token(Flow(app, token).calls(method, path, json={}))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_expired_and_a_revoked_token_is_refused(
    app: Flask, flow: Flow, program: Program, bob: Person, clock: StoppedClock, method: str, path: str
) -> None:
    access_token = program.connects(bob)["access_token"]
    with app.app_context():
        Activepieces().revoke_user("bob")

    assert_invalid_token(flow.calls(method, path, json={}))
    assert_invalid_token(Flow(app, access_token).calls(method, path, json={}))

    expired = Flow(app, create_token(bob, expires="30"))
    clock.advance(days=30)
    assert_invalid_token(expired.calls(method, path, json={}))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_unreachable_database_is_a_503(app: Flask, flow: Flow, method: str, path: str) -> None:
    """Never a 401, because the token may be valid."""
    with database_away(app):
        answer = flow.calls(method, path, json={})

    assert problem(answer, 503, "Not available")["retry_after"] > 0


def test_a_foreign_token_learns_and_changes_nothing_of_a_tenant(app: Flask, flow: Flow) -> None:
    """On every route that has an id."""
    webhook, polled = answer_of(flow.subscribes(), 201)["id"], answer_of(flow.polls())
    before = rows_of(app, "subscriptions")
    stranger = Flow(app, create_token(Person(app, "carol")))

    for subscription_id in (webhook, polled["subscription"]):
        for method, path in (("POST", f"/{subscription_id}/renew"), ("DELETE", f"/{subscription_id}")):
            foreign = stranger.calls(method, f"/subscriptions{path}")
            unknown = stranger.calls(method, f"/subscriptions{path.replace(subscription_id, 'unknown')}")
            assert foreign.text.replace(subscription_id, "unknown") == unknown.text
            assert foreign.status_code == unknown.status_code
    problem(stranger.polls(cursor=polled["cursor"]), 404, "Not found")
    assert "acme" not in stranger.calls("GET", "/triggers/task_done/samples").text
    assert "acme" not in stranger.calls("POST", "/options/projects", json={}).text
    assert "acme" not in stranger.calls("GET", "/me").text
    assert rows_of(app, "subscriptions") == before


def test_no_token_is_in_the_log(app: Flask, flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for method, path in CALLS:
        flow.calls(method, path, json={})
    flow.runs("fail", {"value": "own exception"})

    assert caplog.records
    assert str(flow.token) not in "".join(repr(vars(record)) for record in caplog.records)


def test_the_routes_are_there_for_an_app_without_a_piece(make_app: MakeApp) -> None:
    app = make_app()
    flow = Flow(app, create_token(Person(app, "bob")))

    assert answer_of(flow.calls("GET", "/me"))["id"] == "bob"
    assert flow.runs("create_task").status_code == 404


def test_invalid_declarations_are_an_error_of_the_app(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    def declare(activepieces: Activepieces) -> None:
        activepieces.action("x")(lambda: None)

    app = make_app(declare=declare)
    body = problem(Flow(app, create_token(Person(app, "bob"))).runs("x"), 500, "Server error")

    assert "needs a scope" in caplog.text and "needs a scope" not in str(body)


# --- The account ----------------------------------------------------------------------------------


def test_the_account_is_the_user_the_workspace_and_the_scopes(flow: Flow) -> None:
    assert answer_of(flow.calls("GET", "/me")) == {
        "id": "bob",
        "name": "Bob",
        "workspace": {"id": "acme", "name": "Acme"},
        "scopes": ["profile:read", "tasks:read", "tasks:write"],
    }


def test_the_workspace_can_be_an_organization(app: Flask, bob: Person) -> None:
    flow = Flow(app, create_token(bob, workspace="acme/labs"))

    assert answer_of(flow.calls("GET", "/me"))["workspace"] == {"id": "labs", "name": "Labs"}


def test_the_app_describes_the_account(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        @activepieces.account
        def account(token: Any) -> Mapping[str, Any]:
            return {"name": "Bob B.", "email": f"{token.user_id}@{token.tenant_id}.test"}

    app = make_app(declare=declare)
    body = answer_of(Flow(app, create_token(Person(app, "bob"))).calls("GET", "/me"))

    assert (body["id"], body["name"], body["email"]) == ("bob", "Bob B.", "bob@acme.test")
    assert body["workspace"] == {"id": "acme", "name": "Acme"}


def test_a_client_that_acts_for_itself_is_the_account(app: Flask) -> None:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme", "--yes")
    token = answer_of(robot.posts("/oauth/token", {"grant_type": "client_credentials"}))["access_token"]

    body = answer_of(Flow(app, token).calls("GET", "/me"))

    assert (body["id"], body["name"], body["workspace"]["id"]) == (robot.client_id, "Program", "acme")


def test_a_user_whom_the_app_no_longer_has_is_refused(make_app: MakeApp) -> None:
    """The app may have forgotten to revoke the tokens."""

    class ForgetfulHost(PieceHost):
        gone = False

        def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
            return None if self.gone else super().load_principal(user_id, tenant_id)

    host = ForgetfulHost()
    app, _ = make_piece_app(make_app, host=host)
    flow = Flow(app, create_token(Person(app, "bob")))
    cursor = answer_of(flow.polls())["cursor"]

    host.gone = True

    assert_invalid_token(flow.calls("GET", "/me"))
    assert_invalid_token(flow.subscribes())
    assert_invalid_token(flow.polls(cursor=cursor))


# --- Options --------------------------------------------------------------------------------------


def options(flow: Flow, name: str = "projects", **body: Any) -> TestResponse:
    return flow.calls("POST", f"/options/{name}", json=body)


def test_options_are_labels_with_any_value(flow: Flow) -> None:
    assert answer_of(options(flow))["options"] == [
        {"label": "acme", "value": {"id": "acme"}},
        {"label": "Home", "value": {"id": "home"}},
        {"label": "Work", "value": {"id": "work"}},
    ]


def test_options_are_searched_and_may_be_none(flow: Flow) -> None:
    assert [each["label"] for each in answer_of(options(flow, search="O"))["options"]] == ["Home", "Work"]
    assert answer_of(options(flow, search="zzz")) == {"options": []}


def test_options_can_ask_for_other_inputs(flow: Flow) -> None:
    body = problem(options(flow, inputs={"team": "archived"}), 422, "Invalid input")

    assert body["fields"] == {"team": "This team is archived."}


def test_a_schema_becomes_further_fields(flow: Flow) -> None:
    expected = {"type": "SHORT_TEXT", "displayName": "Size", "description": "", "required": True}
    assert answer_of(options(flow, "form")) == {"props": {"size": expected}}


def test_a_schema_with_impossible_fields_is_an_error_of_the_app(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    problem(options(flow, "form", inputs={"broken": True}), 500, "App error")

    assert "scan: a field of the kind FILE is not possible here" in caplog.text


@pytest.mark.parametrize("body", [{"inputs": []}, {"inputs": "x"}, {"search": 1}, {"search": ["x"]}])
def test_invalid_questions_are_rejected(flow: Flow, body: Any) -> None:
    problem(options(flow, **body), 422, "Invalid input")


def test_unknown_options_are_not_found(flow: Flow) -> None:
    problem(options(flow, "create_task"), 404, "Not found")


def test_options_need_their_scope(app: Flask, bob: Person) -> None:
    flow = Flow(app, create_token(bob, scope="profile:read"))

    assert problem(options(flow), 403, "Insufficient scope")["scope"] == "tasks:read"


# --- Scopes that a view learns from the request ---------------------------------------------------


@pytest.fixture
def with_view(make_app: MakeApp) -> Flask:
    app = make_app()

    @app.get("/api/reports/<kind>")
    def report(kind: str) -> Any:
        check_scopes({"tasks:read", "tasks:write"} if kind == "all" else "tasks:read")
        return {"user": current_token.user_id}

    return app


def test_a_view_can_check_scopes_when_it_knows_them(with_view: Flask) -> None:
    bob = Person(with_view, "bob")
    program = Program(with_view, "", None)
    token = create_token(bob, scope="tasks:read")

    assert answer_of(program.calls(token, "/api/reports/own")) == {"user": "bob"}
    refused = program.calls(token, "/api/reports/all")
    assert answer_of(refused, 403)["error"] == "insufficient_scope"
    assert 'scope="tasks:read tasks:write"' in refused.headers["WWW-Authenticate"]
    assert answer_of(program.calls("wrong", "/api/reports/own"), 401)["error"] == "invalid_token"


def test_such_a_view_answers_503_while_the_database_is_away(with_view: Flask) -> None:
    token = create_token(Person(with_view, "bob"))
    with database_away(with_view):
        answer = Program(with_view, "", None).calls(token, "/api/reports/own")

    assert answer_of(answer, 503)["error"] == "temporarily_unavailable"
