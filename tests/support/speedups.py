"""Makes the test suite faster without weakening any test."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Compiled
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]

#: The apps of the tests have the same routes again and again.
_compiled_rules: dict[tuple[Any, ...], LazyRule] = {}
#: The statements of all apps on SQLite, and their SQL.
_compiled_statements: LRUCache[Any, Compiled] = LRUCache(5000)


class LazyRule(Rule):
    """A route whose path is parsed once for all apps, and whose URL builder is compiled on first use.

    Werkzeug parses a path and compiles two functions for each route. That was most of the time to create an app, and
    a test builds only a few URLs. No test has custom converters.
    """

    def compile(self) -> None:
        key = (self.rule, self.host, self.subdomain, self.merge_slashes, tuple((self.defaults or {}).items()))
        first = _compiled_rules.get(key)
        if first is None:
            super().compile()
            _compiled_rules[key] = self
            return
        self._parts, self._trace, self._converters = first._parts, first._trace, first._converters
        self.arguments.update(first._converters)
        self._build = _bound_to(self, first._build)
        self._build_unknown = _bound_to(self, first._build_unknown)

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compile_now = super()._compile_builder
        compiled: list[Builder] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build


class CachingSQLite(SQLiteDialect_pysqlite):
    """SQLite with one cache of compiled statements for all engines: each test compiled the same ones again."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled_statements)

    # A statement is found by its dialect too.
    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


def disable_sqlite_sync(connection: Any, _: Any) -> None:
    """SQLite databases of tests need not survive a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def garbage_collection_disabled() -> Iterator[None]:
    """Disable garbage collection while modules are loaded, exclude them from later collections, and collect rarely.

    Each full collection took as long as ten tests. The thresholds save a seventh of the time, for 10 MB of memory.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


def _bound_to(rule: Rule, method: Builder) -> Builder:
    """The method of another rule, as a method of this one."""
    assert isinstance(method, MethodType)
    return MethodType(method.__func__, rule)
