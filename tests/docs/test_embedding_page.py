"""The page about the embedded builder says what the token, the macro and the errors are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from flask_activepieces.api_client.embedding_token import EmbeddedUser, sign_embedding_token
from flask_activepieces.integrations.embedding.builder import TOKEN_LIFETIME
from flask_activepieces.integrations.embedding.provisioning import AT_ONCE
from flask_activepieces.testing import ActivepiecesServer
from tests.support.documents import ROOT, cells, page

PAGE = page("embedding")
ADA: dict[str, Any] = {
    "external_user_id": "acme/7",
    "external_project_id": "acme",
    "first_name": "Ada",
    "last_name": "Lovelace",
}


def rows(head: str) -> list[list[str]]:
    """The rows of the table that begins with this head."""
    table = PAGE.partition(f"\n{head}\n")[2].partition("\n\n")[0]
    return [cells(row) for row in table.splitlines()[1:]]


def documented_claims(version: str) -> set[str]:
    """The claims of a token of this version."""
    column = {"v4": 1, "v3": 2}[version]
    table = rows("| Claim | v4 | v3 | Value |")
    return {name for row in table if row[column] == "yes" for name in re.findall(r"`(\w+)`", row[0])}


@pytest.mark.parametrize(
    ("version", "user"),
    [
        ("v4", EmbeddedUser(**ADA, role="Editor", piece_set="crm-only")),
        ("v3", EmbeddedUser(**ADA, role="Editor", piece_tags=("crm",))),
    ],
)
def test_the_claims_in_the_table_are_those_that_are_signed(
    activepieces_server: ActivepiecesServer, version: str, user: EmbeddedUser
) -> None:
    key_id, pem = activepieces_server.add_signing_key()

    token = sign_embedding_token(pem, key_id, user, now=activepieces_server.state.clock())

    claims = jwt.decode(token, RSAKey.import_key(pem), algorithms=["RS256"]).claims
    assert claims["version"] == version
    assert documented_claims(version) == set(claims)


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert "| `iat`, `exp` | yes | yes | now, and in 300 seconds |" in PAGE
    assert "valid for five minutes" in PAGE
    assert TOKEN_LIFETIME == 300
    assert "A call removes up to ten users" in PAGE
    assert AT_ONCE == 10


def test_the_events_are_those_that_the_script_sends() -> None:
    script = (ROOT / "flask_activepieces" / "static" / "builder.js").read_text("utf-8")

    documented = {row[0] for row in rows("| Event | Sent when | `event.detail` |")}

    assert documented == {f"`activepieces:{name}`" for name in re.findall(r'tell\("(\w+)"', script)}
