"""An event is a row in the transaction that it tells of, and a signal after that transaction's commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Table, bindparam, insert, literal_column, update

from . import signals
from .database import Transaction
from .models import AuditEventRow


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened. ``detail`` holds short texts for people, never a secret, a code or a token."""

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
        """Add a row for the event, and announce it once committed."""
        transaction.changes_at_once(_ADD, _row_of(event))
        self.announce(transaction, event)

    def count(self, transaction: Transaction, event: Event, *, first: bool) -> None:
        """Like `record`, but the events of this name and family share one row that counts them."""
        if first:
            transaction.changes_at_once(_ADD, _row_of(event))
        else:
            transaction.changes_at_once(
                _COUNT, {"of_family": event.family_id, "of_name": event.name, "moment": event.at}
            )
        self.announce(transaction, event)

    def announce(self, transaction: Transaction, event: Event) -> None:
        """Tell the signal's listeners, each for itself, once the transaction is committed."""
        for listener in signals.BY_NAME[event.name].receivers_for(self._sender):
            tell = partial(listener, self._sender, event=event)
            transaction.after_commit.append(tell)


def _row_of(event: Event) -> dict[str, Any]:
    detail = json.dumps(dict(event.detail))
    return {**vars(event), "detail": detail, "times": 1, "last_at": event.at}


_table: Table = AuditEventRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact
_COLUMNS = [column.name for column in _table.c if not column.primary_key]
_ADD = insert(_table).values({name: bindparam(name) for name in _COLUMNS}).inline()
_COUNT = (
    update(_table)
    .where(_table.c.family_id == bindparam("of_family"), _table.c.name == bindparam("of_name"))
    .values(times=_table.c.times + literal_column("1"), last_at=bindparam("moment"))
)
