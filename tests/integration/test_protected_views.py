"""`require_scope` on every kind of view."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, Response
from flask.typing import ResponseReturnValue
from flask.views import MethodView

from flask_activepieces import current_token, require_scope
from tests.support.actors import Person, Program, answer_of


def token_for(program: Program, *scopes: str) -> str:
    """An access token with these scopes and the required one."""
    token = program.connects(Person(program.app, "bob"), scope=["profile:read", *scopes])["access_token"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize(
    ("scopes", "status"),
    [((), 403), (("tasks:read",), 403), (("tasks:write",), 403), (("tasks:read", "tasks:write"), 200)],
)
def test_several_scopes_are_all_needed(app: Flask, program: Program, scopes: tuple[str, ...], status: int) -> None:
    view = require_scope("tasks:write", "tasks:read")(lambda: "done")
    app.add_url_rule("/api/both", "both", view)

    answer = program.calls(token_for(program, *scopes), "/api/both")

    assert answer.status_code == status
    if status == 403:
        # RFC 6750 §3: every required scope, not only the missing one.
        assert 'scope="tasks:read tasks:write"' in answer.headers["WWW-Authenticate"]


def test_two_decorators_need_both_scopes(app: Flask, program: Program) -> None:
    view = require_scope("tasks:read")(require_scope("tasks:write")(lambda: "done"))
    app.add_url_rule("/api/both", "both", view)

    assert program.calls(token_for(program, "tasks:read"), "/api/both").status_code == 403
    both = token_for(program, "tasks:read", "tasks:write")
    assert program.calls(both, "/api/both").status_code == 200


def test_a_view_keeps_its_name_arguments_and_docstring(app: Flask) -> None:
    @require_scope("tasks:read")
    def show_task(task_id: int) -> str:
        """One task."""
        return str(task_id)

    assert show_task.__name__ == "show_task"
    assert show_task.__doc__ == "One task."


def test_a_blueprint_view_receives_its_arguments(app: Flask, program: Program) -> None:
    blueprint = Blueprint("tasks", __name__, url_prefix="/api/tasks")

    @blueprint.get("/<int:task_id>")
    @require_scope("tasks:read")
    def show(task_id: int) -> ResponseReturnValue:
        return {"id": task_id, "for": current_token.user_id}

    app.register_blueprint(blueprint)

    token = token_for(program, "tasks:read")

    assert answer_of(program.calls(token, "/api/tasks/7")) == {"id": 7, "for": "bob"}


class Task(MethodView):
    @require_scope("tasks:read")
    def get(self) -> ResponseReturnValue:
        return {"allowed": "read"}

    @require_scope("tasks:write")
    def delete(self) -> ResponseReturnValue:
        return {"allowed": "write"}


def test_each_method_of_a_class_may_need_its_own_scope(app: Flask, program: Program) -> None:
    app.add_url_rule("/api/task", view_func=Task.as_view("task"))
    token = token_for(program, "tasks:read")

    assert program.calls(token, "/api/task").status_code == 200
    assert program.calls(token, "/api/task", "HEAD").status_code == 200
    assert program.calls(token, "/api/task", "DELETE").status_code == 403


def test_the_current_token_has_all_the_tokens_claims(app: Flask, program: Program) -> None:
    claims: dict[str, Any] = {}

    @app.get("/api/all")
    @require_scope("profile:read")
    def show_claims() -> ResponseReturnValue:
        names = ("user_id", "tenant_id", "organization_id", "client_id", "scopes", "expires_at")
        claims.update({name: getattr(current_token, name) for name in names})
        claims["ids"] = (current_token.jti, current_token.grant_id)
        return {}

    program.calls(token_for(program, "tasks:read"), "/api/all")

    assert all(claims.pop("ids"))
    assert claims == {
        "user_id": "bob",
        "tenant_id": "acme",
        "organization_id": None,
        "client_id": program.client_id,
        "scopes": frozenset({"profile:read", "tasks:read"}),
        "expires_at": 1_800_003_600,
    }


def test_the_current_token_ends_with_its_request(app: Flask, program: Program) -> None:
    @app.get("/open")
    def open_view() -> ResponseReturnValue:
        try:
            return str(current_token.user_id)
        except Exception as error:
            return type(error).__name__

    program.calls(token_for(program))

    assert app.test_client().get("/open").text == "SetupError"


def test_the_hosts_own_error_pages_do_not_replace_our_answers(app: Flask) -> None:
    """A program needs WWW-Authenticate, not the host's 401 page for people."""

    @app.errorhandler(401)
    def friendly(error: Exception) -> ResponseReturnValue:
        return "Please sign in", 401

    answer = app.test_client().get("/api/whoami")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_response_object_passes_unchanged(app: Flask, program: Program) -> None:
    view = require_scope("tasks:read")(lambda: Response("csv", 203, content_type="text/csv"))
    app.add_url_rule("/api/csv", "csv", view)

    answer = program.calls(token_for(program, "tasks:read"), "/api/csv")

    assert (answer.status_code, answer.mimetype, answer.text) == (203, "text/csv", "csv")
