"""Revocation (RFC 7009) and introspection (RFC 7662)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import rfc7009, rfc7662
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError

from ...errors import SignatureError
from ...storage.audit import Event
from ...storage.database import Transaction
from .. import revocations
from ..clients.authentication import CLIENT_METHODS, SECRET_METHODS
from ..clients.client import OAuthClient
from . import access_tokens, refresh_tokens
from .access_tokens import AccessToken
from .base_server import BaseServer
from .client_request import ClientRequest
from .families import Family
from .refresh_tokens import RefreshToken, Step


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """A genuine token of ours, of either kind."""

    token: AccessToken | Family
    issuer: str
    is_active: bool

    def belongs_to(self, client: OAuthClient) -> bool:
        """Whether the token was issued to this client."""
        return self.token.client_id == client.client_id

    def revocation(self, now: int) -> Event:
        """The event that it was revoked by its client."""
        token = self.token
        return Event(
            name="token.revoked",
            at=now,
            tenant_id=token.tenant_id,
            user_id=token.user_id,
            client_id=token.client_id,
            grant_id=token.grant_id,
            family_id=token.id if isinstance(token, Family) else token.family_id,
        )


class _TokenEndpoint:
    server: BaseServer

    def find_token(self, request: ClientRequest) -> FoundToken | None:
        """The token in the request if it is genuine. Its format shows which kind it is (RFC 7009 §2.1)."""
        value = request.form.get("token")
        if value is None:
            raise InvalidRequestError("The parameter token is missing.")
        token = refresh_tokens.parse(value)
        if token is not None:
            return self._find_refresh_token(request, value, token)
        return self._find_access_token(request, value)

    def _find_access_token(self, request: ClientRequest, value: str) -> FoundToken | None:
        keys = self.server.token_issuer.jwt_keys
        try:
            access = access_tokens.verify(keys, value, issuer=request.issuer, now=request.now)
        except SignatureError:
            return None
        is_revoked = self.server.database.read(lambda conn: revocations.is_revoked(conn, access))
        return FoundToken(token=access, issuer=request.issuer, is_active=not is_revoked)

    def _find_refresh_token(self, request: ClientRequest, value: str, token: RefreshToken) -> FoundToken | None:
        family = self.server.families.find(token.family_id)
        keys = self.server.token_issuer.keys
        if family is None or not refresh_tokens.has_valid_mac(keys, value, secret=family.secret):
            return None
        # A rotated token is genuine, which is enough to revoke its family, but it can no longer be used.
        step = refresh_tokens.next_step(token, family.rotation, now=request.now)
        is_active = family.is_active(request.now) and step is not Step.REVOKE
        return FoundToken(token=family, issuer=request.issuer, is_active=is_active)


class RevocationEndpoint(_TokenEndpoint, rfc7009.RevocationEndpoint):
    """A client revokes one of its access tokens or, with any of its refresh tokens, the whole family."""

    CLIENT_AUTH_METHODS = CLIENT_METHODS

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> FoundToken | None:
        """The token if it was issued to this client; None if it is not genuine (RFC 7009 §2.2: no error)."""
        found = self.find_token(request)
        if found is not None and not found.belongs_to(client):
            raise InvalidGrantError("The token was issued to another client.")
        return found

    def revoke_token(self, found: FoundToken, request: ClientRequest) -> None:
        """Revoke an access token, or the family of a refresh token, which may have been rotated."""
        token, event = found.token, found.revocation(request.now)
        if isinstance(token, Family):
            self.server.families.revoke(token.id, event, client_id=token.client_id)
            return
        subject, expires_at = revocations.token(token.jti), token.expires_at

        def revoke(transaction: Transaction) -> None:
            revocations.add(transaction, subject, now=event.at, expires_at=expires_at)
            self.server.audit.record(transaction, event)

        self.server.database.run_in_transaction(revoke)


class IntrospectionEndpoint(_TokenEndpoint, rfc7662.IntrospectionEndpoint):
    """Describes a client's own tokens to it, and to a resource server those of its tenant, or of all tenants."""

    CLIENT_AUTH_METHODS = SECRET_METHODS

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> FoundToken | None:
        """The token if this client may see it (RFC 7662 §4: no token scanning)."""
        found = self.find_token(request)
        if found is None or found.belongs_to(client):
            return found
        allowed = client.can_introspect and client.tenant_id in (None, found.token.tenant_id)
        return found if allowed else None

    def create_introspection_payload(self, found: FoundToken | None) -> dict[str, Any]:
        """RFC 7662 §2.2. Whether it is active is always read from the database, never from a cache."""
        if found is None or not found.is_active:
            return {"active": False}
        token = found.token
        payload: dict[str, Any] = {
            "active": True,
            "client_id": token.client_id,
            "scope": token.scope,
            "sub": token.user_id or token.client_id,
            "exp": token.expires_at,
            "iss": found.issuer,
            "aud": found.issuer,
            "tenant_id": token.tenant_id,
            "organization_id": token.organization_id,
            "grant_id": token.grant_id,
        }
        if isinstance(token, AccessToken):
            payload |= {"token_type": "Bearer", "iat": token.issued_at, "jti": token.jti}
        return {name: value for name, value in payload.items() if value is not None}
