"""A piece of the stand-in: its metadata for the API, and Python in place of its JavaScript.

Piece(
    "@acme/piece-acme",
    auth={"type": "SECRET_TEXT", "displayName": "API key", "required": True},
    actions={"whoami": Action("Who am I", lambda call: {"key": call.auth["secret_text"]})},
)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..routing.responses import Json, Row


@dataclass(frozen=True)
class ActionCall:
    """The context of an action, as far as the stand-in provides what an engine does.

    ``props`` are all inputs including ``auth``, the whole connection, as in an engine's ``propsValue``.
    """

    auth: Json = field(repr=False)
    props: Row = field(repr=False)
    #: The connections of the project by their external ids.
    connections: Mapping[str, Json] = field(repr=False)
    #: ``apiUrl``, ``publicUrl`` and the engine's ``token``.
    server: Mapping[str, str] = field(repr=False)
    #: ``id``, and ``externalId`` if the project has one.
    project: Mapping[str, str]
    run: Mapping[str, str]
    step: Mapping[str, str]


@dataclass(frozen=True)
class WebhookResponse:
    """Returned by an action to respond to the waiting caller of the webhook. If it is final, the flow ends."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)
    final: bool = True


#: The location in an engine. Because of it, the short form of an error is truncated JSON.
_STACK = "\n    at async stand-in" * 20


class StepFailed(Exception):
    """A step of a flow failed; has the name and message of the error."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message

    def report(self) -> str:
        """The error as an engine reports it: JSON in a string."""
        report_fields = {
            "__apErrorVersion": 1,
            "message": self.message,
            "errorName": self.name,
            "raw": str(self) + _STACK,
        }
        return json.dumps(report_fields, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Action:
    """An action of a piece: ``run`` returns its output or a `WebhookResponse`, or raises `StepFailed`."""

    display_name: str
    run: Callable[[ActionCall], Any]
    description: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StandinPiece:
    """One version of a piece; ``auth``, ``props`` and ``triggers`` as in a piece's metadata.

    ``validate`` is the piece's check of a connection: it gets the secret of a SECRET_TEXT, the props of a
    CUSTOM_AUTH, otherwise the whole value, and returns a problem or None. ``identify`` is
    ``getConnectionIdentifier``: it returns the account of the value.
    """

    name: str
    auth: Mapping[str, Any] | None = None
    display_name: str | None = None
    version: str = "0.1.0"
    validate: Callable[[Json], str | None] | None = None
    identify: Callable[[Json], str | None] | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    triggers: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    logo_url: str = "https://cdn.activepieces.com/brand/logo.svg"
    authors: tuple[str, ...] = ()

    def as_json(self) -> Row:
        """The metadata, as the API returns it."""
        return {
            "name": self.name,
            "authors": list(self.authors),
            "displayName": self.display_name or self.name,
            "logoUrl": self.logo_url,
            "description": self.description,
            "version": self.version,
            "auth": self.auth,
            "actions": {name: self._action_json(name) for name in self.actions},
            "triggers": dict(self.triggers),
        }

    def _action_json(self, name: str) -> Row:
        action = self.actions[name]
        never = {"defaultValue": False}
        return {
            "name": name,
            "displayName": action.display_name,
            "description": action.description,
            "props": dict(action.props),
            "requireAuth": self.auth is not None,
            "errorHandlingOptions": {"continueOnFailure": never, "retryOnFailure": never},
        }
