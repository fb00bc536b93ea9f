"""The recent tool calls in a tenant, as its admins see them: tools, callers, numbers and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, select

from ..clock import Clock
from ..host.ids import checked_id
from ..oauth.clients.client import OAuthClient, find_by_ids
from ..storage.database import Database
from ..storage.tables import personal_tokens
from ..storage.tables import tool_calls as table

DAYS = 7
#: How many callers are shown.
MOST_CALLERS = 25
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


@dataclass(frozen=True, kw_only=True)
class ToolCaller:
    """Who called a tool: a user, with an agent or with a personal access token."""

    tool: CalledTool
    user_id: str
    #: None for a personal access token, and for an agent that was deleted.
    client: OAuthClient | None
    has_personal_token: bool
    #: None if the token was deleted.
    token_name: str | None


class CallOverview:
    """The recent calls of one app's tenants."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def recent(self, tenant_id: str) -> Sequence[CalledTool]:
        """The tools that were called in the last days, the most used tool first."""
        statement = self._sums(tenant_id)
        tools = [_called(row) for row in self._database.read(lambda conn: conn.execute(statement).all())]
        return sorted(tools, key=lambda tool: (-tool.calls, tool.name))

    def callers(self, tenant_id: str) -> Sequence[ToolCaller]:
        """Who called which tool in the last days, the newest call first: at most `MOST_CALLERS`."""
        token = and_(
            personal_tokens.c.id == table.c.personal_token_id, personal_tokens.c.tenant_id == table.c.tenant_id
        )
        caller = (table.c.user_id, table.c.client_id, table.c.personal_token_id)
        statement = (
            self._sums(tenant_id, *caller, personal_tokens.c.name.label("token_name"))
            .outerjoin(personal_tokens, token)
            .order_by(func.max(table.c.last_at).desc(), *caller, table.c.tool)
            .limit(MOST_CALLERS)
        )

        def query(conn: Connection) -> Sequence[ToolCaller]:
            rows = conn.execute(statement).all()
            clients = find_by_ids(conn, {row.client_id for row in rows if row.client_id})
            return [
                ToolCaller(
                    tool=_called(row),
                    user_id=row.user_id,
                    client=clients.get(row.client_id),
                    has_personal_token=row.personal_token_id is not None,
                    token_name=row.token_name,
                )
                for row in rows
            ]

        return self._database.read(query)

    def _sums(self, tenant_id: str, *more: ColumnElement[Any]) -> Select[Any]:
        """The recent calls for each tool and each value of more columns."""
        since = int(self._clock()) - DAYS * _DAY
        columns = (table.c.tool, *more)
        return (
            select(
                *columns,
                func.sum(table.c.count).label("calls"),
                _count_of("rejected", "failed").label("failed"),
                _count_of("denied").label("denied"),
                func.max(table.c.last_at).label("last_at"),
            )
            .select_from(table)
            .where(table.c.tenant_id == checked_id("tenant_id", tenant_id), table.c.first_at >= since)
            .group_by(*columns)
        )


def _count_of(*outcomes: str) -> ColumnElement[Any]:
    return func.sum(case((table.c.outcome.in_(outcomes), table.c.count), else_=0))


def _called(row: Row[Any]) -> CalledTool:
    # MariaDB sums integers to a Decimal.
    return CalledTool(
        name=row.tool, calls=int(row.calls), failed=int(row.failed), denied=int(row.denied), last_at=row.last_at
    )
