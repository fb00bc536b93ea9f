"""The three grants of the token endpoint: Authlib's classes, with our storage under them.

Authlib gives the order of the checks (RFC 6749 §4.1.3, §4.4.2, §6); each method here answers one of its
questions. Everything happens in the transaction that came with the request, and an error raised after
something was written, such as the revocation of a replayed family, is an answer and not a rollback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, grants
from authlib.oauth2.rfc7636 import CodeChallenge

from ..audit import Event
from ..database import LostRace
from ..errors import SignatureError, SignatureExpired
from ..signing import random_id
from . import clients, codes, families, refresh_tokens, revocations, scopes
from .access_tokens import AccessToken
from .desk import TokenDesk
from .families import Family
from .refresh_tokens import Verdict
from .requests import MachineRequest

CLIENT_METHODS = ["client_secret_basic", "client_secret_post", "none"]

Token = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """The user that tokens speak for, as Authlib passes it on."""

    user_id: str


class S256Challenge(CodeChallenge):
    """PKCE by S256 only (RFC 9700 §2.1.1); the authorization request was held to it already."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        """Never what a request says."""
        return "S256"


class _AtTheDesk(grants.BaseGrant):
    """What all three share."""

    request: MachineRequest

    @property
    def desk(self) -> TokenDesk:
        """Where tokens are made."""
        return cast(TokenDesk, self.server.desk)

    def refused_guess(self, description: str) -> InvalidGrantError:
        """The error for a code or token that nobody was given.

        It counts against a public client, as which anyone can pose. A client with a secret has proven itself: its
        failures are those of many users at a platform, and none of them may slow the others down.
        """
        if not self.client.confidential:
            self.request.failed_attempt()
        return InvalidGrantError(description)


class CodeGrant(_AtTheDesk, grants.AuthorizationCodeGrant):
    """A code buys one family, once."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def query_authorization_code(self, code: str, client: Any) -> codes.AuthorizationCode | None:
        """The code, verified."""
        desk = self.desk
        try:
            return codes.read_code(
                desk.keys,
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
            raise self.refused_guess("The code is not valid for this client.") from None

    def authenticate_user(self, authorization_code: codes.AuthorizationCode) -> Subject:
        """The user named in the code; whether the grant still stands is asked when the code is redeemed."""
        return Subject(authorization_code.user_id)

    def generate_token(self, *_: Any, **__: Any) -> Token:
        """The pair that the code would buy."""
        desk = self.desk
        code = cast(codes.AuthorizationCode, self.request.authorization_code)
        family = self.request.bought or families.begin(
            code, now=self.request.now, lifetime=desk.refresh_token_ttl
        )
        self.request.bought = family
        return desk.pair(
            family, scope=family.scope, issuer=self.request.issuer, now=self.request.now
        )

    def save_token(self, token: Token) -> None:
        """Redeem the code: store the family, or find that the code is spent or its grant gone."""
        desk, transaction, family = self.desk, self.request.transaction, self.request.bought
        assert family is not None
        if self.request.code_is_taken:
            self._answer_taken_code(family)
        elif not families.redeem(transaction, family, audit=desk.audit, now=self.request.now):
            # In a new transaction, for on MySQL the INSERT that met another row holds a shared lock on it, and
            # two such transactions would wait for each other to revoke it.
            self.request.code_is_taken = True
            raise LostRace

    def _answer_taken_code(self, family: Family) -> None:
        desk, transaction, now = self.desk, self.request.transaction, self.request.now
        if families.is_stored(transaction.connection, family):
            return  # this very request stored it, and then lost the answer to its COMMIT
        if families.end(transaction, family.id, client_id=family.client_id, now=now):
            # RFC 6749 §4.1.2: a code used twice takes down what it bought.
            revocations.add(transaction, revocations.family(family.id), now=now)
            desk.audit.record(transaction, family.event("code.replayed", now))
            raise InvalidGrantError(
                "The code was used before; everything it gave access to is revoked."
            )
        raise InvalidGrantError("The user has taken this permission back: ask for it again.")

    def delete_authorization_code(self, authorization_code: Any) -> None:
        """Nothing to delete: the family that now has the code's id is what spends it."""


class RefreshGrant(_AtTheDesk, grants.RefreshTokenGrant):
    """The rotation rule of `refresh_tokens`, on a row that one statement moves on."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Family:
        """The family of a genuine token that may still be used; theft ends here, and ends the family."""
        desk, family = self.desk, self.request.family
        presented = refresh_tokens.parse(refresh_token)
        if presented is None or family is None:
            raise self.refused_guess("The refresh token is not valid for this client.")
        if not refresh_tokens.is_genuine(desk.keys, refresh_token, secret=family.secret):
            raise self.refused_guess("The refresh token is not valid for this client.")
        if not family.is_live(self.request.now):
            raise InvalidGrantError("The connection was revoked or has expired: connect again.")
        self.request.presented = presented
        self.request.verdict = refresh_tokens.judge(
            presented, family.rotation, now=self.request.now
        )
        if self.request.verdict is Verdict.THEFT:
            self._end_stolen(family)
            raise InvalidGrantError("The refresh token was used before; the connection is revoked.")
        return family

    def authenticate_user(self, refresh_token: Family) -> Subject:
        """The user that the family speaks for; disabling users ends their grants, and so this family."""
        return Subject(refresh_token.user_id)

    def issue_token(self, user: Any, refresh_token: Any) -> Token:
        """The successor, by the verdict; narrower if the client asks for less (RFC 6749 §6)."""
        desk = self.desk
        family = self._moved_on(refresh_token)
        scope = scopes.narrowed(self.request.form.get("scope"), granted=family.scope)
        return desk.pair(family, scope=scope, issuer=self.request.issuer, now=self.request.now)

    def save_token(self, token: Token) -> None:
        """Nothing more to store: the family has moved on already."""

    def revoke_old_credential(self, refresh_token: Any) -> None:
        """Nothing to do: what is not the family's current token no longer rotates."""

    def _moved_on(self, family: Family) -> Family:
        desk, transaction, now = self.desk, self.request.transaction, self.request.now
        if self.request.verdict is Verdict.REPEAT:
            return family
        lifetime = desk.refresh_token_ttl
        if self.request.verdict is Verdict.ROTATE:
            past = self.request.presented
            moved = families.rotated(family, past=past, now=now, lifetime=lifetime)
        else:
            moved = families.displaced(family, now=now, lifetime=lifetime)
        if not families.move(transaction, family, moved, audit=desk.audit):
            raise LostRace  # another worker rotated first: look again, and give its successor
        return moved

    def _end_stolen(self, family: Family) -> None:
        desk, transaction = self.desk, self.request.transaction
        families.end(transaction, family.id, client_id=family.client_id, now=self.request.now)
        revocations.add(transaction, revocations.family(family.id), now=self.request.now)
        desk.audit.record(transaction, family.event("refresh.replayed", self.request.now))


class CredentialsGrant(_AtTheDesk, grants.ClientCredentialsGrant):
    """A client that acts for itself, in its own tenant; no refresh token (RFC 6749 §4.4.3)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def validate_requested_scope(self) -> None:
        """What the client is registered for, or a part of it."""
        desk = self.desk
        names = scopes.requested(
            self.request.form.get("scope"), allowed=self.client.scope, known=desk.known_scopes
        )
        self.request.scope = scopes.join(names)

    def generate_token(self, *_: Any, **__: Any) -> Token:
        """An access token whose subject is the client (RFC 9068 §2.2)."""
        desk, client = self.desk, self.client
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
            issued_at=self.request.now,
            expires_at=self.request.now + desk.access_token_ttl,
        )
        return desk.answer(access, now=self.request.now)

    def save_token(self, token: Token) -> None:
        """Nothing is stored of the token itself: it is counted, and a client may get very many."""
        desk, client, transaction = self.desk, self.client, self.request.transaction
        if not clients.count_token(transaction, client.client_id, now=self.request.now):
            raise LostRace  # it was deleted meanwhile: look again, and refuse it
        event = Event(
            name="token.issued",
            at=self.request.now,
            tenant_id=client.tenant_id,
            client_id=client.client_id,
            detail={"grant_type": "client_credentials"},
        )
        desk.audit.announce(transaction, event)
