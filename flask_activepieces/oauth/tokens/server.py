"""The token endpoint (RFC 6749 §3.2), revocation (RFC 7009) and introspection (RFC 7662)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError

from ...errors import SignatureError
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .. import personal_tokens, revocations
from ..clients.authentication import CLIENT_METHODS, CONFIDENTIAL_METHODS
from ..clients.client import OAuthClient, find_by_id
from ..documents.client_urls import is_stored_id
from ..documents.service import DocumentClients
from ..resources import API
from . import access_tokens, refresh_tokens
from .access_tokens import AccessToken
from .base_server import BaseServer, ClientRequest
from .families import Family
from .grant_types import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant, TokenGrant
from .issuer import TokenIssuer, TokenResponse
from .refresh_tokens import RefreshToken, Step


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """An access token or refresh token that this server issued."""

    token: AccessToken | Family
    is_active: bool

    def belongs_to(self, client: OAuthClient) -> bool:
        """Whether the token was issued to this client."""
        return self.token.client_id == client.client_id


class OAuthServer(BaseServer):
    """Three endpoints and three grant types. All others are rejected, because Authlib does not know them.

    Each endpoint raises an `OAuth2Error` for an invalid request.
    """

    def __init__(
        self, database: Database, token_issuer: TokenIssuer, *, audit: Audit, document_clients: DocumentClients
    ) -> None:
        super().__init__(database, token_issuer, audit=audit, document_clients=document_clients)
        self.register_grant(AuthorizationCodeGrant)
        self.register_grant(RefreshTokenGrant)
        self.register_grant(ClientCredentialsGrant)

    def token(self, request: ClientRequest) -> TokenResponse:
        """The tokens for a grant."""
        if "grant_type" not in request.form:
            raise InvalidRequestError("The parameter grant_type is missing.")
        try:
            grant = cast(TokenGrant, self.get_token_grant(request))
        except UnsupportedGrantTypeError:
            # Authlib would repeat the client's value, which may contain characters that are not allowed in a
            # description.
            raise OAuth2Error(
                error="unsupported_grant_type",
                description="Use authorization_code, refresh_token or client_credentials.",
            ) from None
        return grant.issue_tokens()

    def revoke(self, request: ClientRequest) -> dict[str, Any]:
        """Revoke an access token of the client or, for a refresh token, its token family."""
        client, _ = self.authenticate(request, CLIENT_METHODS)
        found = self._find_token(request)
        if found is None:
            return {}  # RFC 7009 §2.2: no error
        if not found.belongs_to(client):
            raise InvalidGrantError("The token was issued to another client.")
        if isinstance(found.token, Family):
            event = found.token.event("token.revoked", request.now, client.name)
            self.families.revoke(found.token.id, event, client_id=client.client_id)
        else:
            self._revoke_access_token(found.token, client, request.now)
        return {}

    def introspect(self, request: ClientRequest) -> dict[str, Any]:
        """Describe a token of the client; for a resource server, any token of its tenant, or of all tenants.

        Whether a token is active is always read from the database, never from a cache.
        """
        client, _ = self.authenticate(request, CONFIDENTIAL_METHODS)
        found = self._find_token(request)
        if found is None or not found.is_active:
            return {"active": False}
        token = found.token
        # RFC 7662 §4: no token scanning.
        is_resource_server = client.can_introspect and client.tenant_id in (None, token.tenant_id)
        if not found.belongs_to(client) and not is_resource_server:
            return {"active": False}
        payload: dict[str, Any] = {  # RFC 7662 §2.2
            "active": True,
            "client_id": self._identifier(token, client),
            "scope": token.scope,
            "sub": token.user_id or token.client_id,
            "exp": token.expires_at,
            "iss": request.issuer,
            "aud": _audience(token, request),
            "tenant_id": token.tenant_id,
            "organization_id": token.organization_id,
            "grant_id": token.grant_id,
        }
        if isinstance(token, AccessToken):
            payload |= {"token_type": "Bearer", "iat": token.issued_at, "jti": token.jti}
        return {name: value for name, value in payload.items() if value is not None}

    def _identifier(self, token: AccessToken | Family, caller: OAuthClient) -> str | None:
        """The ``client_id`` that the client of the token uses."""
        if isinstance(token, AccessToken):
            return token.client_url or token.client_id or None
        if token.client_id == caller.client_id:
            return caller.identifier
        if not is_stored_id(token.client_id):
            return token.client_id
        client = self.database.read(lambda conn: find_by_id(conn, token.client_id))
        return None if client is None else client.identifier

    def _find_token(self, request: ClientRequest) -> FoundToken | None:
        """The token in the request, if this server issued it. Its format shows its kind (RFC 7009 §2.1)."""
        value = request.form.get("token")
        if value is None:
            raise InvalidRequestError("The parameter token is missing.")
        if personal_tokens.looks_like_personal_token(value):
            return self._find_personal_token(request, value)
        token = refresh_tokens.parse(value)
        if token is not None:
            return self._find_refresh_token(request, value, token)
        return self._find_access_token(request, value)

    def _find_personal_token(self, request: ClientRequest, value: str) -> FoundToken | None:
        # It does not belong to a client. So a resource server may introspect it, and only its user may revoke it.
        found = self.database.read(lambda conn: personal_tokens.find(conn, value, now=request.now))
        return None if found is None else FoundToken(token=found.as_access_token(request.issuer), is_active=True)

    def _find_access_token(self, request: ClientRequest, value: str) -> FoundToken | None:
        keys = self.token_issuer.jwt_keys
        try:
            resources = (API, request.resources.mcp)
            access = access_tokens.verify(keys, value, issuer=request.issuer, now=request.now, resources=resources)
        except SignatureError:
            return None
        is_revoked = self.database.read(lambda conn: revocations.is_revoked(conn, access))
        return FoundToken(token=access, is_active=not is_revoked)

    def _find_refresh_token(self, request: ClientRequest, value: str, token: RefreshToken) -> FoundToken | None:
        family = self.families.find(token.family_id)
        if family is None or not refresh_tokens.has_valid_mac(self.token_issuer.keys, value, secret=family.secret):
            return None
        # A rotated token is genuine, which is enough to revoke its family, but it can no longer be used.
        step = refresh_tokens.next_step(token, family, now=request.now)
        return FoundToken(token=family, is_active=family.is_active(request.now) and step is not Step.REVOKE)

    def _revoke_access_token(self, access: AccessToken, client: OAuthClient, now: int) -> None:
        event = Event(
            name="token.revoked",
            at=now,
            tenant_id=access.tenant_id,
            user_id=access.user_id,
            client_id=access.client_id,
            grant_id=access.grant_id,
            family_id=access.family_id,
            detail={"client": client.name},
        )

        def revoke(transaction: Transaction) -> None:
            revocations.add(transaction, revocations.token(access.jti), now=now, expires_at=access.expires_at)
            self.audit.record(transaction, event)

        self.database.run_in_transaction(revoke)


def _audience(token: AccessToken | Family, request: ClientRequest) -> str:
    """The audience of an access token, or of those that a refresh token is exchanged for."""
    if isinstance(token, AccessToken):
        return token.audience
    return request.resources.confirmed(None, granted=token.resource).identifier(request.issuer)
