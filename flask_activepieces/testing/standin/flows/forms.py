"""Fields of a form that a piece fills while the form is open: dropdowns and dynamic properties."""

from __future__ import annotations

from collections.abc import Mapping

from ..pieces.calls import FormCall
from ..pieces.catalogue import behavior_of, find_piece
from ..pieces.piece import Action, Trigger
from ..routing.authentication import USER
from ..routing.responses import ErrorResponse, Json, activepieces_error, not_found
from ..routing.route_groups import RouteCall, RouteGroup, in_body
from ..routing.validation import anything, fields, optional, text
from .contexts import Connections, call_fields
from .expressions import resolve

group = RouteGroup("forms")

_BODY = fields(
    {
        "projectId": text(),
        "pieceName": text(),
        "pieceVersion": text(pattern=r"[~^]?\d+\.\d+\.\d+"),
        "actionOrTriggerName": text(),
        "propertyName": text(),
        "flowId": text(),
        "flowVersionId": text(),
        "input": anything(),
        "searchValue": optional(text()),
    }
)
#: What the engine returns instead of an error of the piece.
_FAILED = {"disabled": True, "options": [], "placeholder": "Throws an error, reconnect or refresh the page"}


@group.route("POST", "/pieces/options", body=_BODY, project=in_body, who=frozenset({USER}))
def fill(call: RouteCall) -> tuple[int, Json]:
    """The choices of a dropdown, or the fields of a dynamic property, for the values so far."""
    state, body = call.state, call.body
    flow = state.store.get("flow", body["flowId"])
    if flow is None or flow["projectId"] != call.project_id:
        raise not_found("flow", body["flowId"])
    row = find_piece(state, body["pieceName"], body["pieceVersion"].lstrip("~^"))
    if row is None:
        message = f"piece_metadata_not_found pieceName={body['pieceName']}"
        raise activepieces_error(404, "ENTITY_NOT_FOUND", {"message": message})
    piece = behavior_of(state, row)
    steps: Mapping[str, Action | Trigger] = {**piece.triggers, **piece.actions}
    step = steps.get(body["actionOrTriggerName"])
    if step is None or body["propertyName"] not in step.options:
        raise activepieces_error(400, "ENGINE_OPERATION_FAILURE", {"message": "{}"})
    try:
        # An error of a connection in an expression is one of the piece, too.
        values = resolve(body["input"], {"connections": Connections(state, flow["projectId"], piece)})
        fields_of_call = call_fields(state, flow["projectId"], piece, body["actionOrTriggerName"], values)
        filled = step.options[body["propertyName"]](FormCall(**fields_of_call, search=body.get("searchValue")))
    except ErrorResponse:
        raise
    except Exception:
        filled = _FAILED
    return 200, {"type": step.props[body["propertyName"]]["type"], "options": filled}
