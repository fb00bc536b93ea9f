"""The recent tool calls in a tenant, as its admins see them: tools, numbers and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from ..clock import Clock
from ..host.ids import checked_id
from ..storage.database import Database
from ..storage.tables import tool_calls as table

DAYS = 7
_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class CalledTool:
    """A tool, and how often it was called."""

    name: str
    calls: int
    #: How many calls failed, or were rejected because of their input.
    failed: int
    #: How many calls the token did not allow.
    denied: int
    last_at: int


class CallOverview:
    """The recent calls of one app's tenants."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def recent(self, tenant_id: str) -> Sequence[CalledTool]:
        """The tools that were called in the last days, the most used tool first."""
        since = int(self._clock()) - DAYS * _DAY
        statement = (
            select(table.c.tool, table.c.outcome, func.sum(table.c.count), func.max(table.c.last_at))
            .where(table.c.tenant_id == checked_id("tenant_id", tenant_id), table.c.first_at >= since)
            .group_by(table.c.tool, table.c.outcome)
        )
        counts: dict[str, dict[str, int]] = {}
        last: dict[str, int] = {}
        for tool, outcome, count, at in self._database.read(lambda conn: conn.execute(statement).all()):
            # MariaDB sums integers to a Decimal.
            counts.setdefault(tool, {})[outcome] = int(count)
            last[tool] = max(at, last.get(tool, 0))
        tools = [_called(name, by_outcome, last[name]) for name, by_outcome in counts.items()]
        return sorted(tools, key=lambda tool: (-tool.calls, tool.name))


def _called(name: str, by_outcome: dict[str, int], last_at: int) -> CalledTool:
    return CalledTool(
        name=name,
        calls=sum(by_outcome.values()),
        failed=by_outcome.get("rejected", 0) + by_outcome.get("failed", 0),
        denied=by_outcome.get("denied", 0),
        last_at=last_at,
    )
