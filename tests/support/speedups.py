"""Makes the test suite faster without weakening any test."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart

Builder = Callable[..., tuple[str, str]]


@dataclass(frozen=True)
class ParsedPath:
    """What Werkzeug reads in the path of a route."""

    parts: list[RulePart]
    trace: list[tuple[bool, str]]
    converters: Mapping[str, BaseConverter]


#: The apps of the tests have the same routes again and again.
_parsed_paths: dict[str, ParsedPath] = {}


class LazyRule(Rule):
    """A route whose path is parsed once for all apps, and whose URL builder is compiled on first use.

    Werkzeug parses a path and compiles two functions for each route. That was most of the time to create an app, and
    a test builds only a few URLs. No test has custom converters.
    """

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        parsed = _parsed_paths.get(rule)
        if parsed is None:
            known, traced = set(self._converters), len(self._trace)
            parts = list(super()._parse_rule(rule))
            # In their order: Werkzeug gives the parts of a path to the first, the second and so on.
            converters = {name: one for name, one in self._converters.items() if name not in known}
            parsed = ParsedPath(parts, self._trace[traced:], converters)
            _parsed_paths[rule] = parsed
        else:
            self._trace.extend(parsed.trace)
            self._converters.update(parsed.converters)
            self.arguments.update(parsed.converters)
        return parsed.parts

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compile_now = super()._compile_builder
        compiled: list[Builder] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build


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
