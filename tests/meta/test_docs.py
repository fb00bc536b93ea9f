"""The reference pages list every route, command, signal, error and public name, and only those that exist."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.routing import Rule

import flask_activepieces
from flask_activepieces import errors, signals
from flask_activepieces.cli import activepieces_cli
from flask_activepieces.oauth.tokens.access_tokens import AccessToken
from flask_activepieces.storage.audit import Event
from flask_activepieces.web.api.problems import UPSTREAM_PROBLEMS, ProblemType
from tests.support.documents import blocks, code_words, headings, page, section

# --- Routes ---------------------------------------------------------------------------------------


def our_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("activepieces.")]


def documented_routes() -> dict[tuple[str, str], set[str]]:
    """The methods of each path and endpoint in the tables."""
    documented: dict[tuple[str, str], set[str]] = {}
    row_of_route = re.compile(r"\| ([A-Z, ]+) `(/[^`]*)` \| `(\w+)` \|")
    for methods, path, endpoint in row_of_route.findall(page("routes")):
        documented.setdefault((path, f"activepieces.{endpoint}"), set()).update(methods.split(", "))
    return documented


def test_the_documented_routes_and_methods_are_those_of_the_app(app: Flask) -> None:
    programs = {f"activepieces.{name}" for name in ("token", "revoke", "introspect", "mcp")}
    existing: dict[tuple[str, str], set[str]] = {}
    for rule in our_rules(app):
        if rule.endpoint.endswith("_again"):
            continue  # from the address of a button to its page, as the text above the table says
        # These endpoints accept other methods only to refuse them with an error of their own.
        methods = {"POST"} if rule.endpoint in programs else set(rule.methods or ())
        existing.setdefault((rule.rule, rule.endpoint), set()).update(methods - {"HEAD", "OPTIONS"})

    assert documented_routes() == existing


# --- Command line ---------------------------------------------------------------------------------


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(activepieces_cli, "flask activepieces"))


@pytest.mark.parametrize("path", COMMANDS)
def test_the_documented_options_of_a_command_are_those_it_has(path: str) -> None:
    documented = code_words(section(page("cli"), path))
    existing = {
        name
        for parameter in COMMANDS[path].params
        for name in (
            [parameter.human_readable_name]
            if isinstance(parameter, click.Argument)
            else [*parameter.opts, *parameter.secondary_opts]
        )
    }

    assert {name for name in documented if name.startswith("--") or name.isupper()} == existing


def test_the_documented_commands_are_those_that_exist() -> None:
    documented = {heading for heading in headings(page("cli")) if heading.startswith("flask ")}

    assert documented == set(COMMANDS)


# --- Signals --------------------------------------------------------------------------------------


def test_the_documented_signals_are_those_that_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", page("signals"), re.MULTILINE)
    existing = {name: value.name for name, value in vars(signals).items() if value in signals.BY_NAME.values()}

    assert dict(rows) == existing


def test_every_field_of_an_event_is_documented() -> None:
    assert {field.name for field in fields(Event)} <= code_words(page("signals"))


# --- Errors ---------------------------------------------------------------------------------------


EXCEPTIONS = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]

#: OAuth error codes in our source: ``error = "…"``, ``error="…"`` and our helpers.
_ERROR_CODE = re.compile(r"""\b(?:error(?:\s*=|=)\s*|_error\(\s*\d+,\s*|error_response\(\s*\d+,\s*)"([a-z_]+)\"""")


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", page("errors"), re.MULTILINE)


def test_every_oauth_error_code_is_documented() -> None:
    package = Path(flask_activepieces.__path__[0])
    in_source = {code for path in package.rglob("*.py") for code in _ERROR_CODE.findall(path.read_text("utf-8"))}
    from_authlib = {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "access_denied",
    }
    documented = " ".join(code_words(page("errors")))

    assert in_source, "the pattern no longer finds anything"
    assert {code for code in in_source | from_authlib if code not in documented} == set()


#: A row in the tables of problems: status, code, title.
_PROBLEM_ROW = re.compile(r"^\| (\d+|any) `(\w+)` \| \*([^*]+)\* \|", re.MULTILINE)


def test_the_documented_problem_codes_are_those_that_exist() -> None:
    section = page("errors").partition("## In the JSON API")[2].partition("\n## ")[0]
    documented = [code for _, code, _ in _PROBLEM_ROW.findall(section)]

    assert sorted(documented) == sorted(kind.code for kind in ProblemType)


def test_the_code_of_a_problem_is_not_derived_from_its_title() -> None:
    assert all(kind.code == kind.name.lower() for kind in ProblemType)


def test_the_documented_problems_of_activepieces_calls_are_those_that_exist() -> None:
    section = page("errors").partition("### When Activepieces is called")[2].partition("\n## ")[0]

    assert sorted(_PROBLEM_ROW.findall(section)) == sorted(
        (str(kind.status), kind.code, kind.title) for kind in UPSTREAM_PROBLEMS
    )


# --- Python names ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", flask_activepieces.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    (imports,) = blocks(page("api"), "python")

    assert f"    {name}," in imports
    assert f"flask_activepieces.{name}" in page("api")


def test_every_attribute_of_the_current_token_is_documented() -> None:
    attributes = {field.name for field in fields(AccessToken)}
    attributes |= {name for name, value in vars(AccessToken).items() if isinstance(value, property)}

    assert attributes <= code_words(page("protecting-views"))
