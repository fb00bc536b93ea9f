"""How users authenticate in the app's piece: the four kinds of authentication of Activepieces.

    Piece("@acme/piece-acme", title="Acme", auth=[auth.OAuth2(), auth.SecretText()])

The extension has a consent page for OAuth2, and personal access tokens for SecretText. For BasicAuth and CustomAuth,
the `Host` checks what the user entered.
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

    #: The name of the kind, for users who can choose one.
    title: str = "Connection"
    #: A text above the fields of the form, in Markdown.
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class OAuth2(_Kind):
    """Users sign in and approve on the consent page. With CLIENT_CREDENTIALS, a program uses its own secret."""

    kind: ClassVar[str] = "OAUTH2"

    #: Whether actions and triggers need a connection.
    required: bool = True
    #: The scopes that the piece requests; None: those of all its actions, triggers and options.
    scopes: Sequence[str] | None = None
    grant_type: GrantType = "AUTHORIZATION_CODE"
    #: How Activepieces sends the client's id and secret to the token endpoint.
    authorization_method: AuthorizationMethod = "HEADER"
    #: PKCE with S256 (RFC 7636).
    pkce: bool = True
    #: The ``prompt`` of the authorization URL; Activepieces sends ``consent`` by default, ``omit`` sends none.
    prompt: Prompt | None = None
    #: More parameters of the authorization URL.
    extra: Mapping[str, str] = field(default_factory=dict)
    #: More fields of the form: String, Secret, or String with OneOf.
    form: Schema | type[Schema] | None = None
    #: Whether users enter the address of the app, for apps that customers run themselves.
    asks_for_address: bool = False


@dataclass(frozen=True, kw_only=True)
class SecretText(_Kind):
    """Users paste a personal access token, which they create on the page of connected apps."""

    kind: ClassVar[str] = "SECRET_TEXT"

    title: str = "Access token"
    #: Whether actions and triggers need a connection.
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class BasicAuth(_Kind):
    """Users enter a user name and a password, which `Host.check_password` checks. Always required."""

    kind: ClassVar[str] = "BASIC_AUTH"

    title: str = "User name and password"
    username_title: str = "User name"
    username_description: str = ""
    password_title: str = "Password"  # noqa: S105  # a label
    password_description: str = ""


@dataclass(frozen=True, kw_only=True)
class CustomAuth(_Kind):
    """Users fill in the fields of a schema, which `Host.check_credentials` checks.

    A field named ``base_url`` is the address of the app, for apps that customers run themselves.
    """

    kind: ClassVar[str] = "CUSTOM_AUTH"

    form: Schema | type[Schema]
    #: Whether actions and triggers need a connection.
    required: bool = True
    #: If set, Activepieces 0.86 and newer stores and renews the token that the app returns for these fields. The
    #: number is the lifetime of the token in seconds, if the response contains none.
    refresh: int | None = None


Auth = OAuth2 | SecretText | BasicAuth | CustomAuth
