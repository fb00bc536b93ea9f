"""The host's own database session, which gives its connection back before we use one, or call Activepieces.

Whoever asks who is signed in asks the host, and its ``user_loader`` asks ``db.session``, whose transaction then stays
open to the end of the request, and keeps a connection of the pool. While Activepieces is slow, those who wait for it
would have all connections, for nothing but a look-up that is done; and as many requests at once as the pool has
connections would wait for one another's second.

Only such a transaction is ended. What the host has written and not yet committed is the host's to commit, all of it
or nothing: its session is then left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from flask import has_app_context
from sqlalchemy import Connection, Engine, SelectBase, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, scoped_session

from ..host.interface import Host, Permission, Principal, Workspace
from .database import translate_error

T = TypeVar("T")

#: In the ``info`` of a session, or of a connection, whose transaction has written.
_HAS_WRITTEN = "activepieces: the transaction has written"
#: In the ``info`` of a session: the connections of its transaction.
_CONNECTIONS = "activepieces: connections"


class HostSession:
    """``db.session`` of one app, and the engines that it uses."""

    def __init__(self, session: scoped_session[Any], engines: Iterable[Engine]) -> None:
        self._session = session
        for engine in engines:
            event.listen(engine, "before_cursor_execute", _note_cursor_statement)
        event.listen(session, "after_begin", _note_connection)
        event.listen(session, "after_flush", _note_flush)
        event.listen(session, "do_orm_execute", _note_statement)
        event.listen(session, "after_transaction_end", _forget)

    def let_go(self) -> None:
        """End the session's transaction if it has only read. What it has loaded is read again when it is used."""
        if not has_app_context() or not self._session.registry.has():
            return
        session: Session = self._session()
        if session.in_transaction() and _has_only_read(session):
            try:
                session.commit()
            except DBAPIError as error:
                raise translate_error(error) from error


class ConsiderateHost(Host):
    """A host whose session is let go after each answer."""

    def __init__(self, host: Host, session: HostSession) -> None:
        self._host = host
        self._let_go = session.let_go

    def current_principal(self) -> Principal | None:
        """As the host answers."""
        return self._after(self._host.current_principal())

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """As the host answers."""
        return self._after(self._host.load_principal(user_id, tenant_id))

    def allows(self, principal: Principal, permission: Permission) -> bool:
        """As the host answers."""
        return self._after(self._host.allows(principal, permission))

    def login_url(self, next_url: str) -> str:
        """As the host answers."""
        return self._after(self._host.login_url(next_url))

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """As the host answers."""
        return self._after(self._host.workspaces(principal))

    def version(self) -> str | None:
        """As the host answers."""
        return self._after(self._host.version())

    def may_see_mcp_token(self, principal: Principal) -> bool:
        """As the host answers."""
        return self._after(self._host.may_see_mcp_token(principal))

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """As the host answers."""
        return self._after(self._host.reconnect_url(integration_id, connection_id))

    def _after(self, answer: T) -> T:
        self._let_go()
        return answer


def _has_only_read(session: Session) -> bool:
    pending = session.new or session.dirty or session.deleted
    written = session.info.get(_HAS_WRITTEN) or any(
        not connection.invalidated and connection.info.get(_HAS_WRITTEN)
        for connection in session.info.get(_CONNECTIONS, ())
    )
    return not (pending or written or session.in_nested_transaction())


def _note_flush(session: Session, _: Any) -> None:
    session.info[_HAS_WRITTEN] = True


def _note_statement(state: ORMExecuteState) -> None:
    # Text may be anything, so it counts as writing.
    if not state.is_select:
        state.session.info[_HAS_WRITTEN] = True


def _note_connection(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    if transaction.parent is None:
        connection.info.pop(_HAS_WRITTEN, None)  # left by whoever had it from the pool before
        session.info.setdefault(_CONNECTIONS, []).append(connection)


def _note_cursor_statement(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    # Bulk writes, and what is executed on session.connection(), tell the session nothing.
    if not isinstance(getattr(context, "invoked_statement", None), SelectBase):
        connection.info[_HAS_WRITTEN] = True


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_HAS_WRITTEN, None)
        session.info.pop(_CONNECTIONS, None)
