"""Authorization codes: ``v1.{payload}.{signature}``, good for a minute and for one client.

Nothing is stored when a code is made. All that it stands for is in its payload, signed with a key that is
derived for codes and for this client: another client's code, and anything else that we sign, is noise here.
That a code works once is not decided in this file: see `families.redeem`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...config.issuer import same_issuer
from ...crypto.keyring import KeyRing, random_id

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
    #: As it stood in the authorization request; None if the client left it out there (RFC 6749 §4.1.3).
    redirect_uri: str | None
    scope: str
    #: S256 of the verifier (RFC 7636 §4.2), if the client sent one.
    code_challenge: str | None
    exp: int

    # What Authlib's code grant asks of a code:

    def get_redirect_uri(self) -> str | None:
        """The URI that the token request must repeat."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What the user allowed."""
        return self.scope


def issue_code(keys: KeyRing, *, now: int, lifetime: int, **claims: Any) -> str:
    """A new code; ``claims`` are the other fields of `AuthorizationCode`."""
    code = AuthorizationCode(jti=random_id(), exp=now + lifetime, **claims)
    return keys.sign_json(PURPOSE, asdict(code), context=code.client_id)


def read_code(
    keys: KeyRing, text: str, *, client_id: str, issuer: str, now: int
) -> AuthorizationCode | None:
    """The code if we made it for this client and it is still good; None if another issuer or version of us did.

    `SignatureError` for anything else, `SignatureExpired` for one that was good.
    """
    claims = keys.verify_json(PURPOSE, text, now=now, context=client_id)
    try:
        code = AuthorizationCode(**claims)
    except TypeError:
        return None  # during an upgrade: a worker of another version knows other claims
    # RFC 9700 §2.1: a code of another issuer that shares our keys is not ours.
    return code if same_issuer(code.iss, issuer) and code.client_id == client_id else None
