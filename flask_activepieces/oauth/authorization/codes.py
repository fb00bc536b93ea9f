"""Authorization codes: ``v1.{payload}.{signature}``, valid for a minute and for one client.

A code is not stored. Its payload holds everything, signed with a key that is derived for codes and for this client,
so that the code of another client, or anything else that we sign, is not valid here. That a code works only once is
decided when it is redeemed: see `TokenFamilies.store_if_unredeemed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from ...clock import CLOCK_SKEW, Clock
from ...config.settings import Settings
from ...config.urls import same_issuer
from ...crypto.keyring import KeyRing, random_id
from .. import scopes as scope_strings
from ..grants import Grant
from ..resources import API

PURPOSE = "authorization code"


@dataclass(frozen=True, kw_only=True)
class AuthorizationCode:
    """What a user allowed a client, on its way through the browser (RFC 6749 §4.1.2)."""

    jti: str
    iss: str
    client_id: str
    grant_id: str
    user_id: str
    tenant_id: str
    organization_id: str | None
    #: As in the authorization request; None if the client left it out there (RFC 6749 §4.1.3).
    redirect_uri: str | None
    scope: str
    #: The name of the resource that its tokens are for.
    resource: str
    #: S256 of the verifier (RFC 7636 §4.2), if the client sent one.
    code_challenge: str | None
    exp: int


@dataclass(frozen=True, kw_only=True)
class CodeIssuer:
    """Issues the codes of one app."""

    keys: KeyRing = field(repr=False)
    clock: Clock = field(repr=False)
    lifetime: int

    @classmethod
    def from_settings(cls, settings: Settings, *, clock: Clock) -> CodeIssuer:
        """The issuer of an app with these settings."""
        return cls(keys=settings.secret_keys, clock=clock, lifetime=settings.code_ttl)

    def issue(
        self,
        grant: Grant,
        scopes: Sequence[str],
        *,
        issuer: str,
        redirect_uri: str | None,
        code_challenge: str | None,
        resource: str = API.name,
    ) -> str:
        """A new code for the grant, or for some of its scopes."""
        code = AuthorizationCode(
            jti=random_id(),
            iss=issuer,
            client_id=grant.client_id,
            grant_id=grant.id,
            user_id=grant.user_id,
            tenant_id=grant.tenant_id,
            organization_id=grant.organization_id,
            redirect_uri=redirect_uri,
            scope=scope_strings.join(scopes),
            resource=resource,
            code_challenge=code_challenge,
            exp=int(self.clock()) + self.lifetime,
        )
        return self.keys.sign_json(PURPOSE, asdict(code), context=code.client_id)


def read_code(keys: KeyRing, token: str, *, client_id: str, issuer: str, now: int) -> AuthorizationCode | None:
    """The code if it was issued to this client and has not expired; None if another issuer or version issued it.

    The clocks of the machines that issue and redeem it may differ by `CLOCK_SKEW`. `SignatureExpired` for an expired
    code, `SignatureError` for anything else.
    """
    claims = keys.verify_json(PURPOSE, token, now=now - CLOCK_SKEW, context=client_id)
    try:
        code = AuthorizationCode(**claims)
    except TypeError:
        return None  # during an upgrade: a worker of another version has other claims
    # RFC 9700 §2.1: another issuer may share our keys.
    return code if same_issuer(code.iss, issuer) and code.client_id == client_id else None
