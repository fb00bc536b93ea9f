"""The fixture `emit_event`: an event of the app is stored and delivered, and its flows have run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, fields

from flask_activepieces import Activepieces, Piece
from flask_activepieces.errors import SetupError
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.installed_piece import InstalledPiece
from tests.conftest import MakeApp

EmitEvent = Callable[..., int]
BOB: Any = {"user_id": "bob", "tenant_id": "acme"}


class TaskSchema(Schema):
    title = fields.String()


def declare(activepieces: Activepieces) -> None:
    activepieces.trigger(
        "task_done",
        scope="tasks:read",
        payload=TaskSchema,
        samples=lambda: [],
        description="Starts when a task is done.",
    )


@pytest.fixture
def app(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Flask:
    return make_app(
        piece=Piece(name="piece-tasks", title="Tasks"),
        declare=declare,
        clock=time.time,
        ACTIVEPIECES_BASE_URL=activepieces_server.url,
    )


def test_an_event_has_started_its_flow(installed_piece: InstalledPiece, emit_event: EmitEvent) -> None:
    flow = installed_piece.enable("task_done", **BOB)

    assert emit_event("task_done", {"title": "Shop"}, tenant_id="acme") == 1
    assert flow.outputs == [{"title": "Shop"}]


def test_an_event_is_for_its_recipients_only(installed_piece: InstalledPiece, emit_event: EmitEvent) -> None:
    flow = installed_piece.enable("task_done", **BOB, organization_id="sales")

    assert emit_event("task_done", {"title": "Shop"}, tenant_id="globex") == 0
    assert emit_event("task_done", {"title": "Shop"}, tenant_id="acme", organization_id="labs") == 0
    assert emit_event("task_done", {"title": "Shop"}, tenant_id="acme", user_id="alice") == 0
    assert flow.outputs == []


def test_an_unknown_trigger_is_refused_with_the_known_ones(emit_event: EmitEvent) -> None:
    with pytest.raises(SetupError, match="no trigger 'task_lost'. Its triggers: task_done."):
        emit_event("task_lost", {}, tenant_id="acme")
