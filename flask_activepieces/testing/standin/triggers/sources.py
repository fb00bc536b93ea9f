"""Trigger sources: which triggers listen for events, of published versions and of simulations in the builder."""

from __future__ import annotations

import logging

from ..pieces.piece import StepFailed
from ..routing.responses import ErrorResponse, Row, activepieces_error
from ..state import ServerState
from .hooks import call_hook, find_trigger, trigger_of

KIND = "trigger_source"
#: Every five minutes (AP_TRIGGER_DEFAULT_POLL_INTERVAL).
_POLLS = {"type": "CRON_EXPRESSION", "cronExpression": "*/5 * * * *", "timezone": "UTC"}
_log = logging.getLogger("flask_activepieces.testing.pieces")


def source_of(state: ServerState, flow: Row, *, simulate: bool = False) -> Row | None:
    """The trigger source of a flow, if its trigger listens."""
    return state.store.first(KIND, flowId=flow["id"], simulate=simulate)


def enable(state: ServerState, flow: Row, version: Row, *, simulate: bool = False) -> None:
    """Let the trigger listen. If it cannot, 400 ``TRIGGER_UPDATE_STATUS``."""
    found = trigger_of(state, version)
    _drop(state, flow, simulate=simulate)
    if state.has_worker:
        try:
            call_hook(state, flow, found, found.trigger.on_enable, test=simulate)
        except StepFailed as error:
            raise _refused(flow, version, error) from error
    schedule = _POLLS if found.trigger.type == "POLLING" else None
    state.store.add(
        KIND,
        {
            "projectId": flow["projectId"],
            "flowId": flow["id"],
            "flowVersionId": version["id"],
            "simulate": simulate,
            "schedule": schedule,
        },
    )


def disable(state: ServerState, flow: Row, *, simulate: bool = False, ignores_errors: bool = False) -> None:
    """Let the trigger listen no longer. If its piece fails, it goes on, unless errors are ignored."""
    source = source_of(state, flow, simulate=simulate)
    version = state.store.get("flow_version", source["flowVersionId"]) if source else None
    found = find_trigger(state, version) if version else None
    if version is not None and found is not None and state.has_worker:
        try:
            call_hook(state, flow, found, found.trigger.on_disable, test=simulate)
        except StepFailed as error:
            if not ignores_errors:
                raise _refused(flow, version, error) from error
            _log.warning("The trigger of flow %s failed when it was disabled: %s", flow["id"], error)
    _drop(state, flow, simulate=simulate)


def _drop(state: ServerState, flow: Row, *, simulate: bool) -> None:
    for row in state.store.all(KIND, flowId=flow["id"], simulate=simulate):
        state.store.drop(KIND, row["id"])


def _refused(flow: Row, version: Row, error: StepFailed) -> ErrorResponse:
    params = {
        "flowId": flow["id"],
        "flowVersionId": version["id"],
        "standardOutput": "",
        "standardError": error.report(),
    }
    return activepieces_error(400, "TRIGGER_UPDATE_STATUS", params)
