"""The OAuth server: which grants and endpoints exist."""

from __future__ import annotations

from typing import Any, cast

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError

from ...storage.audit import Audit
from ...storage.database import Database
from .base_server import BaseServer
from .client_request import ClientRequest
from .endpoints import IntrospectionEndpoint, RevocationEndpoint
from .grant_types import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant, TokenGrant
from .issuer import TokenIssuer, TokenResponse


class OAuthServer(BaseServer):
    """Three grants, revocation and introspection. Nothing else is registered, so nothing else exists."""

    def __init__(self, database: Database, token_issuer: TokenIssuer, *, audit: Audit) -> None:
        super().__init__(database, token_issuer, audit=audit)
        self.register_grant(AuthorizationCodeGrant)
        self.register_grant(RefreshTokenGrant)
        self.register_grant(ClientCredentialsGrant)
        self.revocation = RevocationEndpoint(self)
        self.introspection = IntrospectionEndpoint(self)

    def token(self, request: ClientRequest) -> TokenResponse:
        """The token endpoint (RFC 6749 §3.2); an `OAuth2Error` for an invalid request, here and below."""
        if "grant_type" not in request.form:
            raise InvalidRequestError("The parameter grant_type is missing.")
        try:
            grant = cast(TokenGrant, self.get_token_grant(request))
        except UnsupportedGrantTypeError:
            # Authlib would repeat the client's value, which may hold characters that a description must not.
            raise OAuth2Error(
                error="unsupported_grant_type",
                description="Use authorization_code, refresh_token or client_credentials.",
            ) from None
        return grant.issue_tokens()

    def revoke(self, request: ClientRequest) -> dict[str, Any]:
        """The revocation endpoint (RFC 7009 §2)."""
        return _payload(self.revocation, request)

    def introspect(self, request: ClientRequest) -> dict[str, Any]:
        """The introspection endpoint (RFC 7662 §2)."""
        return _payload(self.introspection, request)


def _payload(endpoint: Any, request: ClientRequest) -> dict[str, Any]:
    _, payload, _ = endpoint.create_endpoint_response(request)
    return dict(payload)
