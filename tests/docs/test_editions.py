"""The table of editions says what the API client checks before each call."""

from __future__ import annotations

import re

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.capabilities import RESTRICTIONS, Edition, check_supported
from flask_activepieces.api_client.credentials import ApiKey, Credential, EmailPassword
from flask_activepieces.api_client.errors import CallNotSupported
from tests.support.documents import cells, page

KEY, USER = ApiKey("sk-1"), EmailPassword("ada@acme.test", "password")

#: What people want, the cells of the three editions, and the calls that it needs.
ROWS = [row for row in map(cells, re.findall(r"^\| .*\|$", page("editions"), re.MULTILINE)) if len(row) == 5][1:]
CALLS = [
    pytest.param(row[1:4], call, id=f"{row[0][:40]}: {call}")
    for row in ROWS
    for call in re.findall(r"`(\w+(?:\.\w+)?)`", row[4])
    if row[1] != "in Activepieces"
]
#: The app's own key is an API key by definition.
ONLY_WITH_THE_APPS_KEY = "projects.create"


def credentials(call: str, edition: Edition) -> str:
    """The credentials with which the API client would send the call, as the table writes them."""
    # The Community Edition has no API keys.
    available: dict[str, Credential] = {"user": USER} if edition == "ce" else {"key": KEY, "user": USER}
    possible = []
    for name, credential in available.items():
        try:
            check_supported(call, credential, edition)
        except CallNotSupported:
            continue
        possible.append(name)
    return " or ".join(possible) or "no"


@pytest.mark.parametrize(("documented", "call"), CALLS)
def test_the_cells_are_what_the_client_checks(documented: list[str], call: str) -> None:
    checked = [credentials(call, edition) for edition in ("cloud", "ee", "ce")]

    if call == ONLY_WITH_THE_APPS_KEY:
        checked = ["key", "key", "no"]
    assert documented == checked


@pytest.mark.parametrize("operation", sorted(RESTRICTIONS))
def test_every_restriction_is_in_the_table(operation: str) -> None:
    assert any(f"`{operation}`" in row[4] for row in ROWS)


def test_every_call_exists() -> None:
    client = ActivepiecesClient("https://ap.example.com", "sk-1")
    managed_elsewhere = {"api_keys", "signing_keys", "oauth_apps"}
    named = {call for row in ROWS for call in re.findall(r"`(\w+(?:\.\w+)?)`", row[4])}

    for call in named - managed_elsewhere:
        resource, _, method = call.partition(".")
        assert hasattr(client, resource), call
        assert not method or hasattr(getattr(client, resource), method), call
