"""Audit events in words: what happened, as a sentence with the names of the things that it happened to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ... import signals
from ...messages import Message
from ...storage.audit import Event

#: The sentences. ``%(client)s`` is the name of the OAuth client, ``%(trigger)s`` the title of the trigger; the others
#: are fields of the event's detail.
_SENTENCES: Mapping[str, str] = {
    "client.created": Message("OAuth client “%(client)s” registered"),
    "client.updated": Message("OAuth client “%(client)s” changed"),
    "client.disabled": Message("OAuth client “%(client)s” suspended"),
    "client.enabled": Message("OAuth client “%(client)s” resumed"),
    "client.secret_rotated": Message("New secret for the OAuth client “%(client)s”"),
    "client.deleted": Message("OAuth client “%(client)s” deleted"),
    "client_policy.changed": Message("Agents that users may connect changed"),
    "grant.approved": Message("Access allowed to “%(client)s”"),
    "grant.denied": Message("Access denied to “%(client)s”"),
    "grant.revoked": Message("Access of “%(client)s” revoked"),
    "token.issued": Message("“%(client)s” signed in"),
    "token.refreshed": Message("“%(client)s” renewed its access"),
    "token.revoked": Message("“%(client)s” gave its access back"),
    "code.replayed": Message("A sign-in of “%(client)s” was used twice, so its access was revoked"),
    "refresh.replayed": Message("An old token of “%(client)s” was used, so its access was revoked"),
    "integration.created": Message("Workspace connected to Activepieces"),
    "integration.updated": Message("Project or server of Activepieces changed"),
    "integration.key_rotated": Message("Sign-in to Activepieces changed"),
    "integration.enabled": Message("Automation switched on"),
    "integration.disabled": Message("Automation switched off"),
    "integration.removed": Message("Connection to Activepieces removed"),
    # Of earlier versions, which did not record what changed.
    "connection.saved": Message("Connection “%(display_name)s” saved"),
    "connection.deleted": Message("Connection “%(display_name)s” deleted"),
    "connection.replaced": Message("Flows of the connection “%(display_name)s” moved to another one"),
    "connection.failed": Message("Connection “%(display_name)s” stopped working"),
    "flow.enabled": Message("Flow “%(flow)s” switched on"),
    "flow.disabled": Message("Flow “%(flow)s” switched off"),
    "flow_run.retried": Message("A run of “%(flow)s” started again"),
    "agent_step.changed": Message("This app added to an agent of “%(flow)s”"),
    "piece.installed": Message("App piece installed in version %(version)s"),
    "user.provisioned": Message("Access to the flow builder given"),
    "user.deprovisioned": Message("Access to the flow builder ended"),
    "mcp.changed": Message("MCP server changed"),
    "mcp.token_rotated": Message("New token for the MCP server"),
    "tool.called": Message("Tool “%(tool)s” used by “%(client)s”"),
    "personal_token.created": Message("Personal access token “%(name)s” created"),
    "personal_token.revoked": Message("Personal access token “%(name)s” revoked"),
    "subscription.created": Message("A flow began to get events of “%(trigger)s”"),
    "subscription.paused": Message("Events of “%(trigger)s” paused for a flow"),
    "subscription.resumed": Message("Events of “%(trigger)s” continued for a flow"),
    "subscription.removed": Message("A flow no longer gets events of “%(trigger)s”"),
    "delivery.replayed": Message("Events sent to flows again: %(count)s"),
}
#: How a connection was saved, by the field ``change`` of the event's detail.
_SAVED: Mapping[str, str] = {
    "created": Message("Connection “%(display_name)s” added"),
    "reconnected": Message("Connection “%(display_name)s” reconnected"),
    "updated": Message("Connection “%(display_name)s” changed"),
}
_UNKNOWN = Message("unknown")
_FIELD = re.compile(r"%\((\w+)\)s")

#: What the filter offers, and the beginnings of the names that it means.
KINDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "access": (
        Message("Access of apps"),
        ("grant.", "token.", "code.", "refresh.", "personal_token.", "tool.", "user."),
    ),
    "clients": (Message("OAuth clients"), ("client.", "client_policy.")),
    "connections": (Message("Connections"), ("connection.",)),
    "flows": (Message("Flows"), ("flow.", "flow_run.", "agent_step.", "subscription.", "delivery.")),
    "setup": (Message("Settings"), ("integration.", "mcp.", "piece.")),
}


def event_names(kind: str) -> list[str]:
    """The names of the events of this kind; empty for an unknown one."""
    beginnings = tuple(KINDS[kind][1]) if kind in KINDS else ()
    return [name for name in signals.BY_NAME if beginnings and name.startswith(beginnings)]


def sentence(event: Event, **names: str | None) -> Message:
    """What happened; with the names of what the event has only an id of, as far as they are known."""
    template = _SENTENCES.get(event.name)
    if event.name == "connection.saved":
        template = _SAVED.get(event.detail.get("change", ""), template)
    if template is None:
        # Of a newer version, whose rows an older worker reads during an upgrade.
        return Message(event.name.replace("_", " ").replace(".", ": "))
    values = _Names({**event.detail, **{name: value for name, value in names.items() if value}})
    return Message(template, **{name: values[name] for name in _FIELD.findall(template)})


class _Names(dict[str, object]):
    """Names, with a word in place of one that is missing."""

    def __missing__(self, name: str) -> object:
        return _UNKNOWN
