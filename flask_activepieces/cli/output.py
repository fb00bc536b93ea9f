"""How commands speak: tables for people, JSON for scripts, one line and an exit code when something is wrong.

Exit codes: 0 done, 1 refused (the line says why), 2 wrong usage, 3 storage away (try again).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import click

from ..errors import ActivepiecesError, InvalidInput, Unavailable

Command = TypeVar("Command", bound=Callable[..., Any])

#: What an error calls a field, and what its option is called.
_OPTIONS = {
    "redirect_uris": "redirect-uri",
    "require_pkce": "no-pkce",
    "client_credentials": "client-credentials",
}

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def reports_errors(command: Command) -> Command:
    """Turn our errors into one line on standard error and an exit code."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except InvalidInput as error:
            for name, problem in error.fields.items():
                words = f"--{_OPTIONS.get(name, name)}: {problem}"
                click.echo(f"Error: {_printable(words)}", err=True)
            raise SystemExit(1) from None
        except Unavailable as error:
            click.echo(
                f"Error: {_printable(str(error))} Is it running, and is its URL right?", err=True
            )
            raise SystemExit(3) from None
        except ActivepiecesError as error:
            click.echo(f"Error: {_printable(str(error))}", err=True)
            raise SystemExit(1) from None

    return guarded  # type: ignore[return-value]  # wraps keeps the signature, which mypy cannot see


def print_json(value: Any) -> None:
    """The value as JSON, one document."""
    click.echo(json.dumps(value, indent=2))


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """The rows in columns as wide as their contents."""
    if not rows:
        click.echo(empty)
        return
    lines = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return _printable(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _printable(text: str) -> str:
    """The text without what a terminal would obey, or that would turn other text around: others made up the names."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
