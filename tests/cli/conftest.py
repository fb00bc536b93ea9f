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
    """Run ``flask activepieces …``; return the result."""
    runner = app.test_cli_runner()
    return lambda *arguments, **options: runner.invoke(args=["activepieces", *arguments], **options)


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """Run a command that succeeds; return the JSON that it prints."""

    def run_and_parse(*arguments: str) -> Any:
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run_and_parse
