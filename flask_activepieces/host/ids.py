"""Checks of the host's ids: of users, tenants and organizations.

An id is a non-empty string of at most 190 printable characters, without spaces at either end. None would mean "the
clients of all tenants", MariaDB takes ``"acme "`` for ``"acme"``, and PostgreSQL compares no numbers with strings.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import SetupError

LONGEST_HOST_ID = 190


def checked_id(name: str, value: object) -> str:
    """The id; `SetupError` names the attribute or argument that is invalid, and why."""
    if not isinstance(value, str):
        remedy = "it needs an id" if value is None else f"convert it with str({name})"
        raise SetupError(f"{name} is {_shown(value)}, not a str: {remedy}.")
    problem = problem_with_id(value)
    if problem is not None:
        raise SetupError(f"{name} is {_shown(value)}: {problem}.")
    return value


def checked_optional_id(name: str, value: object) -> str | None:
    """Like `checked_id`, for an id that may be None."""
    return None if value is None else checked_id(name, value)


def checked_ids(name: str, values: Iterable[object]) -> list[str]:
    """Like `checked_id`, for several ids."""
    return [checked_id(name, value) for value in values]


def problem_with_id(value: str) -> str | None:
    """Why an id is invalid; None if it can be stored and found in every database."""
    if not value:
        return "an id is not empty"
    if len(value) > LONGEST_HOST_ID:
        return f"an id has at most {LONGEST_HOST_ID} characters"
    if not value.isprintable():
        return "an id has printable characters only"
    if value.strip() != value:
        return "an id has no space at either end"
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
