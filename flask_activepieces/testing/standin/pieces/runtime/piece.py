"""The piece that a manifest describes."""

from __future__ import annotations

import time

from .....clock import Clock
from ...routing.responses import Row
from .actions import Action
from .app import App
from .auth import Auth
from .polling import PollingTrigger
from .triggers import Trigger
from .webhook import WebhookTrigger


class RuntimePiece:
    """A piece as its JavaScript builds it: kinds of connection, actions and triggers."""

    def __init__(self, manifest: Row, clock: Clock = time.time) -> None:
        self.app = App(manifest, clock)
        self.auth = [Auth(self.app, declared) for declared in manifest.get("auth", ())]
        self.actions = {name: Action(self.app, each) for name, each in manifest.get("actions", {}).items()}
        self.triggers = {name: self._trigger(name, each) for name, each in manifest.get("triggers", {}).items()}

    def _trigger(self, name: str, described: Row) -> Trigger:
        kind = PollingTrigger if described["type"] == "POLLING" else WebhookTrigger
        return kind(self.app, name, described)
