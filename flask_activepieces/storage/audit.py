"""An event is a row in the transaction that it describes, and a signal after that transaction's commit."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from blinker import NamedSignal
from sqlalchemy import insert

from .. import signals
from . import tables
from .database import Transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened. ``detail`` holds short strings for people, never a secret, a code or a token."""

    name: str
    at: int
    tenant_id: str | None = None
    user_id: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    family_id: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


class Audit:
    """Writes the events of one app; ``sender`` is what its signals are sent from."""

    def __init__(self, sender: object) -> None:
        self._sender = sender

    def record(self, transaction: Transaction, event: Event) -> None:
        """Add a row for the event, and send its signal once the transaction is committed."""
        detail = json.dumps(dict(event.detail))
        transaction.execute(insert(tables.audit_events), {**vars(event), "detail": detail})
        self.notify_after_commit(transaction, event)

    def notify_after_commit(self, transaction: Transaction, event: Event) -> None:
        """Send the event's signal once the transaction is committed; its row is there already, or not needed."""
        transaction.after_commit.append(partial(self.notify, event))

    def notify(self, event: Event) -> None:
        """Send the event's signal; what it reports is committed."""
        self.send_signal(signals.BY_NAME[event.name], event=event)

    def send_signal(self, signal: NamedSignal, **content: object) -> None:
        """Send a signal from the app; an error of a listener is logged and no more."""
        for listener in signal.receivers_for(self._sender):
            try:
                listener(self._sender, **content)
            except Exception:
                log.exception("A listener of %s failed.", signal.name)
