"""The page of the client's resources names every method with who may call it, and no method that is not there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import get_type_hints

import pytest

from flask_activepieces.api_client import ActivepiecesClient, capabilities
from flask_activepieces.api_client.resources.resource import Resource
from tests.support.documents import cells, headings, page, section

CLIENT = ActivepiecesClient("https://ap.example.com", "sk-1")
RESOURCES = {name: value for name, value in vars(CLIENT).items() if isinstance(value, Resource)}


def methods(resource: Resource) -> set[str]:
    return {
        name
        for name, value in vars(type(resource)).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def rows(resource: str) -> dict[str, list[str]]:
    """The lines of a resource's table by the names of its methods."""
    told = section(page("api-client-resources"), f"client.{resource}")
    lines = re.findall(r"^\| `\w+` \|.*$", told, re.MULTILINE)
    return {cells(line)[0].strip("`"): cells(line) for line in lines}


def operations() -> Iterator[tuple[str, str]]:
    for name, resource in RESOURCES.items():
        yield from ((name, method) for method in sorted(methods(resource)))


def test_every_resource_has_a_section_and_no_other_is_told() -> None:
    told = {
        heading
        for heading in headings(page("api-client-resources"))
        if heading.startswith("client.")
    }

    assert told == {f"client.{name}" for name in RESOURCES}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_method_is_told_and_no_other_is(resource: str) -> None:
    assert set(rows(resource)) == methods(RESOURCES[resource])


@pytest.mark.parametrize(("resource", "method"), list(operations()))
def test_who_may_call_it_is_told_as_the_client_checks_it(resource: str, method: str) -> None:
    limit = (
        capabilities.RESTRICTIONS.get(f"{resource}.{method}")
        or capabilities.RESTRICTIONS.get(resource)
        or capabilities.Restriction()
    )
    _, _, credential, edition, _ = rows(resource)[method]

    assert (credential == "user") == bool(limit.user_only_reason)
    assert (credential == "key") == bool(limit.api_key_only_reason)
    assert edition == ("EE" if limit.not_in_community else "all")


@pytest.mark.parametrize(("resource", "method"), list(operations()))
def test_every_method_says_what_it_does_and_what_it_gives(resource: str, method: str) -> None:
    function = getattr(RESOURCES[resource], method)

    assert function.__doc__
    assert "return" in get_type_hints(function)
