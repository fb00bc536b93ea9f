"""Methods that are a part of the caller's transaction, and the same methods in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..storage.database import Database, Transaction

P = ParamSpec("P")
T = TypeVar("T")


class _Service(Protocol):
    database: Database


S = TypeVar("S", bound=_Service)


def in_own_transaction(method: Callable[Concatenate[S, Transaction, P], T]) -> Callable[Concatenate[S, P], T]:
    """The method ``x`` that commits what ``x_in`` does in a given transaction."""

    @wraps(method)
    def run(service: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return service.database.run_in_transaction(lambda transaction: method(service, transaction, *args, **kwargs))

    return run
