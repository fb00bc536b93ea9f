"""What the steps of the check share: the two servers, the admin's browser, and the results of earlier steps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from flask_activepieces import get_state, signals
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.storage.audit import Event

from .agent import Agent
from .browser import Browser
from .report import json_body
from .servers import ActivepiecesAccess

#: The JSON API of flask-activepieces, under its default URL prefix.
API = "/api/integration/activepieces"
#: Once a token with `servers.ACCESS_TOKEN_TTL` is this old, Activepieces refreshes it before it uses it.
SECONDS_TO_REFRESH = 1.5


@dataclass
class CheckRun:
    """One run of the check. Each step stores here what later steps need."""

    app: Flask
    activepieces: ActivepiecesAccess
    #: The browser of Tasklane's admin.
    admin: Browser
    #: Calls Activepieces as its own admin, for everything outside Tasklane.
    api_client: ActivepiecesClient
    #: Part of every name that this run creates, so that they are unique on a shared server.
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))
    flow_name: str = "Check"
    #: The version of Tasklane's piece on the server.
    piece_version: str = ""
    #: The version of the webhook piece in the server's catalog.
    webhook_version: str = ""
    integration_id: str = ""
    project_id: str = ""
    #: The connection created with one click, as the JSON API returns it.
    connection: dict[str, Any] = field(default_factory=dict)
    flow_id: str = ""
    #: The flow that starts when a task is added.
    trigger_flow_id: str = ""
    agent: Agent = field(default_factory=lambda: Agent(""))
    #: What the app's signals reported about tokens and grants.
    events: list[Event] = field(default_factory=list)
    #: What was created and how to remove it, the newest last.
    clean_ups: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    token_used_at: float = 0.0

    def __post_init__(self) -> None:
        for signal in (signals.token_issued, signals.token_refreshed, signals.grant_revoked):
            signal.connect(self._record_event, self.app)

    def manifest(self, version: str) -> Mapping[str, Any]:
        """The manifest of Tasklane's piece in this version."""
        with self.app.app_context():
            return get_state().piece.manifest(version=version)

    def events_named(self, name: str) -> list[Event]:
        """The recorded events of this name, oldest first."""
        return [event for event in self.events if event.name == name]

    def call_api(self, method: str, path: str, body: Any = None, *, status: int = 200, check: str) -> dict[str, Any]:
        """Call the app's JSON API as its admin."""
        return json_body(self.admin.call(method, API + path, body), status, check=check)

    def delete(self, path: str) -> None:
        """Delete a resource of the app's JSON API."""
        self.call_api("DELETE", path, status=204, check="what this run left behind")

    def token_was_used(self) -> None:
        """Note that Activepieces has just received or used the connection's token."""
        self.token_used_at = time.monotonic()

    def wait_until_token_is_old(self) -> None:
        """Return as soon as Activepieces would refresh the connection's token."""
        time.sleep(max(0.0, self.token_used_at + SECONDS_TO_REFRESH - time.monotonic()))

    def _record_event(self, sender: Flask, event: Event) -> None:
        self.events.append(event)
