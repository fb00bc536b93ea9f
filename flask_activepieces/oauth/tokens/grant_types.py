"""The three grants of the token endpoint, on Authlib's classes.

Each has two steps, which Authlib calls in this order: ``validate_token_request`` reads, ``create_token_response``
writes. What an error reports has been committed before it is raised: a reused token stays revoked.
"""

from __future__ import annotations

from typing import Any, cast

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    UnauthorizedClientError,
    grants,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from ...crypto.keyring import random_id
from ...errors import SignatureError, SignatureExpired, Unavailable
from ...storage.audit import Event
from .. import scopes
from ..authorization import codes
from ..clients import service as clients
from ..clients.authentication import CLIENT_METHODS, SECRET_METHODS, invalid_client
from ..clients.client import OAuthClient
from . import families, refresh_tokens
from .access_tokens import AccessToken
from .client_request import ClientRequest
from .families import Family, TokenFamilies
from .issuer import TokenIssuer
from .refresh_tokens import RefreshToken, Step

#: Status, JSON and headers. (The types that Authlib ships say that the JSON is text.)
AuthlibResponse = tuple[int, Any, Any]

#: How often a refresh looks again after another worker rotated the token first.
MAX_ROTATIONS = 10


class GuessedToken(InvalidGrantError):
    """A code or refresh token that was never issued to this client: counted as a failed attempt.

    Only for a public client, which anyone can pose as. A client with a secret has authenticated itself: its failures
    are those of many users at one platform, and none of them may slow the others down.
    """


class S256Challenge(CodeChallenge):
    """PKCE by S256 only (RFC 9700 §2.1.1); the authorization request was checked for it already."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        """Never what a request says."""
        return "S256"


class _TokenGrant(grants.BaseGrant):
    request: ClientRequest

    @property
    def issuer(self) -> TokenIssuer:
        """Makes the tokens."""
        return cast(TokenIssuer, self.server.token_issuer)

    @property
    def families(self) -> TokenFamilies:
        """Stores what was issued."""
        return cast(TokenFamilies, self.server.families)

    def invalid_token(self, description: str) -> InvalidGrantError:
        """The error for a code or token that we did not issue to this client."""
        client = cast(OAuthClient, self.client)
        return (InvalidGrantError if client.is_confidential else GuessedToken)(description)


class AuthorizationCodeGrant(_TokenGrant, grants.AuthorizationCodeGrant):
    """A code is exchanged for one token family, once. Authlib's first step checks client, redirect URI and PKCE."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def query_authorization_code(self, code: str, client: Any) -> codes.AuthorizationCode | None:
        """The code, verified."""
        self.request.client = client
        try:
            return codes.read_code(
                self.issuer.keys,
                code,
                client_id=client.client_id,
                issuer=self.request.issuer,
                now=self.request.now,
            )
        except SignatureExpired:
            raise InvalidGrantError(
                "The code has expired: start again at the authorization page."
            ) from None
        except SignatureError:
            raise self.invalid_token("The code is not valid for this client.") from None

    def create_token_response(self) -> AuthlibResponse:
        """Redeem the code, and issue the first pair of its family."""
        issuer, now = self.issuer, self.request.now
        code = cast(codes.AuthorizationCode, self.request.authorization_code)
        family = families.new_family(code, now=now, lifetime=issuer.refresh_token_ttl)
        if not self.families.store_if_unredeemed(family):
            raise self._revoke_redeemed(family)
        pair = issuer.issue_pair(family, scope=family.scope, issuer=self.request.issuer, now=now)
        return 200, pair, self.TOKEN_RESPONSE_HEADER

    def _revoke_redeemed(self, family: Family) -> InvalidGrantError:
        # RFC 6749 §4.1.2: a code used twice revokes what was issued for it.
        replay = family.event("code.replayed", self.request.now)
        if self.families.revoke(family.id, replay, client_id=family.client_id):
            return InvalidGrantError(
                "The code was used before; everything it gave access to is revoked."
            )
        return InvalidGrantError("The user revoked this authorization; start a new one.")


class RefreshTokenGrant(_TokenGrant, grants.RefreshTokenGrant):
    """A refresh token is exchanged for its successor, by the rule in `refresh_tokens`."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def validate_token_request(self) -> None:
        """Authenticate the client, and verify the token with the family that it names: one query for both."""
        text = self.request.form.get("refresh_token", "")
        token = refresh_tokens.parse(text)
        client, family = self.server.authenticate_with_family(
            self.request, self.TOKEN_ENDPOINT_AUTH_METHODS, token.family_id if token else None
        )
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError(
                f"The client is not authorized to use 'grant_type={self.GRANT_TYPE}'"
            )
        if not text:
            raise InvalidRequestError("Missing 'refresh_token' in request.")
        if token is None or family is None or not self._has_valid_mac(text, family):
            raise self.invalid_token("The refresh token is not valid for this client.")
        self._step(token, family)  # reuse is found out whatever scope the request asks for
        scopes.narrowed(self.request.form.get("scope"), granted=family.scope)
        self.request.refresh_token = (token, family)

    def create_token_response(self) -> AuthlibResponse:
        """Rotate the family, and issue its current pair; narrower if the client asks for less (RFC 6749 §6)."""
        token, family = cast(tuple[RefreshToken, Family], self.request.refresh_token)
        family = self._rotate(token, family)
        scope = scopes.narrowed(self.request.form.get("scope"), granted=family.scope)
        pair = self.issuer.issue_pair(
            family, scope=scope, issuer=self.request.issuer, now=self.request.now
        )
        return 200, pair, self.TOKEN_RESPONSE_HEADER

    def _rotate(self, token: RefreshToken, family: Family) -> Family:
        """The family after this refresh; another worker that rotates it meanwhile makes us look again."""
        now, lifetime = self.request.now, self.issuer.refresh_token_ttl
        for _ in range(MAX_ROTATIONS):
            match self._step(token, family):
                case Step.REPEAT_RESPONSE:
                    return family
                case Step.ROTATE:
                    after = families.with_next_token(family, used=token, now=now, lifetime=lifetime)
                case Step.REPLACE:
                    after = families.with_replaced_token(family, now=now, lifetime=lifetime)
            if self.families.store_rotation(family, after):
                return after
            family = self.families.find(family.id) or family
        raise Unavailable("database", retry_after=1)

    def _step(self, token: RefreshToken, family: Family) -> Step:
        if not family.is_active(self.request.now):
            raise InvalidGrantError("The connection was revoked or has expired: connect again.")
        step = refresh_tokens.next_step(token, family.rotation, now=self.request.now)
        if step is Step.REVOKE:
            reuse = family.event("refresh.replayed", self.request.now)
            self.families.revoke(family.id, reuse, client_id=family.client_id)
            raise InvalidGrantError("The refresh token was used before; the connection is revoked.")
        return step

    def _has_valid_mac(self, text: str, family: Family) -> bool:
        return refresh_tokens.has_valid_mac(self.issuer.keys, text, secret=family.secret)


class ClientCredentialsGrant(_TokenGrant, grants.ClientCredentialsGrant):
    """A client that acts for itself, in its own tenant; no refresh token (RFC 6749 §4.4.3)."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS

    def validate_requested_scope(self) -> None:
        """What the client is registered for, or a part of it."""
        names = scopes.requested(
            self.request.form.get("scope"),
            allowed=self.client.scope,
            known=self.issuer.known_scopes,
        )
        self.request.scope = scopes.join(names)

    def create_token_response(self) -> AuthlibResponse:
        """An access token whose subject is the client (RFC 9068 §2.2)."""
        client, now = cast(OAuthClient, self.client), self.request.now
        if client.tenant_id is None:
            raise InvalidRequestError("A client that acts for itself must belong to one tenant.")
        access = AccessToken(
            jti=random_id(),
            issuer=self.request.issuer,
            user_id=None,
            tenant_id=client.tenant_id,
            organization_id=None,
            client_id=client.client_id,
            grant_id=None,
            family_id=None,
            scope=self.request.scope,
            issued_at=now,
            expires_at=now + self.issuer.access_token_ttl,
        )
        if not clients.count_token(self.server.database, client.client_id, now=now):
            raise invalid_client("The client was deleted.", by_header=False)
        event = Event(
            name="token.issued",
            at=now,
            tenant_id=client.tenant_id,
            client_id=client.client_id,
            detail={"grant_type": "client_credentials"},
        )
        self.server.audit.notify(event)
        return 200, self.issuer.access_token_response(access, now=now), self.TOKEN_RESPONSE_HEADER
