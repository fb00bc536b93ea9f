"""Restrictions for users of an embedded builder, from the metadata of a flow (0.86 and later)."""

from __future__ import annotations

from ..routing.responses import Row, rule_violation
from .flow_versions import steps_of

_NEW_TRIGGER = ("UPDATE_TRIGGER", "IMPORT_FLOW")


def check_constraints(flow: Row, version: Row, operation: str, request: Row) -> None:
    """Reject an operation that ``embedConstraints`` does not allow with 409."""
    constraints = (flow["metadata"] or {}).get("embedConstraints")
    if not isinstance(constraints, dict):
        return
    required = constraints.get("requiredPieceNames") or []
    if operation == "LOCK_AND_PUBLISH" and required and not _pieces_of(version) & {*required}:
        raise rule_violation("The flow must use one of the required pieces")
    lock = constraints.get("triggerLock", "none")
    if operation in _NEW_TRIGGER and version["trigger"]["type"] != "EMPTY":
        new = request.get("trigger", request)
        is_other = _kind_of(new) != _kind_of(version["trigger"])
        if lock == "frozen" or (lock == "locked" and is_other):
            raise rule_violation("The trigger of the flow is locked")


def _pieces_of(version: Row) -> set[str]:
    return {step["settings"].get("pieceName", "") for step in steps_of(version)}


def _kind_of(trigger: Row) -> tuple[str | None, str | None]:
    settings = trigger["settings"]
    return settings.get("pieceName"), settings.get("triggerName")
