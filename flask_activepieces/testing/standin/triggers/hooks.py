"""Calls the hooks of a flow's trigger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..flows.contexts import FlowFiles, FlowStore, call_fields, resolve_inputs
from ..pieces.calls import TriggerCall
from ..pieces.catalogue import behavior_of, find_piece
from ..pieces.piece import StandinPiece, StepFailed, Trigger
from ..routing.responses import Row, activepieces_error
from ..state import ServerState

T = TypeVar("T")
#: After the address that users see, whatever prefix the API itself has: a proxy adds it on 0.78.
WEBHOOKS = "/api/v1/webhooks"


@dataclass(frozen=True)
class FlowTrigger:
    """The trigger of a version of a flow, and its piece."""

    piece: StandinPiece
    trigger: Trigger
    settings: Row


def trigger_of(state: ServerState, version: Row) -> FlowTrigger:
    """The trigger of a version; 404 if its piece has none of this name."""
    found = find_trigger(state, version)
    if found is not None:
        return found
    settings = version["trigger"]["settings"]
    name, number = settings.get("pieceName", "undefined"), settings.get("pieceVersion", "undefined")
    message = f"Trigger not found for piece {name}@{number}"
    params = {"entityType": "piece_trigger", "message": message, "extra": {}}
    raise activepieces_error(404, "ENTITY_NOT_FOUND", params)


def find_trigger(state: ServerState, version: Row) -> FlowTrigger | None:
    """The trigger of a version, or None."""
    settings = version["trigger"]["settings"]
    row = find_piece(state, settings.get("pieceName", ""), settings.get("pieceVersion"))
    piece = behavior_of(state, row) if row else None
    trigger = piece.triggers.get(settings.get("triggerName", "")) if piece else None
    return FlowTrigger(piece, trigger, settings) if piece and trigger else None


def call_hook(
    state: ServerState,
    flow: Row,
    found: FlowTrigger,
    hook: Callable[[TriggerCall], T],
    *,
    test: bool = False,
    payload: Row | None = None,
) -> T:
    """The result of a hook; `StepFailed` if the piece raises."""
    project_id = flow["projectId"]
    inputs = resolve_inputs(state, project_id, found.piece, found.settings, props=found.trigger.props, scope={})
    call = TriggerCall(
        **call_fields(state, project_id, found.piece, found.settings["triggerName"], inputs.values),
        store=FlowStore(state, flow, test=test),
        files=FlowFiles(state, project_id),
        webhook_url=f"{state.url}{WEBHOOKS}/{flow['id']}{'/test' if test else ''}",
        flow_id=flow["id"],
        payload=payload or {},
    )
    try:
        return hook(call)
    except StepFailed:
        raise
    except Exception as error:  # any error in the code of a piece
        raise StepFailed(type(error).__name__, str(error)) from error
