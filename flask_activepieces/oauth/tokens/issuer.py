"""Makes the response of the token endpoint, with its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...config.scopes import Scope
from ...config.settings import Settings
from ...crypto.jwt_keys import JwtKeys
from ...crypto.keyring import KeyRing
from ..clients.client import OAuthClient
from ..resources import Resource
from . import access_tokens, refresh_tokens
from .access_tokens import AccessToken
from .families import Family


class TokenResponse(dict[str, Any]):
    """The JSON of RFC 6749 §5.1. Its ``repr`` shows no token, for logs and tracebacks."""

    def __repr__(self) -> str:
        return "<tokens>"


@dataclass(frozen=True, kw_only=True)
class TokenIssuer:
    """The keys and lifetimes of one app's tokens."""

    keys: KeyRing
    jwt_keys: JwtKeys = field(repr=False)
    known_scopes: Mapping[str, Scope]
    access_token_ttl: int
    refresh_token_ttl: int

    @classmethod
    def from_settings(cls, settings: Settings) -> TokenIssuer:
        """The issuer of an app with these settings."""
        return cls(
            keys=settings.secret_keys,
            jwt_keys=settings.jwt_keys,
            known_scopes=settings.scopes,
            access_token_ttl=settings.access_token_ttl,
            refresh_token_ttl=settings.refresh_token_ttl,
        )

    def issue_pair(
        self, family: Family, client: OAuthClient, *, scope: str, resource: Resource, issuer: str, now: int
    ) -> TokenResponse:
        """The current access and refresh token of a family; the same row always gives the same pair.

        So a lost response can be repeated, and parallel refreshes all get one pair.
        """
        access = AccessToken(
            jti=access_tokens.deterministic_id(family.id, family.generation, family.nonce, scope),
            issuer=issuer,
            audience=resource.identifier(issuer),
            user_id=family.user_id,
            tenant_id=family.tenant_id,
            organization_id=family.organization_id,
            client_id=family.client_id,
            client_url=client.document_url,
            grant_id=family.grant_id,
            family_id=family.id,
            scope=scope,
            issued_at=family.rotated_at,
            expires_at=family.rotated_at + self.access_token_ttl,
        )
        refresh_token = refresh_tokens.serialize(self.keys, family.current_token, secret=family.secret)
        return TokenResponse(self.access_token_response(access, now=now), refresh_token=refresh_token)

    def access_token_response(self, access: AccessToken, *, now: int) -> TokenResponse:
        """The response with an access token only."""
        return TokenResponse(
            access_token=access_tokens.sign(self.jwt_keys, access),
            token_type="Bearer",  # noqa: S106  # the name of a type, not a secret
            # A JSON number: Activepieces never refreshes if it is a string.
            expires_in=access.issued_at + self.access_token_ttl - now,
            scope=access.scope,
        )
