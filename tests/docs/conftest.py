"""Runs the Python blocks of a page in order, as one module; and a reader, who has the wheel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import hosts, page_runner
from tests.support.installation import Reader
from tests.support.npm import one_process_at_a_time

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


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The same for all processes of the tests, because it takes seconds to build the wheel."""
    temporary = tmp_path_factory.getbasetemp()
    folder = (temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary) / "reader"
    folder.mkdir(exist_ok=True)
    lock, installed = folder / "lock", folder / "installed"
    lock.touch()
    reader = Reader(folder)
    with one_process_at_a_time(lock):
        if not installed.exists():
            reader.install()
            installed.touch()
    return reader
