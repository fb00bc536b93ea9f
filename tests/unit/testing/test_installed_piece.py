"""The fixture `installed_piece`: forms, polling, and flows that end. docs/testing.md tests the rest of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, fields

from flask_activepieces import Activepieces, Piece, auth, current_token, get_state
from flask_activepieces.pieces.fields import Dynamic, Secret
from flask_activepieces.testing import ActivepiecesServer, StepFailed
from flask_activepieces.testing.installed_piece import InstalledPiece
from tests.conftest import MakeApp

BOB: Any = {"user_id": "bob", "tenant_id": "acme"}
SignIn = Schema.from_dict({"key": Secret(required=True)}, name="SignIn")


class NewTaskSchema(Schema):
    team = fields.String(required=True)
    project = fields.String(required=True, metadata={"options": "projects", "refreshers": ["team"]})
    details = Dynamic("details")


class FilterSchema(Schema):
    project = fields.String(metadata={"options": "projects"})


class TaskSchema(Schema):
    title = fields.String()
    project = fields.String()


def declare(activepieces: Activepieces) -> None:
    @activepieces.action("create_task", scope="tasks:write", input=NewTaskSchema)
    def create_task(data: Mapping[str, Any]) -> str:
        """Adds a task."""
        return f"{data['project']} for {current_token.user_id} of {current_token.tenant_id}"

    @activepieces.options("projects", scope="tasks:read", search=True)
    def projects(inputs: Mapping[str, Any], search: str) -> Iterable[tuple[str, str]]:
        names = [f"{current_token.tenant_id} {inputs.get('team', 'all')}", "Home"]
        return [(name, name.lower()) for name in names if search.lower() in name.lower()]

    @activepieces.options("details", scope="tasks:read", refreshers=["team"])
    def details(inputs: Mapping[str, Any], search: str) -> Schema:
        return Schema.from_dict({f"size_of_{inputs['team']}": fields.String()})()

    activepieces.trigger(
        "task_done",
        scope="tasks:read",
        payload=TaskSchema,
        samples=lambda inputs: [],
        input=FilterSchema,
        matches=lambda task, inputs: inputs.get("project") in (None, task["project"]),
        description="Starts when a task is done.",
    )


@pytest.fixture
def make_task_app(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Callable[..., Flask]:
    def make(*kinds: auth.Auth, **config: Any) -> Flask:
        return make_app(
            piece=Piece(name="piece-tasks", title="Tasks", auth=kinds or [auth.OAuth2()]),
            declare=declare,
            clock=time.time,
            ACTIVEPIECES_BASE_URL=activepieces_server.url,
            **config,
        )

    return make


@pytest.fixture
def app(request: pytest.FixtureRequest, make_task_app: Callable[..., Flask]) -> Flask:
    """The app under test; a parameter has its kinds of connections and its configuration."""
    kinds, config = getattr(request, "param", ([], {}))
    return make_task_app(*kinds, **config)


polling = pytest.mark.parametrize(
    "app", [pytest.param(([], {"ACTIVEPIECES_TRIGGER_DELIVERY": "polling"}), id="polling")], indirect=True
)


def finish(app: Flask, *titles: str, project: str = "home") -> None:
    """Let tasks be done."""
    with app.app_context():
        trigger = get_state().piece.triggers()["task_done"]
        trigger.emit_many([{"title": title, "project": project} for title in titles], tenant_id="acme")
        app.extensions["sqlalchemy"].session.commit()


def titles(outputs: Iterable[Any]) -> list[str]:
    return [output["title"] for output in outputs]


# --- Forms --------------------------------------------------------------------------------------------------------


def test_a_dropdown_shows_what_the_user_may_choose(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("create_task", "project", inputs={"team": "a"}, **BOB)

    choices = [{"label": "acme a", "value": "acme a"}, {"label": "Home", "value": "home"}]
    assert shown == {"disabled": False, "options": choices}


def test_a_dropdown_shows_what_the_user_searches(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("create_task", "project", inputs={"team": "a"}, search="ho", **BOB)

    assert shown["options"] == [{"label": "Home", "value": "home"}]


def test_a_dropdown_says_what_to_fill_in_first(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("create_task", "project", **BOB)

    assert shown == {"disabled": True, "placeholder": 'Fill in "Team" first.', "options": []}


def test_a_dropdown_says_which_permission_is_missing(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("create_task", "project", inputs={"team": "a"}, scope="tasks:write", **BOB)

    assert shown["placeholder"] == "The connection lacks the permission tasks:read: reconnect and allow it."


def test_a_dropdown_of_a_trigger_shows_its_choices(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("task_done", "project", search="all", **BOB)

    assert shown["options"] == [{"label": "acme all", "value": "acme all"}]


def test_a_dynamic_field_shows_the_fields_that_the_app_returns(installed_piece: InstalledPiece) -> None:
    shown = installed_piece.options("create_task", "details", inputs={"team": "a"}, **BOB)

    assert {name: each["displayName"] for name, each in shown.items()} == {"size_of_a": "Size of a"}


def test_a_field_that_does_not_exist_is_an_error(installed_piece: InstalledPiece) -> None:
    with pytest.raises(StepFailed):
        installed_piece.options("create_task", "projekt", **BOB)


# --- Connections --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(([kind], {}), id=kind.kind)
        for kind in (auth.OAuth2(), auth.SecretText(), auth.BasicAuth(), auth.CustomAuth(form=SignIn))
    ],
    indirect=True,
)
def test_an_action_runs_for_its_user_whatever_kinds_of_connections_there_are(installed_piece: InstalledPiece) -> None:
    output = installed_piece.run("create_task", inputs={"team": "a", "project": "home"}, **BOB)

    assert output == "home for bob of acme"


# --- Flows --------------------------------------------------------------------------------------------------------


def test_a_flow_gets_only_the_events_that_match_its_form(app: Flask, installed_piece: InstalledPiece) -> None:
    flow = installed_piece.enable("task_done", inputs={"project": "work"}, **BOB)
    finish(app, "Vacuum", project="home")
    finish(app, "Write", project="work")

    assert installed_piece.deliver() == 1
    assert titles(flow.outputs) == ["Write"]


def test_a_disabled_flow_gets_no_more_events(app: Flask, installed_piece: InstalledPiece) -> None:
    flow = installed_piece.enable("task_done", **BOB)
    finish(app, "Before")
    installed_piece.deliver()

    flow.disable()
    finish(app, "After")

    assert installed_piece.deliver() == 0
    assert titles(flow.outputs) == ["Before"]
    with app.app_context():
        assert get_state().delivery.subscriptions.list_for_tenant("acme") == []


def test_a_flow_whose_user_lacks_the_scope_cannot_be_enabled(installed_piece: InstalledPiece) -> None:
    with pytest.raises(StepFailed, match="The connection lacks the permission tasks:read: reconnect and allow it."):
        installed_piece.enable("task_done", scope="tasks:write", **BOB)


@polling
def test_a_flow_that_asks_gets_each_event_once(app: Flask, installed_piece: InstalledPiece) -> None:
    finish(app, "Too early")
    flow = installed_piece.enable("task_done", **BOB)
    finish(app, *"ABCDEFGH")

    assert (flow.poll(), flow.poll()) == (8, 0)
    assert titles(flow.outputs) == list("ABCDEFGH")
    assert installed_piece.deliver() == 0


@polling
def test_a_disabled_flow_asks_no_more(app: Flask, installed_piece: InstalledPiece) -> None:
    flow = installed_piece.enable("task_done", **BOB)
    flow.disable()
    finish(app, "After")

    with pytest.raises(AssertionError, match="there is no enabled flow"):
        flow.poll()
    with app.app_context():
        assert get_state().delivery.subscriptions.list_for_tenant("acme") == []
