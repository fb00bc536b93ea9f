"""How commands answer: tables for people, JSON for scripts, and an exit code.

Exit codes: 0 done, 1 refused (standard error says why), 2 wrong usage, 3 database unavailable (try again).
With ``--json`` a failure is one JSON document on standard output, too: ``{"error": {"code": …, "detail": …}}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import click
from flask.cli import AppGroup

from ..errors import ActivepiecesError, InvalidInput, NotFound, SetupError, Unavailable
from ..host.ids import problem_with_id
from .confirmation import NotConfirmed

Command = TypeVar("Command", bound=Callable[..., Any])

#: The option or argument that sets a field, where it has another name than the field.
_OPTIONS = {
    "client_id": "CLIENT_ID",
    "redirect_uris": "--redirect-uri",
    "require_pkce": "--no-pkce",
    "client_credentials": "--client-credentials",
    "remember_consent": "--remember-consent",
}


class _HostId(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    """An id that the app made."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The id; a usage error says what is wrong with it."""
        problem = problem_with_id(value)
        if problem is not None:
            self.fail(f"{_printable(repr(value))}: {problem}", param, ctx)
        return value


HOST_ID = _HostId()
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@dataclass(frozen=True)
class Failure:
    """Why a command failed: a code for programs (the JSON API uses the same ones), lines for people."""

    code: str
    lines: Sequence[str]
    exit_code: int = 1
    fields: Mapping[str, str] = field(default_factory=dict)

    def print(self, *, as_json: bool) -> None:
        """The lines on standard error; for a script also the document on standard output."""
        if as_json:
            fields = {"fields": dict(self.fields)} if self.fields else {}
            print_json({"error": {"code": self.code, "detail": " ".join(self.lines), **fields}})
        for line in self.lines:
            click.echo(f"Error: {_printable(line)}", err=True)


def reports_errors(command: Command) -> Command:
    """Turn our errors into lines on standard error, JSON if that was asked for, and an exit code."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ActivepiecesError, NotConfirmed) as error:
            failure = _failure(error)
            failure.print(as_json=kwargs.get("as_json", False))
            raise SystemExit(failure.exit_code) from None

    return guarded  # type: ignore[return-value]  # wraps keeps the signature, which mypy cannot see


class CommandGroup(AppGroup):
    """Reports wrong usage as JSON, too, if the command line has ``--json``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click itself prints the usage on standard error and exits with 2."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if as_json:
                print_json({"error": {"code": "usage", "detail": error.format_message()}})
            raise


def _failure(error: Exception) -> Failure:
    match error:
        case InvalidInput(fields=problems):
            fields = {name: str(problem) for name, problem in problems.items()}
            lines = [f"{_option(name)}: {problem}" for name, problem in fields.items()]
            return Failure("invalid_input", lines, fields=fields)
        case Unavailable():
            line = f"{error} Is it running, and is its URL right?"
            return Failure("not_available", [line], exit_code=3)
        case NotFound():
            return Failure("not_found", [str(error)])
        case SetupError():
            return Failure("not_set_up", [str(error)])
        case NotConfirmed():
            return Failure("not_confirmed", [str(error)])
    return Failure("refused", [str(error)])


def _option(field_name: str) -> str:
    return _OPTIONS.get(field_name, f"--{field_name}")


def print_json(value: Any) -> None:
    """The value as JSON, one document."""
    click.echo(json.dumps(value, indent=2))


def print_record(record: dict[str, Any]) -> None:
    """The fields of one thing, a line each."""
    width = max(map(len, record))
    for name, value in record.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


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
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _printable(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _printable(text: str) -> str:
    """The text without what a terminal would obey, or that would turn other text around: others made up the names."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
