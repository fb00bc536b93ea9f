"""The token desk: makes the answers of the token endpoint, and says when they stop being good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..audit import Audit
from ..config import Scope, Settings
from ..jwt_keys import JwtKeys
from ..signing import KeyRing
from . import access_tokens, refresh_tokens
from .access_tokens import AccessToken
from .families import Family


class TokenAnswer(dict[str, Any]):
    """The JSON of RFC 6749 §5.1, which no log can print: Authlib logs what it issues, at level DEBUG."""

    def __repr__(self) -> str:
        return "<tokens>"


@dataclass(frozen=True, kw_only=True)
class TokenDesk:
    """What the grants need besides the request: keys, lifetimes, the audit."""

    keys: KeyRing
    jwt_keys: JwtKeys = field(repr=False)
    known_scopes: Mapping[str, Scope]
    access_token_ttl: int
    refresh_token_ttl: int
    audit: Audit

    @classmethod
    def of(cls, settings: Settings, *, audit: Audit) -> TokenDesk:
        """The desk of an app with these settings."""
        return cls(
            keys=settings.secret_keys,
            jwt_keys=settings.jwt_keys,
            known_scopes=settings.scopes,
            access_token_ttl=settings.access_token_ttl,
            refresh_token_ttl=settings.refresh_token_ttl,
            audit=audit,
        )

    def pair(self, family: Family, *, scope: str, issuer: str, now: int) -> TokenAnswer:
        """The access and refresh token of a family as it stands: the same standing gives the same pair.

        So a lost answer can be repeated word for word, and fifty parallel refreshes leave one live pair.
        """
        access = AccessToken(
            jti=access_tokens.token_id(family.id, family.generation, family.nonce, scope),
            issuer=issuer,
            user_id=family.user_id,
            tenant_id=family.tenant_id,
            organization_id=family.organization_id,
            client_id=family.client_id,
            grant_id=family.grant_id,
            family_id=family.id,
            scope=scope,
            issued_at=family.rotated_at,
            expires_at=family.rotated_at + self.access_token_ttl,
        )
        current = refresh_tokens.write(self.keys, family.current_token, secret=family.secret)
        return TokenAnswer(self.answer(access, now=now), refresh_token=current)

    def answer(self, access: AccessToken, *, now: int) -> TokenAnswer:
        """The answer with an access token alone."""
        return TokenAnswer(
            access_token=access_tokens.sign(self.jwt_keys, access),
            token_type="Bearer",  # noqa: S106  # the name of a kind, not a secret
            # A number: when it is text, Activepieces never refreshes.
            expires_in=access.expires_at - now,
            scope=access.scope,
        )
