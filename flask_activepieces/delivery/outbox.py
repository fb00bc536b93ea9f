"""Stores events in the transaction of the host, so that they exist if, and only if, it is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.orm import Session, scoped_session

from ..clock import Clock
from ..crypto.keyring import random_id
from ..host.ids import checked_id, checked_optional_id
from ..pieces.declarations import Trigger
from ..storage.database import Database
from ..storage.event_tables import events

log = logging.getLogger(__name__)

#: A key in the ``info`` of a session, if its transaction has stored events.
_HAS_EVENTS = "activepieces: events"


class Outbox:
    """The outbox of one app; ``session`` is the host's ``db.session``, and ``dumps`` encodes JSON as the app does."""

    def __init__(
        self, database: Database, session: scoped_session[Any], *, clock: Clock, dumps: Callable[[Any], str]
    ) -> None:
        self._database = database
        self._session = session
        self._clock = clock
        self._dumps = dumps
        self._notify: Callable[[], None] | None = None

    def notify_after_commit(self, notify: Callable[[], None]) -> None:
        """Call this function after each commit with events, so that a worker can deliver them immediately."""
        if self._notify is None:
            event.listen(self._session, "after_commit", self._after_commit)
            event.listen(self._session, "after_rollback", _forget)
        self._notify = notify

    def store(
        self,
        trigger: Trigger,
        payloads: Sequence[Any],
        *,
        tenant_id: str,
        organization_id: str | None,
        user_id: str | None,
    ) -> None:
        """Store one row for each payload, with a single INSERT in the transaction of the host's session."""
        if not payloads:
            return
        session = self._session()
        # The payload may contain values that only the database sets, such as an id.
        session.flush()
        common = {
            "tenant_id": checked_id("tenant_id", tenant_id),
            "organization_id": checked_optional_id("organization_id", organization_id) or "",
            "user_id": checked_optional_id("user_id", user_id),
            "trigger_name": trigger.name,
            "created_at": int(self._clock()),
            "pending": 1,
        }
        rows = [
            {**common, "uid": f"evt_{random_id()}", "payload": self._dumps(trigger.payload.dump(payload))}
            for payload in payloads
        ]
        values = rows[0] if len(rows) == 1 else rows
        session.execute(insert(events), values, **self._database.session_options)
        session.info[_HAS_EVENTS] = True

    def _after_commit(self, session: Session) -> None:
        # Releasing a savepoint is not a commit.
        is_over = not session.in_nested_transaction()
        if not is_over or not session.info.pop(_HAS_EVENTS, False) or self._notify is None:
            return
        try:
            self._notify()
        except Exception:
            # The events are stored, so a worker finds them later.
            log.warning("The workers could not be notified of new events.", exc_info=True)


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_HAS_EVENTS, None)
