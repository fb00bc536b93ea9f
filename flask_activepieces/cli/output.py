"""The output of commands: tables for people, JSON for scripts, errors with exit codes, and questions.

Exit codes: 0 done, 1 failed (standard error says why), 2 wrong usage, 3 database unavailable (try again).
With ``--json`` a failure is also a JSON document on standard output: ``{"error": {"code": …, "detail": …}}``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from flask.cli import AppGroup

from ..errors import ActivepiecesError, InvalidInput, NotFound, SetupError, Unavailable
from ..host.ids import problem_with_id

#: The option or argument of a field, where its name differs.
_OPTIONS = {
    "client_id": "CLIENT_ID",
    "redirect_uris": "--redirect-uri",
    "logo_uri": "--logo",
    "require_pkce": "--no-pkce",
    "client_credentials": "--client-credentials",
    "remember_consent": "--remember-consent",
    "can_introspect": "--introspection",
    "scopes": "--scope",
    "token_file": "--token-file",
    "origins": "ORIGINS",
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
yes_option = click.option("--yes", is_flag=True, help="Confirm without being asked.")


class HostId(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    """An id from the app."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        problem = problem_with_id(value)
        if problem is not None:
            self.fail(f"{printable(repr(value))}: {problem}", param, ctx)
        return value


class NotConfirmed(click.ClickException):
    """Raised when the operator declines, or when no one can be asked."""


#: The codes in JSON; "refused" for any other error.
_ERROR_CODES = {
    InvalidInput: "invalid_input",
    Unavailable: "not_available",
    NotFound: "not_found",
    SetupError: "not_set_up",
    NotConfirmed: "not_confirmed",
}


class CommandGroup(AppGroup):
    """Reports errors on standard error, with ``--json`` also as JSON, and sets the exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # click itself prints the usage, and exits with 2.
            if as_json:
                print_json({"error": {"code": "usage", "detail": error.format_message()}})
            raise
        except (ActivepiecesError, NotConfirmed) as error:
            _print_failure(error, as_json=as_json)
            raise SystemExit(3 if isinstance(error, Unavailable) else 1) from None


def confirm(question: str, *, yes: bool, as_json: bool = False) -> None:
    """Return if the operator agrees; a script cannot be asked, and must pass ``--yes``."""
    if yes:
        return
    agreed = None
    if not as_json:
        try:
            # On standard error, because standard output is for the result.
            agreed = click.confirm(question, err=True)
        except click.Abort:
            click.echo(err=True)  # ends the line of an unanswered question
    if agreed is None:
        raise NotConfirmed(f"Nothing was done. {question} Use --yes to confirm.")
    if not agreed:
        raise NotConfirmed("Nothing was done.")


def counted(count: int, noun: str) -> str:
    """The count with its noun, such as "1 grant" or "2 grants"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """The text for a terminal."""
    # Names come from other people, and may contain terminal commands or characters that reverse the text around them.
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def print_result(value: Any, *lines: str, as_json: bool) -> None:
    """The value for scripts, or the lines for people."""
    if as_json:
        print_json(value)
    else:
        click.echo("\n".join(lines))


def print_record(record: dict[str, Any], *, as_json: bool) -> None:
    """The fields of one thing, one per line."""
    width = max(map(len, record))
    lines = (f"{name.ljust(width)}  {_cell(value)}" for name, value in record.items())
    print_result(record, *lines, as_json=as_json)


def print_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, empty: str, as_json: bool) -> None:
    """A table of these columns; JSON has all of them."""
    table = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table)
    print_result(rows, *(lines if rows else [empty]), as_json=as_json)


def _print_failure(error: Exception, *, as_json: bool) -> None:
    code = next((code for kind, code in _ERROR_CODES.items() if isinstance(error, kind)), "refused")
    lines = [str(error)]
    details = {}
    if isinstance(error, InvalidInput):
        problems = {name: str(problem) for name, problem in error.fields.items()}
        lines = [f"{_OPTIONS.get(name, f'--{name}')}: {problem}" for name, problem in problems.items()]
        details = {"fields": problems} if problems else {}
    elif isinstance(error, Unavailable):
        lines = [f"{error} Check that it is running, and that its URL is right."]
    if as_json:
        print_json({"error": {"code": code, "detail": " ".join(lines), **details}})
    for line in lines:
        click.echo(f"Error: {printable(line)}", err=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(", ".join(map(str, value)) if isinstance(value, list) else str(value))
