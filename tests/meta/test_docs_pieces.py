"""The page about fields of forms maps every field and every kind, as the code does."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from flask_activepieces.pieces import auth
from flask_activepieces.pieces import fields as piece_fields
from flask_activepieces.pieces.properties import IN_FORM, KINDS, KINDS_OF_TEXT, SINCE_0_86, kind_of
from tests.support.documents import ROOT, cells, page


class Priority(enum.Enum):
    LOW = 1


class Row(Schema):
    name = fields.String()


NAMES = {"Priority": Priority, "Row": Row, "fields": fields, "piece_fields": piece_fields, "validate": validate}


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without backticks."""
    below = page("piece-properties").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `.*$", below, re.MULTILINE)
    assert rows, f"no table below {heading}"
    return [[cell.strip("`") for cell in cells(row)] for row in rows]


FROM_FIELD = [(row[0], row[1]) for row in table("From field to form")]
FROM_FORM = [(row[0], row[2], row[3]) for row in table("From form to field")]


def field_of(expression: str) -> fields.Field[Any]:
    """The field that a page names."""
    field = eval(expression, dict(NAMES))  # noqa: S307  # our own page
    assert isinstance(field, fields.Field)
    return field


def test_a_documented_field_has_the_documented_form() -> None:
    assert [(expression, kind_of(field_of(expression))) for expression, _ in FROM_FIELD] == FROM_FIELD


@pytest.mark.parametrize(("kind", "expression", "since"), FROM_FORM)
def test_a_documented_form_has_the_documented_field(kind: str, expression: str, since: str) -> None:
    assert kind_of(field_of(expression)) == kind
    assert (since == "0.86") is (kind in SINCE_0_86)


def test_every_form_is_documented_once() -> None:
    assert sorted(kind for kind, _, _ in FROM_FORM) == sorted([*IN_FORM, "SECRET_TEXT"])


def test_every_class_with_a_form_is_documented() -> None:
    documented = [field_of(expression) for expression, _ in FROM_FIELD]

    missing = [type_ for type_, _ in KINDS if not any(isinstance(field, type_) for field in documented)]

    assert not missing


def test_every_kind_of_a_text_is_documented() -> None:
    documented = {field_of(expression).metadata.get("kind") for expression, _ in FROM_FIELD} - {None}

    assert documented == set(KINDS_OF_TEXT)


#: Arguments that are documented in sentences, because they are the same for all kinds.
COMMON = {"title", "description", "required"}


@pytest.mark.parametrize("kind", [auth.OAuth2, auth.BasicAuth, auth.CustomAuth], ids=lambda each: each.__name__)
def test_every_argument_of_an_authentication_is_documented(kind: Any) -> None:
    section = page("piece-auth").partition(f"\n## {kind.__name__}\n")[2].partition("\n## ")[0]

    arguments = {field.name for field in dataclasses.fields(kind)} - COMMON
    assert {name for name in arguments if not re.search(rf"\b{name}\b", section)} == set()


#: What the code of Activepieces' guide to authentication calls the parts of a connection.
WORDS_OF_THE_GUIDE = {
    *("displayName", "description", "required", "validate", "props", "createAction", "context.auth.access_token"),
    *(
        "authUrl",
        "tokenUrl",
        "scope",
        "pkce",
        "authorizationMethod",
        "grantType",
        "defaultValue",
        "context.auth.data",
    ),
}
#: Its sentences, and the comments and texts of its code, in its words. Not its headings.
SENTENCES_OF_THE_GUIDE = [
    "Authentication in Activepieces pieces is handled by the PieceAuth module from @activepieces/pieces-framework",
    "It provides type-safe authentication methods that integrate seamlessly with the platform",
    "Activepieces supports four authentication methods",
    "Industry-standard OAuth 2.0 protocol",
    "API keys and tokens",
    "Multiple custom fields",
    "Username and password",
    "OAuth2 is the most common authentication method for modern APIs",
    "It allows users to grant access without sharing credentials",
    "The OAuth provider’s authorization URL where users grant permissions",
    "The endpoint to exchange authorization code for access token",
    "Array of permission scopes to request from the OAuth provider",
    "Whether authentication is required for all actions/triggers",
    "Enable PKCE (Proof Key for Code Exchange) for enhanced security",
    "How to send the access token",
    "HEADER (default): In Authorization header",
    "BODY: In request body",
    "OAuth2 grant type",
    "AUTHORIZATION_CODE (default)",
    "CLIENT_CREDENTIALS",
    "Some OAuth providers require additional parameters during authentication",
    "Additional properties shown to users",
    "GitHub instance URL (for Enterprise)",
    "Access token is available in context.auth",
    "Additional OAuth data",
    "Make API calls with the token",
    "The simplest authentication method for APIs that use API keys or tokens",
    "Test the API key",
    "Invalid API key",
    "Failed to validate API key",
    "Access API key directly from context.auth",
    "Custom auth allows you to define multiple fields for complex authentication requirements",
    "API Secret",
    "Environment",
    "AWS Region",
    "Access all auth fields",
    "Upload file",
    "Traditional username and password authentication",
    "Access username and password",
    "Create Basic Auth header",
    "Modern cloud services",
    "Services with user-level permissions",
    "When you need refresh tokens",
    "Token refresh support",
    "Most secure",
    "No credential sharing",
    "Granular permissions",
    "More complex setup",
    "Requires OAuth app registration",
    "Users must authorize",
    "Simple API key authentication",
    "Service-to-service communication",
    "Quick integrations",
    "Simplest to implement",
    "Easy for users to set up",
    "No OAuth flow needed",
    "Less secure if key is compromised",
    "No automatic refresh",
    "One key for all actions",
    "Multiple credential fields",
    "Flexible field definition",
    "Environment-specific configs",
    "Complex auth requirements",
    "Custom validation",
    "Support multiple values",
    "More user input required",
    "More complex to implement",
    "Legacy systems",
    "Internal services",
    "Simple HTTP authentication",
    "Widely supported",
    "Standard HTTP auth",
    "Simple implementation",
    "Less secure than OAuth2",
    "Credentials in every request",
    "No token refresh",
    "Always Validate Credentials",
    "Implement validation logic to test credentials during setup",
    "Test the credentials",
    "Invalid credentials",
    "For OAuth2, request only the permissions you need",
    "Good: Minimal scopes",
    "Bad: Too broad",
    "Implement proper error handling for expired tokens",
    "Token expired, show helpful error",
    "Provide Clear Descriptions",
    "Help users understand what credentials they need",
    "Use authentication in your actions",
    "Learn about property types for auth fields",
]
GUIDE = [
    cells(row)
    for row in re.findall(r"^\| .*$", page("piece-auth").partition("guide to authentication\n")[2], re.MULTILINE)
    if not row.startswith("| Activepieces |")
]
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


def test_every_sentence_of_the_guide_has_tests_that_exist() -> None:
    assert [sentence for sentence, here, _ in GUIDE if not here] == []
    assert [row for row in GUIDE if not re.fullmatch(r"`test_\w+`(, `test_\w+`)*", row[2])] == []
    assert {name for *_, tests in GUIDE for name in re.findall(r"test_\w+", tests)} - TESTS == set()


def test_every_sentence_of_the_guide_is_quoted_once() -> None:
    quoted = [sentence for row in GUIDE for sentence in re.findall('"([^"]+)"', row[0])]

    assert quoted == SENTENCES_OF_THE_GUIDE


def test_every_word_of_the_guide_is_in_its_table() -> None:
    table = " ".join(f"{sentence} {here}" for sentence, here, _ in GUIDE)

    assert {word for word in WORDS_OF_THE_GUIDE if f"`{word}`" not in table} == set()
