"""What the steps of the check share: who acts, through what, and what came of the steps before."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from flask_activepieces import signals
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.storage.audit import Event

from ..pieces import KEY_MANIFEST, OAUTH_MANIFEST, PackedPiece, packed
from .browser import Browser
from .places import Place
from .report import json_of

#: The JSON API of flask-activepieces; Tasklane keeps its usual place.
API = "/api/integration/activepieces"
#: After so long, Activepieces refreshes a token of `places.ACCESS_TOKEN_TTL` when a flow reads it.
SECONDS_TO_REFRESH = 1.5


@dataclass
class Loop:
    """One walk through the loop; a step reads what earlier ones wrote here."""

    app: Flask
    place: Place
    #: The browser of Tasklane's admin.
    admin: Browser
    #: Activepieces as its own admin uses it: for what Tasklane has no part in.
    client: ActivepiecesClient
    #: Marks what this walk makes, on a server where there is more.
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    piece: PackedPiece = field(default_factory=lambda: packed(OAUTH_MANIFEST))
    key_piece: PackedPiece = field(default_factory=lambda: packed(KEY_MANIFEST))
    flow_name: str = "Check"
    #: That of the piece by which flows start; the catalogue of Activepieces has it.
    webhook_version: str = ""
    integration_id: str = ""
    project_id: str = ""
    #: The connection that was made with one click, as the API shows it.
    connection: dict[str, Any] = field(default_factory=dict)
    flow_id: str = ""
    #: What the app told of tokens and grants.
    events: list[Event] = field(default_factory=list)
    #: What was made, and how to remove it, the newest last.
    clean_ups: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    token_read_at: float = 0.0

    def __post_init__(self) -> None:
        for signal in (signals.token_issued, signals.token_refreshed, signals.grant_revoked):
            signal.connect(self._hear, self.app)

    def _hear(self, sender: Flask, event: Event) -> None:
        self.events.append(event)

    def heard(self, name: str) -> list[Event]:
        """The events of this name, in their order."""
        return [event for event in self.events if event.name == name]

    def api(
        self, method: str, path: str, body: Any = None, *, status: int = 200, check: str
    ) -> dict[str, Any]:
        """What the app's own JSON API answers its admin."""
        return json_of(self.admin.call(method, API + path, body), status, check=check)

    def remove(self, path: str) -> None:
        """Remove what stands there in the app's own JSON API."""
        self.api("DELETE", path, status=204, check="what is left of this check")

    def wait_until_token_is_old(self) -> None:
        """Go on when Activepieces would refresh the token of the connection."""
        time.sleep(max(0.0, self.token_read_at + SECONDS_TO_REFRESH - time.monotonic()))

    def token_was_read(self) -> None:
        """Activepieces has just used, or got, the token of the connection."""
        self.token_read_at = time.monotonic()
