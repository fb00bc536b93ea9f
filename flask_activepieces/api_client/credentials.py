"""The four kinds of credential. None shows its secret in its ``repr``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from .embedding_token import EmbeddedUser, sign_embedding_token
from .wire import ApiCall

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class ApiKey:
    """An API key of the whole platform (``sk-…``; Enterprise and Cloud); it acts as the platform's owner."""

    kind: ClassVar[str] = "API key"
    is_user: ClassVar[bool] = False

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        check_token(self.key)


@dataclass(frozen=True)
class UserToken:
    """The token of a user who signed in elsewhere. It is valid for seven days and not renewed."""

    kind: ClassVar[str] = "user token"
    is_user: ClassVar[bool] = True

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        check_token(self.token)


@dataclass(frozen=True)
class EmailPassword:
    """A user who signs in with e-mail and password. The Community Edition, which has no API keys, needs this."""

    kind: ClassVar[str] = "e-mail and password"
    is_user: ClassVar[bool] = True
    sign_in_operation: ClassVar[str] = "sign_in"

    email: str
    password: str = field(repr=False)

    def sign_in_call(self, now: float) -> ApiCall:
        """The call that returns a token."""
        body = {"email": self.email, "password": self.password}
        return ApiCall(self.sign_in_operation, "POST", "/authentication/sign-in", body=body, idempotent=True)


@dataclass(frozen=True)
class SignedEmbedding:
    """A user of the host app, signed in with the platform's signing key (Enterprise and Cloud).

    The session covers all projects of the user, not only the one in ``user``. Each sign-in also assigns the piece set
    of ``user`` to that project.
    """

    kind: ClassVar[str] = "signed embedding user"
    is_user: ClassVar[bool] = True
    sign_in_operation: ClassVar[str] = "embedding.sign_in"

    signing_key_pem: str = field(repr=False)
    key_id: str
    user: EmbeddedUser

    def sign_in_call(self, now: float) -> ApiCall:
        """The call that returns a token."""
        token = sign_embedding_token(self.signing_key_pem, self.key_id, self.user, now=now)
        path, body = "/managed-authn/external-token", {"externalAccessToken": token}
        return ApiCall(self.sign_in_operation, "POST", path, body=body, idempotent=True)


def check_token(token: str) -> None:
    """Raises `ValueError` if the token cannot be sent in a header. Unlike that of requests, it does not quote it."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("a key or token must be ASCII, without spaces and line breaks")


Credential = ApiKey | UserToken | EmailPassword | SignedEmbedding
