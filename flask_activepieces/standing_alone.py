"""Statements that stand alone: psycopg can be told, without a round trip, to send no BEGIN and no COMMIT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

#: libpq's PQTRANS_IDLE: no transaction is open.
_IDLE = 0

Begin = Callable[[], None]


@contextmanager
def standing_alone(connection: Connection) -> Iterator[Begin]:
    """Each statement stands alone, and sees what is committed just then, until the given function is called.

    Where that cannot be had for nothing, with other drivers, the connection stays as it is.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.driver != "psycopg":
        yield _nothing
        return
    if driver.autocommit or driver.info.transaction_status != _IDLE:
        yield _nothing  # the host has its own ways with its connections
        return
    driver.autocommit = True

    def begin() -> None:
        if driver.autocommit:
            driver.autocommit = False

    try:
        yield begin
    finally:
        if not connection.invalidated:
            try:
                begin()
            except Exception:
                # It was left in the middle of something. Nobody else shall get it as it is.
                connection.invalidate()


def _nothing() -> None:
    """There is nothing to do: the driver begins a transaction by itself."""
