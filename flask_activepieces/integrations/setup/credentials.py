"""What a tenant signs in to Activepieces with: checked when it comes in, masked when it is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...api_client.credentials import ApiKey, EmailPassword, UserToken

Credential = ApiKey | UserToken | EmailPassword

#: A JSON Web Token of Activepieces has some 700 characters.
LONGEST_TOKEN = 8192
LONGEST_NAME = 190
#: Of a shorter secret, four characters would be too much to show.
_SHORTEST_SHOWN = 16


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An API key, or a user (by token, or by e-mail and password), or one of each."""

    api_key: str | None = field(default=None, repr=False)
    user_token: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def problems(self) -> dict[str, str]:
        """What is wrong, by the field of the JSON API; empty when it may be tried."""
        found = {
            "apiKey": _problem_with_token(self.api_key),
            "userToken": _problem_with_token(self.user_token),
            "email": _problem_with_name(self.email, beside=self.password),
            "password": _problem_with_name(self.password, beside=self.email),
        }
        if self.user_token and self.email:
            found["userToken"] = "give a user token, or an e-mail and password, and not both"
        return {name: problem for name, problem in found.items() if problem}

    def merged(self, new: Credentials) -> Credentials:
        """These with the new ones in their place: a key for the key, a user for the user."""
        kept = self
        if new.api_key:
            kept = replace(kept, api_key=new.api_key)
        if new.user_token or new.email:
            kept = replace(kept, user_token=new.user_token, email=new.email, password=new.password)
        return kept

    def without(self, names: Collection[str]) -> Credentials:
        """These without the ones of these names; e-mail and password go together."""
        together = {"email", "password"}
        gone = {*names, *(together if together & {*names} else ())}
        return replace(self, **dict.fromkeys(gone))

    @property
    def key(self) -> ApiKey | None:
        """The API key, if there is one."""
        return ApiKey(self.api_key) if self.api_key else None

    @property
    def user(self) -> UserToken | EmailPassword | None:
        """The user, if there is one."""
        if self.user_token:
            return UserToken(self.user_token)
        if self.email and self.password:
            return EmailPassword(self.email, self.password)
        return None

    def all(self) -> dict[str, Credential]:
        """Each of them by the field of the JSON API that is to blame if it is refused."""
        named: dict[str, Credential | None] = {
            "apiKey": self.key,
            "password" if self.email else "userToken": self.user,
        }
        return {name: credential for name, credential in named.items() if credential}

    def masked(self) -> str:
        """What people may see: enough to tell one from another."""
        shown = (_masked(self.api_key), _masked(self.user_token), self.email)
        return ", ".join(filter(None, shown))

    def to_json(self) -> dict[str, Any]:
        """For the vault."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Credentials:
        """From the vault."""
        return cls(**content)


def _masked(token: str | None) -> str | None:
    if not token:
        return None
    if len(token) < _SHORTEST_SHOWN:
        return "…"
    # The prefix of an API key says what it is, and is the same for all of them.
    prefix = "sk-" if token.startswith("sk-") else ""
    return f"{prefix}…{token[-4:]}"


def _problem_with_token(token: str | None) -> str | None:
    if token is None:
        return None
    if not token or not all("!" <= character <= "~" for character in token):
        # It stands in a header (RFC 9110 §11.4), where nothing else may be.
        return "it must be printable ASCII without spaces"
    return f"at most {LONGEST_TOKEN} characters" if len(token) > LONGEST_TOKEN else None


def _problem_with_name(value: str | None, *, beside: str | None) -> str | None:
    if value is None and beside is None:
        return None
    if not value:
        return "e-mail and password go together"
    return f"at most {LONGEST_NAME} characters" if len(value) > LONGEST_NAME else None
