"""The page on the API client's resources lists exactly its methods, with the credential and edition of each."""

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
        name for name, value in vars(type(resource)).items() if inspect.isfunction(value) and not name.startswith("_")
    }


def rows(resource: str) -> dict[str, list[str]]:
    """The rows of a resource's table, by method name."""
    documented = section(page("api-client-resources"), f"client.{resource}")
    lines = re.findall(r"^\| `\w+` \|.*$", documented, re.MULTILINE)
    return {cells(line)[0].strip("`"): cells(line) for line in lines}


def operations() -> Iterator[tuple[str, str]]:
    for name, resource in RESOURCES.items():
        yield from ((name, method) for method in sorted(methods(resource)))


def test_exactly_the_resources_have_a_section() -> None:
    documented = {heading for heading in headings(page("api-client-resources")) if heading.startswith("client.")}

    assert documented == {f"client.{name}" for name in RESOURCES}


@pytest.mark.parametrize("resource", RESOURCES)
def test_exactly_the_methods_are_documented(resource: str) -> None:
    assert set(rows(resource)) == methods(RESOURCES[resource])


def test_credential_and_edition_are_documented_as_checked() -> None:
    for resource, method in operations():
        name = f"{resource}.{method}"
        restriction = (
            capabilities.RESTRICTIONS.get(name)
            or capabilities.RESTRICTIONS.get(resource)
            or capabilities.Restriction()
        )
        _, _, credential, edition, _ = rows(resource)[method]

        assert (credential == "user") == bool(restriction.user_only_reason), name
        assert (credential == "key") == bool(restriction.api_key_only_reason), name
        assert edition == ("EE" if restriction.not_in_community else "all"), name


def test_every_method_has_a_docstring_and_a_return_type() -> None:
    functions = [getattr(RESOURCES[resource], method) for resource, method in operations()]

    assert [function for function in functions if not function.__doc__] == []
    assert [function for function in functions if "return" not in get_type_hints(function)] == []
