"""A piece of the stand-in: its metadata for the API, and Python in place of its JavaScript.

StandinPiece(
    "@acme/piece-acme",
    auth={"type": "SECRET_TEXT", "displayName": "API key", "required": True},
    actions={"whoami": Action("Who am I", lambda call: {"key": call.auth["secret_text"]})},
)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..routing.responses import Json, Row
from .calls import ActionCall, FormCall, TriggerCall

#: Checks or names the value of a connection.
Look = Callable[[Json], "str | None"]
#: Returns the choices of a dropdown, or the fields of a dynamic property.
FillProperty = Callable[[FormCall], Json]


@dataclass(frozen=True)
class WebhookResponse:
    """Returned by an action to respond to the waiting caller of the webhook. If it is final, the flow ends."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)
    final: bool = True


class StepFailed(Exception):
    """A step of a flow failed; has the name and message of the error."""

    #: The location in an engine. Because of it, the short form of an error is truncated JSON.
    stack = "\n    at async stand-in" * 20

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
            "raw": str(self) + self.stack,
        }
        return json.dumps(report_fields, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Action:
    """An action of a piece: ``run`` returns its output or a `WebhookResponse`, or raises `StepFailed`."""

    display_name: str
    run: Callable[[ActionCall], Any]
    description: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    #: Name of a property -> the function that fills it.
    options: Mapping[str, FillProperty] = field(default_factory=dict)

    def as_json(self, name: str, *, requires_auth: bool) -> Row:
        """The metadata, as the API returns it."""
        never = {"defaultValue": False}
        return {
            "name": name,
            "displayName": self.display_name,
            "description": self.description,
            "props": dict(self.props),
            "requireAuth": requires_auth,
            "errorHandlingOptions": {"continueOnFailure": never, "retryOnFailure": never},
        }


def _nothing(call: TriggerCall) -> None:
    """The default of a hook."""


def _payload(call: TriggerCall) -> list[Json]:
    """Each request to the webhook starts a run, in which it is the output of the trigger."""
    return [call.payload]


@dataclass(frozen=True)
class Trigger:
    """A trigger of a piece: ``run`` returns the items that each start a run, or raises `StepFailed`."""

    display_name: str
    run: Callable[[TriggerCall], list[Json]] = _payload
    type: Literal["WEBHOOK", "POLLING"] = "WEBHOOK"
    on_enable: Callable[[TriggerCall], None] = _nothing
    on_disable: Callable[[TriggerCall], None] = _nothing
    on_renew: Callable[[TriggerCall], None] = _nothing
    #: Returns samples; without it, the builder waits for a real event.
    test: Callable[[TriggerCall], list[Json]] | None = None
    #: A request with this header is answered with the result of ``on_handshake``, and starts no run.
    handshake_header: str | None = None
    on_handshake: Callable[[TriggerCall], Row] = lambda call: {"status": 200}
    description: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, FillProperty] = field(default_factory=dict)
    sample_data: Json = None

    def as_json(self, name: str) -> Row:
        """The metadata, as the API returns it."""
        return {
            "name": name,
            "displayName": self.display_name,
            "description": self.description,
            "props": dict(self.props),
            "type": self.type,
            "sampleData": self.sample_data or {},
            "testStrategy": "TEST_FUNCTION" if self.test else "SIMULATION",
        }


@dataclass(frozen=True)
class StandinPiece:
    """One version of a piece; ``auth`` and ``props`` as in a piece's metadata.

    ``validate`` is the piece's check of a connection: it gets the secret of a SECRET_TEXT, the props of a
    CUSTOM_AUTH, otherwise the whole value, and returns a problem or None. ``identify`` is
    ``getConnectionIdentifier``: it gets the same and returns the account. For a piece with several kinds of auth,
    both are a mapping from the kind to such a function.
    """

    name: str
    auth: Mapping[str, Any] | None = None
    display_name: str | None = None
    version: str = "0.1.0"
    validate: Look | Mapping[str, Look] | None = None
    identify: Look | Mapping[str, Look] | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    description: str = ""
    logo_url: str = "https://cdn.activepieces.com/brand/logo.svg"
    authors: tuple[str, ...] = ()
    #: What the piece's ``getContextInfo`` says. None: a piece of an old framework, whose ``auth`` is the bare secret
    #: of a SECRET_TEXT and the bare props of a CUSTOM_AUTH.
    context_version: Literal["1", "2"] | None = "1"

    def as_json(self) -> Row:
        """The metadata, as the API returns it."""
        requires_auth = self.auth is not None
        return {
            "name": self.name,
            "authors": list(self.authors),
            "displayName": self.display_name or self.name,
            "logoUrl": self.logo_url,
            "description": self.description,
            "version": self.version,
            "auth": self.auth,
            "actions": {name: one.as_json(name, requires_auth=requires_auth) for name, one in self.actions.items()},
            "triggers": {name: one.as_json(name) for name, one in self.triggers.items()},
        }

    def check_of(self, kind: str) -> Look | None:
        """The check of connections of that kind."""
        return self.validate.get(kind) if isinstance(self.validate, Mapping) else self.validate

    def identifier_of(self, kind: str) -> Look | None:
        """The function that names the account of connections of that kind."""
        return self.identify.get(kind) if isinstance(self.identify, Mapping) else self.identify
