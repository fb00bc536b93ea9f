"""Tasklane's piece in Node, as an engine runs it, against the running app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from example_app.activepieces import PIECE
from tests.example_app.conftest import SECRET_KEY
from tests.example_app.piece_in_node import Tasklane, connections_of_ada, tasklane_in_node
from tests.support.piece_engine import PieceError, file_input, running_engine
from tests.support.servers import ROOT

KINDS = ["OAUTH2", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"]


@pytest.fixture(scope="module")
def tasklane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tasklane]:
    with tasklane_in_node(tmp_path_factory.mktemp("tasklane-piece"), "https://activepieces.example") as tasklane:
        yield tasklane


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
    assert [each["type"] for each in metadata["auth"]] == KINDS


def test_an_action_that_is_a_view_adds_a_task_once_for_a_step(tasklane: Tasklane) -> None:
    """Also if the engine of the first attempt ended before the run was saved, and another one repeats the step."""
    created = tasklane.piece.run("create_task", title="Feed the coyote", done=None)
    with running_engine() as other:
        again = replace(tasklane.piece, engine=other).run("create_task", title="Feed the coyote", done=None)

    assert created["title"] == "Feed the coyote"
    assert created["created_by"] == "1"
    assert again == created
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


@pytest.mark.parametrize("kind", KINDS)
def test_an_action_runs_with_each_kind_of_connection(tasklane: Tasklane, kind: str) -> None:
    tasklane.piece.connection = connections_of_ada(tasklane)[kind]

    created = tasklane.piece.run("create_task", title=f"By {kind}", run_id=f"run-{kind}")

    assert (created["title"], created["created_by"]) == (f"By {kind}", "1")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_connection_is_checked_by_the_app_and_named(tasklane: Tasklane, kind: str) -> None:
    value, place = as_entered(connections_of_ada(tasklane)[kind]), str(KINDS.index(kind))

    assert tasklane.piece.ask(["auth", place, "validate"], {"auth": value}) == {"valid": True}
    name = tasklane.piece.ask(["auth", place, "getConnectionIdentifier"], {"auth": value})
    assert name == "Ada Acker, admin@acme.test (Acme)"


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_credentials_are_refused_without_repeating_them(tasklane: Tasklane, kind: str) -> None:
    value = connections_of_ada(tasklane)[kind]
    wrong = as_entered(
        value | {name: "wrong" for name in ("access_token", "secret_text", "password") if name in value}
    )
    if kind == "CUSTOM_AUTH":
        wrong = {**value["props"], "password": "wrong"}

    refused = tasklane.piece.ask(["auth", str(KINDS.index(kind)), "validate"], {"auth": wrong})

    assert refused == {
        "valid": False,
        "error": "Tasklane does not accept this sign-in: check what you entered, and try again.",
    }


def as_entered(connection: dict[str, Any]) -> Any:
    """The value of a connection as an engine passes it to `validate`: for two kinds without its type."""
    return connection.get("secret_text") or (
        connection["props"] if connection["type"] == "CUSTOM_AUTH" else connection
    )


@pytest.mark.long
def test_two_processes_build_the_same_bytes(tmp_path: Path) -> None:
    """The order of a set differs between processes."""
    command = [sys.executable, "-m", "flask", "--app", "example_app", "activepieces", "piece", "build", "--json"]

    digests = set()
    for seed in ("1", "2"):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": seed,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'tasklane.db'}",
            "SECRET_KEY": SECRET_KEY,
            "ACTIVEPIECES_PUBLIC_URL": "https://tasklane.example",
        }
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        digests.add(json.loads(done.stdout)["sha256"])

    assert len(digests) == 1
