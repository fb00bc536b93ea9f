"""The reference pages name every route, command, signal, error and public name, and none that is not there."""

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
from flask_activepieces.web.api.api_error_mapping import PROBLEMS_BY_ERROR
from flask_activepieces.web.api.problems import ProblemType
from tests.support.documents import blocks, code_words, headings, page, section

# --- Routes ---------------------------------------------------------------------------------------


def our_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("activepieces.")]


def routes_told() -> dict[tuple[str, str], set[str]]:
    """The methods of each address and endpoint in the tables."""
    told: dict[tuple[str, str], set[str]] = {}
    row_of_route = re.compile(r"\| ([A-Z, ]+) `(/[^`]*)` \| `(\w+)` \|")
    for methods, address, endpoint in row_of_route.findall(page("routes")):
        told.setdefault((address, f"activepieces.{endpoint}"), set()).update(methods.split(", "))
    return told


def test_every_route_is_told_with_its_methods_and_no_other_is(app: Flask) -> None:
    programs_post = {"activepieces.token", "activepieces.revoke", "activepieces.introspect"}
    there: dict[tuple[str, str], set[str]] = {}
    for rule in our_rules(app):
        # The three endpoints for programs take other methods only to refuse them in their own words.
        methods = {"POST"} if rule.endpoint in programs_post else set(rule.methods or ())
        there.setdefault((rule.rule, rule.endpoint), set()).update(methods - {"HEAD", "OPTIONS"})

    assert routes_told() == there


# --- Command line ---------------------------------------------------------------------------------


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(activepieces_cli, "flask activepieces"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_section_with_its_options_and_no_others(path: str) -> None:
    told = code_words(section(page("cli"), path))
    there = {
        name
        for parameter in COMMANDS[path].params
        for name in (
            [parameter.human_readable_name]
            if isinstance(parameter, click.Argument)
            else [*parameter.opts, *parameter.secondary_opts]
        )
    }

    assert {word for word in told if word.startswith("--") or word.isupper()} == there


def test_no_command_is_told_that_does_not_exist() -> None:
    told = {heading for heading in headings(page("cli")) if heading.startswith("flask ")}

    assert told == set(COMMANDS)


# --- Signals --------------------------------------------------------------------------------------


def test_every_signal_is_told_with_its_event_and_no_other_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", page("signals"), re.MULTILINE)
    there = {
        name: value.name
        for name, value in vars(signals).items()
        if value in signals.BY_NAME.values()
    }

    assert dict(rows) == there


def test_every_field_of_an_event_is_told() -> None:
    assert {field.name for field in fields(Event)} <= code_words(page("signals"))


# --- Errors ---------------------------------------------------------------------------------------


EXCEPTIONS = [
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception)
]

#: What the code can say as an error, wherever it says it: ``error = "…"``, ``error="…"`` and our own helpers.
_ERROR_WORD = re.compile(
    r"""\b(?:error(?:\s*=|=)\s*|_error\(\s*\d+,\s*|error_response\(\s*\d+,\s*)"([a-z_]+)\""""
)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_told(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", page("errors"), re.MULTILINE)


def test_every_error_word_in_our_code_is_told() -> None:
    package = Path(flask_activepieces.__path__[0])
    written = {
        word
        for path in package.rglob("*.py")
        for word in _ERROR_WORD.findall(path.read_text("utf-8"))
    }
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
    told = " ".join(code_words(page("errors")))

    assert written, "the pattern finds nothing any more"
    assert {word for word in written | from_authlib if word not in told} == set()


#: A row in the tables of problems: status, code, title.
_PROBLEM_ROW = re.compile(r"^\| (\d+|any) `(\w+)` \| \*([^*]+)\* \|", re.MULTILINE)


def test_every_code_of_a_problem_is_documented_and_no_other_is() -> None:
    section = page("errors").partition("## In the JSON API")[2].partition("\n## ")[0]
    documented = [code for _, code, _ in _PROBLEM_ROW.findall(section)]

    assert sorted(documented) == sorted(kind.code for kind in ProblemType)


def test_the_code_of_a_problem_is_not_derived_from_its_title() -> None:
    assert all(kind.code == kind.name.lower() for kind in ProblemType)


def test_every_problem_of_a_call_of_activepieces_is_told_and_no_other_is() -> None:
    section = page("errors").partition("### When Activepieces is called")[2].partition("\n## ")[0]

    assert sorted(_PROBLEM_ROW.findall(section)) == sorted(
        (str(kind.status), kind.code, kind.title) for _, kind in PROBLEMS_BY_ERROR
    )


# --- Python names ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", flask_activepieces.__all__)
def test_every_public_name_is_told(name: str) -> None:
    (imports,) = blocks(page("api"), "python")

    assert f"    {name}," in imports
    assert f"flask_activepieces.{name}" in page("api")


def test_every_attribute_of_the_current_token_is_told() -> None:
    attributes = {field.name for field in fields(AccessToken)}
    attributes |= {name for name, value in vars(AccessToken).items() if isinstance(value, property)}

    assert attributes <= code_words(page("protecting-views"))
