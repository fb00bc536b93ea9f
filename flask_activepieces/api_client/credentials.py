"""The four kinds of credential. None shows its secret in its ``repr``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .embedding_token import EmbeddedUser, sign_embedding_token

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class ApiKey:
    """A key of the whole platform (``sk-…``), of Enterprise and Cloud; it acts as the platform's owner."""

    kind: ClassVar[str] = "API key"
    is_user: ClassVar[bool] = False

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        checked_token(self.key)


@dataclass(frozen=True)
class UserToken:
    """The token of a user who signed in elsewhere: good for seven days, and not renewed."""

    kind: ClassVar[str] = "user token"
    is_user: ClassVar[bool] = True

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        checked_token(self.token)


@dataclass(frozen=True)
class EmailPassword:
    """A user who signs in with e-mail and password: the way into the Community Edition, which has no keys."""

    kind: ClassVar[str] = "e-mail and password"
    is_user: ClassVar[bool] = True
    #: The call that brings a token.
    sign_in: ClassVar[str] = "sign_in"
    path: ClassVar[str] = "/authentication/sign-in"

    email: str
    password: str = field(repr=False)

    def body(self, now: float) -> Mapping[str, Any]:
        """What signs in."""
        return {"email": self.email, "password": self.password}


@dataclass(frozen=True)
class SignedEmbedding:
    """A user of the host app, for whom the platform's signing key vouches: Enterprise and Cloud.

    The user has a session for all projects that they are a member of, not only for the one that is named.
    """

    kind: ClassVar[str] = "signed embedding user"
    is_user: ClassVar[bool] = True
    sign_in: ClassVar[str] = "embedding.sign_in"
    path: ClassVar[str] = "/managed-authn/external-token"

    signing_key_pem: str = field(repr=False)
    key_id: str
    user: EmbeddedUser

    def body(self, now: float) -> Mapping[str, Any]:
        """What signs in."""
        return {
            "externalAccessToken": sign_embedding_token(
                self.signing_key_pem, self.key_id, self.user, now=now
            )
        }


def checked_token(text: str) -> str:
    """The token if it can stand in a header; the refusal does not repeat it, as that of requests would."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("a key or token has no spaces, no line breaks and only ASCII characters")
    return text


Credential = ApiKey | UserToken | EmailPassword | SignedEmbedding
