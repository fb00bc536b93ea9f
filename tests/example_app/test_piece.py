"""Tasklane's piece in Node, as an engine runs it, against the running app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from example_app import create_app
from example_app.activepieces import PIECE
from example_app.models import Task, User, db
from example_app.seed import DEMO_PASSWORD
from example_app.serving import serve
from flask_activepieces import Workspace, get_state
from tests.example_app.conftest import SECRET_KEY
from tests.support.piece_engine import LoadedPiece, PieceError, file_input, load, running_engine

SERVER = "https://activepieces.example"
WEBHOOK = f"{SERVER}/api/v1/webhooks/5kZ0nLvVUgQNFXMfpPqzY"
SCOPES = ["profile:read", "tasks:read", "tasks:write"]
FIRST_SAMPLES = 5


@dataclass
class Tasklane:
    """The running app and its piece in an engine, connected as Ada with an access token."""

    app: Flask
    piece: LoadedPiece

    def titles(self) -> list[str]:
        with self.app.app_context():
            return list(db.session.scalars(select(Task.title).filter_by(company_id="acme").order_by(Task.id)))

    def due_deliveries(self) -> list[tuple[str, str]]:
        """The states of Acme's deliveries, with the titles of their tasks."""
        with self.app.app_context():
            delivery = get_state().delivery
            delivery.dispatcher.distribute()
            return [(each.state, each.payload["title"]) for each in delivery.log.list("acme")]


@pytest.fixture(scope="module")
def tasklane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tasklane]:
    folder = tmp_path_factory.mktemp("tasklane-piece")

    def make_app(url: str) -> Flask:
        return create_app(
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'tasklane.db'}",
                "SECRET_KEY": SECRET_KEY,
                "ACTIVEPIECES_BASE_URL": SERVER,
                "ACTIVEPIECES_PUBLIC_URL": url,
            }
        )

    with running_engine() as engine, serve(make_app) as (app, _):
        with app.app_context():
            ada = db.session.scalars(select(User).filter_by(email="admin@acme.test")).one()
            _, token = get_state().personal_tokens.create(
                str(ada.id), Workspace("acme", "Acme"), name="Test", scopes=SCOPES, expires_at=None
            )
            manifest = get_state().piece.manifest(version="1.0.0")
        connection = {"type": "SECRET_TEXT", "secret_text": token}
        yield Tasklane(app, load(engine, Path(folder), manifest, connection))


def test_the_piece_has_the_declared_actions_triggers_and_connections(tasklane: Tasklane) -> None:
    metadata = tasklane.piece.metadata()

    assert metadata["displayName"] == PIECE.title
    assert metadata["logoUrl"].startswith("data:image/svg+xml;base64,")
    assert list(metadata["actions"]) == [
        "import_tasks",
        "list_tasks",
        "create_task",
        "change_task",
        "custom_api_call",
    ]
    assert list(metadata["triggers"]) == ["task_created", "task_done"]
    assert [each["type"] for each in metadata["auth"]] == ["OAUTH2", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"]


def test_an_action_that_is_a_view_adds_a_task_once_for_a_step(tasklane: Tasklane) -> None:
    created = tasklane.piece.run("create_task", title="Feed the coyote", done=None)

    assert created["title"] == "Feed the coyote"
    assert created["created_by"] == "1"
    assert tasklane.titles().count("Feed the coyote") == 1


def test_a_task_that_is_chosen_from_the_dropdown_is_changed(tasklane: Tasklane) -> None:
    path = ["action", "change_task", "props", "task_id", "options"]
    found = tasklane.piece.form(path, search="anvil")
    (option,) = found["options"]

    changed = tasklane.piece.run("change_task", task_id=option["value"], done=True)

    assert option["label"] == "Order new anvils"
    assert (changed["title"], changed["done"]) == ("Order new anvils", True)


def test_a_file_is_imported(tasklane: Tasklane) -> None:
    file = file_input("tasks.txt", b"Buy dynamite\n\nPaint a tunnel\n")

    imported = tasklane.piece.run("import_tasks", run_id="run-file", file=file)

    assert [task["title"] for task in imported["tasks"]] == ["Buy dynamite", "Paint a tunnel"]
    assert {"Buy dynamite", "Paint a tunnel"} <= set(tasklane.titles())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe", "This is not a text file in UTF-8."), (b"x\n" * 101, "The file has 101 tasks")],
)
def test_a_file_that_cannot_be_imported_is_explained(tasklane: Tasklane, content: bytes, sentence: str) -> None:
    with pytest.raises(PieceError, match=sentence):
        tasklane.piece.run("import_tasks", run_id=f"run-{len(content)}", file=file_input("tasks.txt", content))


def test_an_invalid_field_is_explained_to_the_author(tasklane: Tasklane) -> None:
    with pytest.raises(PieceError, match=r"A task needs a title\."):
        tasklane.piece.run("create_task", title="  ", run_id="run-empty")


def test_lists_and_custom_calls_read_the_same_tasks(tasklane: Tasklane) -> None:
    listed = tasklane.piece.run("list_tasks", limit=1)
    called = tasklane.piece.run("custom_api_call", method="GET", path="/api/tasks", query={"limit": "1"})

    assert len(listed["tasks"]) == 1
    assert called["body"] == listed


@pytest.mark.parametrize(
    ("kind", "auth"),
    [
        (2, {"type": "BASIC_AUTH", "username": "admin@acme.test", "password": DEMO_PASSWORD}),
        (3, {"email": "admin@acme.test", "password": DEMO_PASSWORD, "workspace": "acme-labs"}),
    ],
    ids=["user name", "fields"],
)
def test_credentials_are_checked_by_the_app(tasklane: Tasklane, kind: int, auth: dict[str, Any]) -> None:
    path = ["auth", str(kind), "validate"]
    wrong = {**auth, "password": "wrong"}

    assert tasklane.piece.ask(path, {"auth": auth})["valid"] is True
    refused = tasklane.piece.ask(path, {"auth": wrong})
    assert refused["valid"] is False
    assert "wrong" not in refused["error"]


def test_the_trigger_subscribes_once_and_gets_only_matching_tasks(tasklane: Tasklane) -> None:
    for _ in range(2):
        tasklane.piece.hook("task_created", "onEnable", {"contains": "rocket"}, webhookUrl=WEBHOOK)
    try:
        with tasklane.app.app_context():
            subscriptions = get_state().delivery.subscriptions.list_for_tenant("acme")
        tasklane.piece.run("create_task", title="Order rocket skates", run_id="run-rocket")

        assert [each.trigger_name for each in subscriptions] == ["task_created"]
        assert ("pending", "Order rocket skates") in tasklane.due_deliveries()
    finally:
        tasklane.piece.hook("task_created", "onDisable")
    with tasklane.app.app_context():
        assert get_state().delivery.subscriptions.list_for_tenant("acme") == []


def test_disabling_a_trigger_that_was_never_enabled_does_nothing(tasklane: Tasklane) -> None:
    tasklane.piece.hook("task_done", "onDisable")


def test_an_author_tests_the_trigger_with_real_tasks(tasklane: Tasklane) -> None:
    samples = tasklane.piece.hook("task_created", "test")

    assert 0 < len(samples) <= FIRST_SAMPLES
    assert {"id", "title", "done"} <= set(samples[0])
