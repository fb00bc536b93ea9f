"""Revocation (RFC 7009) and introspection (RFC 7662), on Authlib's endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import rfc7009, rfc7662
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError

from ...errors import SignatureError
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .. import revocations
from ..clients.authentication import CLIENT_METHODS, SECRET_METHODS
from ..clients.client import OAuthClient
from . import access_tokens, refresh_tokens
from .access_tokens import AccessToken
from .client_request import ClientRequest
from .families import Family, TokenFamilies
from .issuer import TokenIssuer
from .refresh_tokens import Step


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
    server: Any

    def find_token(self, request: ClientRequest) -> FoundToken | None:
        """The token in the request if it is genuine. Its format says of which kind (RFC 7009 §2.1)."""
        text = request.form.get("token")
        if text is None:
            raise InvalidRequestError("The parameter token is missing.")
        if refresh_tokens.parse(text) is not None:
            return self._find_refresh_token(request, text)
        return self._find_access_token(request, text)

    def _find_access_token(self, request: ClientRequest, text: str) -> FoundToken | None:
        issuer: TokenIssuer = self.server.token_issuer
        try:
            access = access_tokens.verify(
                issuer.jwt_keys, text, issuer=request.issuer, now=request.now
            )
        except SignatureError:
            return None
        database: Database = self.server.database
        is_revoked = database.read(lambda conn: revocations.is_revoked(conn, access))
        return FoundToken(token=access, issuer=request.issuer, is_active=not is_revoked)

    def _find_refresh_token(self, request: ClientRequest, text: str) -> FoundToken | None:
        issuer: TokenIssuer = self.server.token_issuer
        families: TokenFamilies = self.server.families
        token = refresh_tokens.parse(text)
        family = families.find(token.family_id) if token else None
        if token is None or family is None:
            return None
        if not refresh_tokens.has_valid_mac(issuer.keys, text, secret=family.secret):
            return None
        # A rotated token is genuine, which is enough to revoke its family, but it cannot be used any more.
        step = refresh_tokens.next_step(token, family.rotation, now=request.now)
        is_active = family.is_active(request.now) and step is not Step.REVOKE
        return FoundToken(token=family, issuer=request.issuer, is_active=is_active)


class RevocationEndpoint(_TokenEndpoint, rfc7009.RevocationEndpoint):
    """A client revokes what it has: one access token, or with any of its refresh tokens the whole family."""

    CLIENT_AUTH_METHODS = CLIENT_METHODS

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> FoundToken | None:
        """The token, if it is the client's own; None for what is not a token of ours (RFC 7009 §2.2: no error)."""
        found = self.find_token(request)
        if found is not None and not found.belongs_to(client):
            raise InvalidGrantError("The token was issued to another client.")
        return found

    def revoke_token(self, found: FoundToken, request: ClientRequest) -> None:
        """Revoke the token; any genuine refresh token of a family, a rotated one too, revokes the family."""
        token, event = found.token, found.revocation(request.now)
        if isinstance(token, Family):
            self.server.families.revoke(token.id, event, client_id=token.client_id)
        else:
            self._revoke_access_token(token, event)

    def _revoke_access_token(self, token: AccessToken, event: Event) -> None:
        audit: Audit = self.server.audit

        def run(transaction: Transaction) -> None:
            subject = revocations.token(token.jti)
            revocations.add(transaction, subject, now=event.at, until=token.expires_at)
            audit.record(transaction, event)

        self.server.database.run_in_transaction(run)


class IntrospectionEndpoint(_TokenEndpoint, rfc7662.IntrospectionEndpoint):
    """Describes a client's own tokens to it, and to a resource server those of its tenant, or of all tenants."""

    CLIENT_AUTH_METHODS = SECRET_METHODS

    def authenticate_token(self, request: ClientRequest, client: OAuthClient) -> FoundToken | None:
        """The token if this client may know of it (RFC 7662 §4: prevents token scanning)."""
        found = self.find_token(request)
        if found is None or found.belongs_to(client):
            return found
        allowed = client.introspects and client.tenant_id in (None, found.token.tenant_id)
        return found if allowed else None

    def create_introspection_payload(self, found: FoundToken | None) -> dict[str, Any]:
        """RFC 7662 §2.2. Whether it is active is read from the database, whatever staleness is allowed elsewhere."""
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
