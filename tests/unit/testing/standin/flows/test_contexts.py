"""The context of an action of a piece, and the argument of a piece's `validate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from flask_activepieces.testing import Action, ActionCall, ActivepiecesServer, StandinPiece
from flask_activepieces.testing.standin.pieces.catalogue import bare
from tests.support.standin import Standin, action
from tests.support.standin import standin as calls

#: The fields that an engine passes to an action, according to its source; `propsValue` is `props` here.
OF_AN_ENGINE = {
    *("auth", "props", "project", "connections", "server", "step", "run"),
    *("store", "flows", "files", "tags", "output", "agent"),
}
#: Services of an engine that the stand-in lacks.
NOT_IMPLEMENTED = {"flows", "tags", "output", "agent"}
SECRETS = {"type": "CUSTOM_AUTH", "props": {"client_secret": "canary-1", "code": "canary-2"}}
CUSTOM = StandinPiece("@acme/piece-custom", auth={"type": "CUSTOM_AUTH"})


@pytest.fixture
def received() -> list[ActionCall]:
    """The contexts that the action received."""
    return []


@pytest.fixture
def standin(received: list[ActionCall]) -> Iterator[Standin]:
    """A stand-in with a piece that records its contexts."""
    look = Action("Look", lambda call: received.append(call))
    piece = StandinPiece("@acme/piece-look", auth={"type": "CUSTOM_AUTH"}, actions={"look": look})
    server = ActivepiecesServer(pieces=[piece], sleep=lambda seconds: None)
    yield calls(server)
    server.close()


def run(standin: Standin, **given: Any) -> str:
    flow_id = standin.flow(action("step_1", "@acme/piece-look", "look", **given))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})
    return flow_id


def test_the_inputs_of_an_action_hold_the_whole_connection(standin: Standin, received: list[ActionCall]) -> None:
    """As on real servers: a piece must select the fields that it sends, or it also sends the secrets."""
    standin.connect("key", "@acme/piece-look", SECRETS)

    run(standin, auth="{{connections['key']}}", note="n")

    (call,) = received
    assert call.props == {"auth": SECRETS, "note": "n"}
    assert call.auth == SECRETS


def test_a_context_has_the_fields_of_an_engine() -> None:
    assert {field.name for field in fields(ActionCall)} == OF_AN_ENGINE - NOT_IMPLEMENTED


def test_a_context_names_its_project_run_and_step(standin: Standin, received: list[ActionCall]) -> None:
    standin.connect("other", "@acme/piece-look", SECRETS)

    flow_id = run(standin)

    (call,) = received
    assert call.auth is None
    assert call.project == {"id": standin.server.project_id}
    assert call.run == {"id": standin.runs(flow_id)[0]["id"]}
    assert call.step == {"name": "step_1"}
    assert call.server["publicUrl"] == f"{standin.server.url}/api/"
    assert call.connections["other"] == SECRETS


def test_the_repr_of_a_context_has_no_secret(standin: Standin, received: list[ActionCall]) -> None:
    standin.connect("key", "@acme/piece-look", SECRETS)

    run(standin, auth="{{connections['key']}}")

    (call,) = received
    assert "canary" not in repr(call)
    assert call.server["token"] not in repr(call)


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ({"type": "SECRET_TEXT", "secret_text": "s"}, "s"),
        (SECRETS, SECRETS["props"]),
        ({"type": "BASIC_AUTH", "username": "u", "password": "p"}, None),
        ({"type": "OAUTH2", "access_token": "a"}, None),
    ],
)
def test_a_check_gets_the_bare_secret_and_the_bare_props(value: dict[str, Any], given: Any) -> None:
    """Real engines pass other values unchanged."""
    assert bare(value) == (value if given is None else given)


@pytest.mark.parametrize(
    ("context_version", "passed"), [(None, SECRETS["props"]), ("1", SECRETS), ("2", SECRETS)], ids=str
)
def test_pieces_of_old_frameworks_get_the_bare_value(context_version: Any, passed: Any) -> None:
    received: list[ActionCall] = []
    look = Action("Look", lambda call: received.append(call))
    piece = StandinPiece("@acme/piece-look", actions={"look": look}, context_version=context_version)
    server = ActivepiecesServer(pieces=[piece], sleep=lambda seconds: None)
    calls(server).connect("key", piece.name, SECRETS)

    run(calls(server), auth="{{connections['key']}}")

    server.close()
    assert received[0].auth == passed
