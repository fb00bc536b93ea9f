"""The three grants of the token endpoint (RFC 6749 §4.1.3, §6, §4.4).

Authlib picks the class for the request's grant type; each reads from top to bottom. An error is raised only after
what it reports has been committed, so a reused token stays revoked.
"""

from __future__ import annotations

from authlib.oauth2.rfc6749 import BaseGrant, InvalidGrantError, InvalidRequestError, TokenEndpointMixin
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN, compare_s256_code_challenge

from ...crypto.keyring import random_id
from ...errors import SignatureError, SignatureExpired, Unavailable
from ...storage.audit import Event
from .. import scopes
from ..authorization.codes import AuthorizationCode, read_code
from ..clients import service as clients
from ..clients.authentication import CLIENT_METHODS, SECRET_METHODS, invalid_client
from ..clients.client import OAuthClient
from ..resources import API
from . import families, refresh_tokens
from .access_tokens import AccessToken
from .base_server import BaseServer, ClientRequest
from .families import Family
from .issuer import TokenResponse
from .refresh_tokens import RefreshToken, Step

#: How often a refresh looks again after another worker has rotated the token.
MAX_ROTATIONS = 10


class GuessedToken(InvalidGrantError):
    """A code or refresh token that was never issued to this client: counted as a failed attempt.

    Only for a public client, which anyone can pretend to be. A client with a secret has authenticated itself: its
    failures are those of many users at one platform, and must not slow the others down.
    """


class TokenGrant(BaseGrant, TokenEndpointMixin):
    """One grant type: from the request to the tokens."""

    request: ClientRequest
    server: BaseServer

    def issue_tokens(self) -> TokenResponse:
        """The tokens of a valid request; an `OAuth2Error` for any other."""
        raise NotImplementedError


class AuthorizationCodeGrant(TokenGrant):
    """A code is exchanged for the first tokens of a family, once."""

    GRANT_TYPE = "authorization_code"

    def issue_tokens(self) -> TokenResponse:
        """Verify the code, store its token family, and issue the first pair of the family."""
        issuer, request = self.server.token_issuer, self.request
        client, _ = self.server.authenticate(request, CLIENT_METHODS, grant_type=self.GRANT_TYPE)
        code = self._read_code(client)
        if code.redirect_uri is not None and request.form.get("redirect_uri") != code.redirect_uri:
            raise InvalidGrantError("Invalid 'redirect_uri' in request.")
        _check_code_verifier(code, request.form.get("code_verifier"))
        resource = request.resources.confirmed(request.form.get("resource"), granted=code.resource)
        family = new_family(code, now=request.now, lifetime=issuer.refresh_token_ttl)
        if not self.server.families.store_if_unredeemed(family):
            raise self._revoke_redeemed(family, client)
        return issuer.issue_pair(
            family, client, scope=family.scope, resource=resource, issuer=request.issuer, now=request.now
        )

    def _read_code(self, client: OAuthClient) -> AuthorizationCode:
        request = self.request
        if "code" not in request.form:
            raise InvalidRequestError("Missing 'code' in request.")
        try:
            code = read_code(
                self.server.token_issuer.keys,
                request.form["code"],
                client_id=client.client_id,
                issuer=request.issuer,
                now=request.now,
            )
        except SignatureExpired:
            raise InvalidGrantError("The code has expired: start again at the authorization page.") from None
        except SignatureError:
            raise _invalid_token("The code is not valid for this client.", client) from None
        if code is None:
            raise InvalidGrantError("Invalid 'code' in request.")
        return code

    def _revoke_redeemed(self, family: Family, client: OAuthClient) -> InvalidGrantError:
        # RFC 6749 §4.1.2: a code used twice revokes what was issued for it.
        replay = family.event("code.replayed", self.request.now, client.name)
        if self.server.families.revoke(family.id, replay, client_id=family.client_id):
            return InvalidGrantError("The code was used before; everything it gave access to is revoked.")
        return InvalidGrantError("The user revoked this authorization; start a new one.")


class RefreshTokenGrant(TokenGrant):
    """A refresh token is exchanged for its successor, by the rule in `refresh_tokens`."""

    GRANT_TYPE = "refresh_token"

    def issue_tokens(self) -> TokenResponse:
        """Rotate the family, and issue its current pair; narrower if the client asks for less (RFC 6749 §6)."""
        request = self.request
        value = request.form.get("refresh_token", "")
        token = refresh_tokens.parse(value)
        client, family = self.server.authenticate(
            request, CLIENT_METHODS, grant_type=self.GRANT_TYPE, family_id=token.family_id if token else None
        )
        if not value:
            raise InvalidRequestError("Missing 'refresh_token' in request.")
        keys = self.server.token_issuer.keys
        if token is None or family is None or not refresh_tokens.has_valid_mac(keys, value, secret=family.secret):
            raise _invalid_token("The refresh token is not valid for this client.", client)
        self._step(token, family, client)  # reuse is detected whatever scope is requested
        scope = scopes.narrowed(request.form.get("scope"), granted=family.scope)
        resource = request.resources.confirmed(request.form.get("resource"), granted=family.resource)
        family = self._rotate(token, family, client)
        return self.server.token_issuer.issue_pair(
            family, client, scope=scope, resource=resource, issuer=request.issuer, now=request.now
        )

    def _rotate(self, token: RefreshToken, family: Family, client: OAuthClient) -> Family:
        """The family after this refresh; if another worker rotates it at the same time, look again."""
        now, lifetime = self.request.now, self.server.token_issuer.refresh_token_ttl
        for _ in range(MAX_ROTATIONS):
            match self._step(token, family, client):
                case Step.REPEAT_RESPONSE:
                    return family
                case Step.ROTATE:
                    after = families.with_next_token(family, used=token, now=now, lifetime=lifetime)
                case Step.REPLACE:
                    after = families.with_replaced_token(family, now=now, lifetime=lifetime)
            if self.server.families.store_rotation(family, after):
                return after
            family = self.server.families.find(family.id) or family
        raise Unavailable("database", retry_after=1)

    def _step(self, token: RefreshToken, family: Family, client: OAuthClient) -> Step:
        if not family.is_active(self.request.now):
            raise InvalidGrantError("The connection was revoked or has expired: connect again.")
        step = refresh_tokens.next_step(token, family, now=self.request.now)
        if step is Step.REVOKE:
            reuse = family.event("refresh.replayed", self.request.now, client.name)
            self.server.families.revoke(family.id, reuse, client_id=family.client_id)
            raise InvalidGrantError("The refresh token was used before; the connection is revoked.")
        return step


class ClientCredentialsGrant(TokenGrant):
    """A client acts for itself, in its own tenant; it gets no refresh token (RFC 6749 §4.4.3)."""

    GRANT_TYPE = "client_credentials"

    def issue_tokens(self) -> TokenResponse:
        """An access token whose subject is the client (RFC 9068 §2.2)."""
        issuer, request = self.server.token_issuer, self.request
        client, _ = self.server.authenticate(request, SECRET_METHODS, grant_type=self.GRANT_TYPE)
        requested = scopes.requested(request.form.get("scope"), allowed=client.scope, known=issuer.known_scopes)
        resource = request.resources.requested(request.form.get("resource"), default=API)
        if client.tenant_id is None:
            raise InvalidRequestError("A client that acts for itself must belong to one tenant.")
        access = AccessToken(
            jti=random_id(),
            issuer=request.issuer,
            audience=resource.identifier(request.issuer),
            user_id=None,
            tenant_id=client.tenant_id,
            organization_id=None,
            client_id=client.client_id,
            grant_id=None,
            family_id=None,
            scope=scopes.join(requested),
            issued_at=request.now,
            expires_at=request.now + issuer.access_token_ttl,
        )
        if not clients.count_token(self.server.database, client.client_id, now=request.now):
            raise invalid_client("The client was deleted.", by_header=False)
        event = Event(
            name="token.issued",
            at=request.now,
            tenant_id=client.tenant_id,
            client_id=client.client_id,
            detail={"grant_type": self.GRANT_TYPE},
        )
        self.server.audit.notify(event)
        return issuer.access_token_response(access, now=request.now)


def _check_code_verifier(code: AuthorizationCode, verifier: str | None) -> None:
    if code.code_challenge is None:
        # RFC 9700 §2.1.1: no one may have removed the challenge from the authorization request.
        if verifier is not None:
            raise InvalidRequestError(
                "The authorization request had no 'code_challenge', but a 'code_verifier' was provided."
            )
        return
    if verifier is None:
        raise InvalidRequestError("Missing 'code_verifier'")
    if not CODE_VERIFIER_PATTERN.fullmatch(verifier):
        raise InvalidRequestError("Invalid 'code_verifier'")
    # RFC 7636 §4.6
    if not compare_s256_code_challenge(verifier, code.code_challenge):  # type: ignore[no-untyped-call]
        raise InvalidGrantError("Code challenge failed.")


def new_family(code: AuthorizationCode, *, now: int, lifetime: int) -> Family:
    """The token family for a code; it is not stored yet."""
    return Family(
        id=code.jti,
        client_id=code.client_id,
        tenant_id=code.tenant_id,
        user_id=code.user_id,
        organization_id=code.organization_id,
        grant_id=code.grant_id,
        scope=code.scope,
        resource=code.resource,
        secret=random_id(),
        generation=0,
        nonce=random_id(),
        previous_nonce=None,
        refresh_count=0,
        rotated_at=now,
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
    )


def _invalid_token(description: str, client: OAuthClient) -> InvalidGrantError:
    return (InvalidGrantError if client.is_confidential else GuessedToken)(description)
