"""A piece, as the stand-in knows one: what the API shows of it, and Python in place of its JavaScript.

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
    """What an action is given, which is what an engine gives it as far as the stand-in has it.

    ``props`` are all inputs, and ``auth`` is among them, as in an engine's ``propsValue``: the whole connection.
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
    """What an action returns to answer the waiting caller of the webhook. The flow stops there, if it is final."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)
    final: bool = True


#: Where in an engine it happened. It is why the short form of an error is a JSON text that is cut off.
_STACK = "\n    at async stand-in" * 20


class StepFailed(Exception):
    """A step of a flow failed: the name of its error and what it says."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message

    def report(self) -> str:
        """The error as an engine reports it: JSON in a text."""
        told = {
            "__apErrorVersion": 1,
            "message": self.message,
            "errorName": self.name,
            "raw": str(self) + _STACK,
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Action:
    """One thing that a piece does: ``run`` returns its output, or an `WebhookResponse`, or raises `StepFailed`."""

    display_name: str
    run: Callable[[ActionCall], Any]
    description: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StandinPiece:
    """One version of a piece; ``auth``, ``props`` and ``triggers`` as in a piece's metadata.

    ``validate`` plays the piece's own check of a connection: it gets the secret of a SECRET_TEXT, the props of a
    CUSTOM_AUTH, or else the whole value, and answers what is wrong with it, or nothing. ``identify`` plays
    ``getConnectionIdentifier``: whose account the value is of.
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
        """What the API shows of it."""
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
