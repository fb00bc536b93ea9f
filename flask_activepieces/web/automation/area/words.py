"""Words for what Activepieces and our tables call by a constant or by a technical name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ....api_client.resources.flow_runs import FlowRun
from ....api_client.resources.flows import Flow
from ....clock import from_iso
from ....errors import DeclarationError
from ....messages import Message
from ....pieces.declarations import Trigger
from ....state import State

Tone = Literal["good", "bad", "wait", "off"]


@dataclass(frozen=True)
class Status:
    """A state in one or two words, and its tone."""

    label: str
    tone: Tone


_UNKNOWN = Status(Message("Unknown"), "off")
_CONNECTIONS = {
    "ACTIVE": Status(Message("Works"), "good"),
    "ERROR": Status(Message("Broken"), "bad"),
    "MISSING": Status(Message("Not signed in yet"), "wait"),
}
_RUNS = {
    "SUCCEEDED": Status(Message("Succeeded"), "good"),
    "RUNNING": Status(Message("Running"), "wait"),
    "QUEUED": Status(Message("Waiting"), "wait"),
    "PAUSED": Status(Message("Paused"), "wait"),
    "FAILED": Status(Message("Failed"), "bad"),
    "INTERNAL_ERROR": Status(Message("Failed"), "bad"),
    "TIMEOUT": Status(Message("Took too long"), "bad"),
    "QUOTA_EXCEEDED": Status(Message("Quota used up"), "bad"),
    "MEMORY_LIMIT_EXCEEDED": Status(Message("Out of memory"), "bad"),
    "LOG_SIZE_EXCEEDED": Status(Message("Too much data"), "bad"),
    "CANCELED": Status(Message("Canceled"), "off"),
}
#: The states of runs that ended without success.
FAILED_RUNS = tuple(name for name, status in _RUNS.items() if status.tone == "bad")
_FLOWS = {"ENABLED": Status(Message("On"), "good"), "DISABLED": Status(Message("Off"), "off")}
_DELIVERIES = {
    "pending": Status(Message("Waiting"), "wait"),
    "delivered": Status(Message("Delivered"), "good"),
    "skipped": Status(Message("Does not match"), "off"),
    "dead": Status(Message("Failed"), "bad"),
}
_SUBSCRIPTIONS = {"active": Status(Message("Active"), "good"), "paused": Status(Message("Paused"), "wait")}
_SEPARATORS = re.compile(r"[-_\s]+")


def connection_status(name: str) -> Status:
    """The state of a connection."""
    return _CONNECTIONS.get(name, _UNKNOWN)


def flow_status(flow: Flow) -> Status:
    """Whether a flow is on; one that was never published is a draft."""
    if flow.published_version_id is None:
        return Status(Message("Draft"), "off")
    return _FLOWS.get(flow.status, _UNKNOWN)


def run_status(run: FlowRun) -> Status:
    """The state of a run."""
    return _RUNS.get(run.status, _UNKNOWN)


def delivery_status(name: str) -> Status:
    """The state of a delivery."""
    return _DELIVERIES.get(name, _UNKNOWN)


def subscription_status(name: str) -> Status:
    """The state of a subscription."""
    return _SUBSCRIPTIONS.get(name, _UNKNOWN)


def piece_title(state: State, name: str, known: str | None = None) -> str:
    """The title of a piece; if it is not known, its name: ``@activepieces/piece-google-sheets`` is Google Sheets."""
    if name == state.settings.piece_name and state.settings.app_name is not None:
        return state.settings.app_name
    if known is not None:
        return known
    words = _SEPARATORS.split(name.rpartition("/")[2].removeprefix("piece-"))
    return " ".join(word[:1].upper() + word[1:] for word in words if word) or name


def triggers_of(state: State) -> Mapping[str, Trigger]:
    """The triggers of the app, by name."""
    try:
        return state.piece.triggers()
    except DeclarationError:
        return {}  # the log has said why since the app started


def trigger_title(triggers: Mapping[str, Trigger], name: str) -> str:
    """The title of a trigger; its name, if it is no longer declared."""
    return triggers[name].title if name in triggers else name.replace("_", " ")


def instant(iso: str | None) -> int | None:
    """A time of Activepieces in seconds since 1970; None if it cannot be read."""
    return None if iso is None else from_iso(iso)


def choices(statuses: Mapping[str, Status]) -> dict[str, str]:
    """The labels for a filter."""
    return {name: status.label for name, status in statuses.items()}


CONNECTION_CHOICES = choices(_CONNECTIONS)
DELIVERY_CHOICES = choices(_DELIVERIES)
