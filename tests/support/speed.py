"""What makes a run of all tests shorter, and takes nothing from what they prove."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LazyRule(Rule):
    """A route that learns to build URLs when it is first asked for one.

    Werkzeug compiles two functions for that with each route. That was half of what an app took to make, and a test
    asks its app for a URL or two.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compile_now = super()._compile_builder
        compiled: list[Builder] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build


def do_not_wait_for_the_disk(connection: Any, _: Any) -> None:
    """What tests keep in SQLite need not outlive a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def no_look_for_garbage() -> Iterator[None]:
    """While modules are loaded nothing becomes garbage, and what is loaded stays to the end: look at neither again.

    Each look at all that is loaded took as long as ten tests.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
