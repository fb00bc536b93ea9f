"""How people authenticate in the app's piece: the four kinds of Activepieces, as an app declares them.

    Piece("@acme/piece-acme", title="Acme", auth=[auth.OAuth2(), auth.SecretText()])

The app's own side of each kind is in the package already: the consent page for OAuth2, personal access tokens for
SecretText. For BasicAuth and CustomAuth the `Host` checks what the user entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from marshmallow import Schema

AuthorizationMethod = Literal["HEADER", "BODY"]
GrantType = Literal["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS", "BOTH"]
Prompt = Literal["none", "consent", "login", "omit"]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    kind: ClassVar[str]

    #: The name of the kind, where the form offers several.
    title: str = "Connection"
    #: What the form says above its fields, in Markdown.
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class OAuth2(_Kind):
    """People sign in on the app's consent page; with CLIENT_CREDENTIALS a program signs in with its own secret."""

    kind: ClassVar[str] = "OAUTH2"

    #: Whether actions and triggers need a connection.
    required: bool = True
    #: What the piece asks for; None: the scopes of all its actions and triggers.
    scopes: Sequence[str] | None = None
    grant_type: GrantType = "AUTHORIZATION_CODE"
    #: How Activepieces sends the client's id and secret to the token endpoint.
    authorization_method: AuthorizationMethod = "HEADER"
    #: PKCE with S256 (RFC 7636).
    pkce: bool = True
    #: The ``prompt`` of the authorization URL; Activepieces sends ``consent`` by default, ``omit`` sends none.
    prompt: Prompt | None = None
    #: Further parameters of the authorization URL.
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Further fields of the form: String, Secret, or String with OneOf.
    form: Schema | type[Schema] | None = None
    #: Whether people enter the address of the app: for apps that customers run themselves.
    asks_for_address: bool = False


@dataclass(frozen=True, kw_only=True)
class SecretText(_Kind):
    """People paste a personal access token, which they create on the connected-apps page."""

    kind: ClassVar[str] = "SECRET_TEXT"

    title: str = "Access token"
    #: Whether actions and triggers need a connection.
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class BasicAuth(_Kind):
    """People enter a user name and a password, which `Host.check_password` checks. It is always required."""

    kind: ClassVar[str] = "BASIC_AUTH"

    title: str = "User name and password"
    username_title: str = "User name"
    username_description: str = ""
    password_title: str = "Password"  # noqa: S105  # a label
    password_description: str = ""


@dataclass(frozen=True, kw_only=True)
class CustomAuth(_Kind):
    """People fill in the fields of a schema, which `Host.check_credentials` checks.

    A field with the name ``base_url`` is the address of the app: for apps that customers run themselves.
    """

    kind: ClassVar[str] = "CUSTOM_AUTH"

    form: Schema | type[Schema]
    #: Whether actions and triggers need a connection.
    required: bool = True
    #: Lets Activepieces, from 0.86 on, keep and renew the token that the app gives for these fields. The number is
    #: its lifetime in seconds if the app names none.
    refresh: int | None = None


Auth = OAuth2 | SecretText | BasicAuth | CustomAuth
