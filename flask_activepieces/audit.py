"""An event is a row in the transaction that it tells of, and a signal after that transaction's commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from sqlalchemy import Executable, Table, bindparam, insert, literal_column, select, update

from . import signals
from .database import Transaction
from .models import AuditEventRow
from .prepared import Values


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


@dataclass(frozen=True)
class Change:
    """An INSERT or UPDATE of one row, and its values."""

    statement: Executable
    values: Values = field(repr=False)


class Audit:
    """Writes the events of one app; ``sender`` is what its signals are sent from."""

    def __init__(self, sender: object) -> None:
        self._sender = sender

    def record(self, transaction: Transaction, event: Event) -> None:
        """Add a row for the event, and announce it once committed."""
        transaction.changes_at_once(_ADD, _row_of(event))
        self.announce(transaction, event)

    def record_if(
        self, transaction: Transaction, change: Change, event: Event, *, counted: bool = False
    ) -> bool:
        """Run an INSERT or UPDATE and, if it met a row, record the event; whether it did.

        It is all that the transaction writes. With ``counted`` the events of this name and family share one row that
        counts them, unless it was pruned.
        """
        row = _row_of(event)
        if transaction.dialect == "postgresql":
            statement = _in_one(change.statement, counted)
            if not transaction.whole_at_once(statement, {**change.values, **row}):
                return False
        elif transaction.changes_at_once(change.statement, change.values) == 0:
            return False
        elif not (counted and transaction.changes_at_once(_COUNT, row)):
            transaction.changes_at_once(_ADD, row)
        self.announce(transaction, event)
        return True

    def announce(self, transaction: Transaction, event: Event) -> None:
        """Tell the signal's listeners, each for itself, once the transaction is committed."""
        for listener in signals.BY_NAME[event.name].receivers_for(self._sender):
            tell = partial(listener, self._sender, event=event)
            transaction.after_commit.append(tell)


def _row_of(event: Event) -> Values:
    detail = json.dumps(dict(event.detail))
    told = {**vars(event), "detail": detail, "times": 1, "last_at": event.at}
    return {f"event_{name}": value for name, value in told.items()}


_table: Table = AuditEventRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact
_VALUES = {
    column.name: bindparam(f"event_{column.name}", type_=column.type)
    for column in _table.c
    if not column.primary_key
}
_ADD = insert(_table).values(_VALUES).inline()
_COUNT = (
    update(_table)
    .where(_table.c.family_id == _VALUES["family_id"], _table.c.name == _VALUES["name"])
    .values(times=_table.c.times + literal_column("1"), last_at=_VALUES["last_at"])
)


@cache
def _in_one(change: Any, counted: bool) -> Executable:
    """PostgreSQL: the change, and its event where it met a row, in one statement, which returns that row."""
    met: Any = literal_column("1").label("met")
    changed = change.returning(met).cte("changed")
    row, whole = select(*_VALUES.values()).select_from(changed), select(changed)
    if counted:
        noted = _COUNT.where(select(changed).exists()).returning(met).cte("noted")
        row, whole = row.where(~select(noted).exists()), whole.add_cte(noted)
    return whole.add_cte(insert(_table).from_select(list(_VALUES), row).cte("added"))
