"""Revocation (RFC 7009) and introspection (RFC 7662), on Authlib's endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import rfc7009, rfc7662
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError

from ..audit import Event
from ..errors import SignatureError
from . import access_tokens, families, refresh_tokens, revocations
from .access_tokens import AccessToken
from .clients import OAuthClient
from .desk import TokenDesk
from .families import Family
from .grant_types import CLIENT_METHODS
from .refresh_tokens import RefreshToken, Verdict
from .requests import MachineRequest


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """A genuine token of ours, of one kind or the other."""

    held: AccessToken | Family
    issuer: str
    active: bool

    def is_of(self, client: OAuthClient) -> bool:
        """Whether the token was issued to this client."""
        return self.held.client_id == client.client_id


def find_token(desk: TokenDesk, request: MachineRequest) -> FoundToken | None:
    """The token in the request if it is genuine. Its form tells its kind, so no hint is needed (RFC 7009 §2.1)."""
    text = request.form.get("token")
    if text is None:
        raise InvalidRequestError("The parameter token is missing.")
    presented = refresh_tokens.parse(text)
    if presented is not None:
        return _find_refresh_token(desk, request, text, presented)
    try:
        access = access_tokens.verify(desk.jwt_keys, text, issuer=request.issuer, now=request.now)
    except SignatureError:
        return None
    active = not revocations.is_revoked(request.transaction.connection, access)
    return FoundToken(held=access, issuer=request.issuer, active=active)


def _find_refresh_token(
    desk: TokenDesk, request: MachineRequest, text: str, presented: RefreshToken
) -> FoundToken | None:
    family = families.find(request.transaction.connection, presented.family_id)
    if family is None or not refresh_tokens.is_genuine(desk.keys, text, secret=family.secret):
        return None
    # A rotated token is genuine, which is enough to give up its family, but nobody can use it any more.
    verdict = refresh_tokens.judge(presented, family.rotation, now=request.now)
    active = family.is_live(request.now) and verdict is not Verdict.THEFT
    return FoundToken(held=family, issuer=request.issuer, active=active)


class RevocationEndpoint(rfc7009.RevocationEndpoint):
    """A client gives up what it has: an access token alone, or with a refresh token the whole family."""

    CLIENT_AUTH_METHODS = CLIENT_METHODS

    def authenticate_token(self, request: MachineRequest, client: OAuthClient) -> FoundToken | None:
        """The token, if it is the client's own; None for what is no token of ours (RFC 7009 §2.2: no error)."""
        token = find_token(self.server.desk, request)
        if token is not None and not token.is_of(client):
            raise InvalidGrantError("The token was issued to another client.")
        return token

    def revoke_token(self, token: FoundToken, request: MachineRequest) -> None:
        """End the token; any genuine refresh token of a family, a rotated one too, ends the family."""
        desk, transaction, held = self.server.desk, request.transaction, token.held
        if isinstance(held, Family):
            families.end(transaction, held.id, client_id=held.client_id, now=request.now)
            revocations.add(transaction, revocations.family(held.id), now=request.now)
        else:
            itself = revocations.token(held.jti)
            revocations.add(transaction, itself, now=request.now, until=held.expires_at)
        event = Event(
            name="token.revoked",
            at=request.now,
            tenant_id=held.tenant_id,
            user_id=held.user_id,
            client_id=held.client_id,
            grant_id=held.grant_id,
            family_id=held.id if isinstance(held, Family) else held.family_id,
        )
        desk.audit.record(transaction, event)


class IntrospectionEndpoint(rfc7662.IntrospectionEndpoint):
    """Tells a client about its own tokens, and a resource server about those of its tenant, or of all."""

    CLIENT_AUTH_METHODS = CLIENT_METHODS[:2]

    def authenticate_token(self, request: MachineRequest, client: OAuthClient) -> FoundToken | None:
        """The token if this client may know of it (RFC 7662 §4: nobody may fish for tokens)."""
        token = find_token(self.server.desk, request)
        if token is None or token.is_of(client):
            return token
        may = client.introspects and client.tenant_id in (None, token.held.tenant_id)
        return token if may else None

    def create_introspection_payload(self, token: FoundToken | None) -> dict[str, Any]:
        """RFC 7662 §2.2. "Active" was asked of the database, whatever staleness is allowed elsewhere."""
        if token is None or not token.active:
            return {"active": False}
        held = token.held
        told: dict[str, Any] = {
            "active": True,
            "client_id": held.client_id,
            "scope": held.scope,
            "sub": held.user_id or held.client_id,
            "exp": held.expires_at,
            "iss": token.issuer,
            "aud": token.issuer,
            "tenant_id": held.tenant_id,
            "organization_id": held.organization_id,
            "grant_id": held.grant_id,
        }
        if isinstance(held, AccessToken):
            told |= {"token_type": "Bearer", "iat": held.issued_at, "jti": held.jti}
        return {name: value for name, value in told.items() if value is not None}
