"""Ids of the app: an id that some database cannot store or compare is rejected, with its attribute."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from flask_activepieces import Principal, Workspace
from flask_activepieces.errors import SetupError
from flask_activepieces.host.ids import LONGEST_HOST_ID, checked_id, checked_ids

#: Invalid ids, and a part of the message for the developer.
WRONG: list[tuple[Any, str]] = [
    (None, "not a str: it needs an id"),
    (5, r"not a str: convert it with str\("),
    (UUID(int=1), r"not a str: convert it with str\("),
    (b"acme", "not a str"),
    (True, "not a str"),
    ("", "is not empty"),
    (" ", "has no space at either end"),
    ("acme ", "has no space at either end"),
    (" acme", "has no space at either end"),
    ("ac\0me", "printable characters only"),
    ("acme\n", "printable characters only"),
    ("ac\u202eme", "printable characters only"),
    ("\ud800", "printable characters only"),
    ("x" * (LONGEST_HOST_ID + 1), "at most 190 characters"),
]
RIGHT = ["1", "acme", "ac me", "Äcme", "會社", str(UUID(int=1)), "x" * LONGEST_HOST_ID]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_an_invalid_id_is_rejected_with_its_name(value: Any, message: str) -> None:
    with pytest.raises(SetupError, match=f"^tenant_id is .*{message}"):
        checked_id("tenant_id", value)


@pytest.mark.parametrize("value", RIGHT)
def test_ids_in_any_script_are_unchanged(value: str) -> None:
    assert checked_id("tenant_id", value) == value


def test_one_invalid_id_among_several_is_rejected() -> None:
    with pytest.raises(SetupError, match="tenant_ids is None"):
        checked_ids("tenant_ids", ["acme", None])


def test_an_error_truncates_a_long_value() -> None:
    with pytest.raises(SetupError) as caught:
        checked_id("tenant_id", "x" * 100_000)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("value", "message"), WRONG)
@pytest.mark.parametrize("attribute", ["user_id", "tenant_id"])
def test_a_principal_names_its_invalid_attribute(attribute: str, value: Any, message: str) -> None:
    ids = {"user_id": "1", "tenant_id": "acme"} | {attribute: value}

    with pytest.raises(SetupError, match=rf"^Principal\.{attribute} is .*{message}"):
        Principal(display_name="Bob", **ids)


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_a_workspace_names_its_invalid_attribute(value: Any, message: str) -> None:
    with pytest.raises(SetupError, match=rf"^Workspace\.tenant_id is .*{message}"):
        Workspace(value, "Acme")


@pytest.mark.parametrize(("value", "message"), WRONG[1:])
def test_an_organization_is_none_or_an_id(value: Any, message: str) -> None:
    assert Workspace("acme", "Acme").organization_id is None
    with pytest.raises(SetupError, match=rf"^Principal\.organization_id is .*{message}"):
        Principal("1", "acme", "Bob", value)
    with pytest.raises(SetupError, match=rf"^Workspace\.organization_id is .*{message}"):
        Workspace("acme", "Acme", value)
