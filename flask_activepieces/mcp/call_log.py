"""The log of tool calls: user, client, tool, outcome, time and number. It does not contain arguments or results.

Equal calls within an hour are one row with a count, so that a busy agent does not fill the table. The first call is
stored immediately. A worker counts later calls, and stores the count every few seconds and when it ends, because a
write for each call would cost more than the call. If a worker is killed, its last counts are lost, but no row is.
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal
from weakref import WeakMethod

from sqlalchemy import Insert

from ..clock import Clock
from ..crypto.keyring import sha256_hex
from ..errors import ActivepiecesError
from ..oauth.tokens.access_tokens import AccessToken
from ..storage.audit import Audit, Event
from ..storage.database import Database
from ..storage.dialects import upsert_counting
from ..storage.tables import tool_calls

log = logging.getLogger(__name__)

#: ``rejected``: the app rejected the input; ``denied``: the token lacks a scope.
Outcome = Literal["succeeded", "rejected", "failed", "denied"]

SECONDS_OF_A_ROW = 3600
#: How many seconds a count may be outdated while there are calls.
STORE_SECONDS = 10

Row = dict[str, Any]
#: What calls have in common that are counted together.
Key = tuple[str | int | None, ...]


class CallLog:
    """Records the tool calls of one app."""

    def __init__(self, database: Database, *, audit: Audit, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        #: The rows of this hour; ``count`` is what is not stored yet.
        self._rows: dict[Key, Row] = {}
        self._stored_at = 0
        self._lock = threading.Lock()
        atexit.register(_call, WeakMethod(self.store))

    def record(self, token: AccessToken, tool: str, outcome: Outcome) -> None:
        """Count the call, and send its signal."""
        now = int(self._clock())
        key = _key_of(token, tool, outcome, now)
        with self._lock:
            row = self._rows.get(key)
            is_due = row is None or now - self._stored_at >= STORE_SECONDS
            if row is None:
                row = self._rows[key] = _row_of(key, now)
            row["count"] += 1
            row["last_at"] = now
        if is_due:
            self.store()
        self._audit.notify(_event_of(token, tool, outcome, now))

    def store(self) -> None:
        """Store the counts since the last time."""
        now = int(self._clock())
        with self._lock:
            self._stored_at = now
            counted = [dict(row) for row in self._rows.values() if row["count"]]
            current = {key: row for key, row in self._rows.items() if row["begins_at"] == _begin_of_hour(now)}
            self._rows = {key: row | {"count": 0} for key, row in current.items()}
        for row in counted:
            try:
                self._database.write(self._statement, _stored(row))
            except ActivepiecesError as error:
                # The tools have run, so the agents must get their results.
                log.warning("%d calls of the tool %s were not recorded: %s", row["count"], row["tool"], error)

    @cached_property
    def _statement(self) -> Insert:
        return upsert_counting(tool_calls, self._database.dialect, "count", ("last_at",))


def _key_of(token: AccessToken, tool: str, outcome: Outcome, now: int) -> Key:
    caller = (token.tenant_id, token.organization_id, token.user_id, token.client_id, token.personal_token_id)
    return *caller, tool, outcome, _begin_of_hour(now)


def _row_of(key: Key, now: int) -> Row:
    tenant_id, organization_id, user_id, client_id, personal_token_id, tool, outcome, begins_at = key
    return {
        "id": sha256_hex(json.dumps(key)),
        "tenant_id": tenant_id,
        "organization_id": organization_id,
        "user_id": user_id,
        "client_id": client_id or None,
        "personal_token_id": personal_token_id,
        "tool": tool,
        "outcome": outcome,
        "count": 0,
        "begins_at": begins_at,
        "first_at": now,
        "last_at": now,
    }


def _stored(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in tool_calls.c.keys()}  # noqa: SIM118  # not a mapping


def _event_of(token: AccessToken, tool: str, outcome: Outcome, now: int) -> Event:
    return Event(
        name="tool.called",
        at=now,
        tenant_id=token.tenant_id,
        user_id=token.user_id,
        client_id=token.client_id or None,
        grant_id=token.grant_id,
        family_id=token.family_id,
        detail={"tool": tool, "outcome": outcome},
    )


def _begin_of_hour(now: int) -> int:
    return now - now % SECONDS_OF_A_ROW


def _call(method: WeakMethod[Any]) -> None:
    """Call the method, if its object still exists."""
    found = method()
    if found is not None:
        found()
