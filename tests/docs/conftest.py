"""Runs the Python blocks of a page in order, as one module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import hosts, page_runner

#: The names that the blocks of a page define.
Namespace = dict[str, Any]
RunPage = Callable[[Path], Namespace]


@pytest.fixture
def run_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPage]:
    """Run a page in an empty directory; a failure shows its line in the page."""
    monkeypatch.chdir(tmp_path)
    # Readers export these before they start an app.
    monkeypatch.setenv("FLASK_SECRET_KEY", hosts.SECRET_KEY)
    monkeypatch.setenv("SECRET_KEY", hosts.SECRET_KEY)
    # Any free port.
    monkeypatch.setenv("METRICS_PORT", "0")
    with page_runner.page_module() as module:
        yield lambda path: page_runner.run_page(path, module)
    for value in list(vars(module).values()):
        if isinstance(value, Flask) and "sqlalchemy" in value.extensions:
            hosts.dispose(value)
