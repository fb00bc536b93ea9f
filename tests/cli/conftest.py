"""The command line of the small host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def run(app: Flask) -> Run:
    """Runs ``flask activepieces …`` and gives what came of it."""
    runner = app.test_cli_runner()
    return lambda *words, **options: runner.invoke(args=["activepieces", *words], **options)


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """The JSON that a command prints, and nothing else on standard output."""

    def run_and_parse(*words: str) -> Any:
        result = run(*words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run_and_parse
