"""The bearer token of a connection.

OAuth2 connections and personal tokens have one; for a user name and password, or for the fields of a custom form, the
app gives one for an hour.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from .....clock import Clock
from ...routing.responses import Json, Row
from .failures import Failure, sentence_for, to_json
from .http import Answer, Request

#: A token is not used in its last minute, so that it does not expire on its way.
_MARGIN_SECONDS = 60


class TokenIssuer(Protocol):
    """The app, as far as tokens need it."""

    name: str
    api_path: str
    clock: Clock

    def address_for(self, connection: Json) -> str:
        """The address of the app."""

    def send(self, request: Request) -> Answer:
        """Any answer."""


@dataclass(frozen=True)
class _Entry:
    until: float
    token: str | None = field(default=None, repr=False)


class Tokens:
    """The tokens of one app, kept until shortly before they expire."""

    def __init__(self, app: TokenIssuer) -> None:
        self._app = app
        #: A hash of the credentials -> the token.
        self._cache: dict[str, _Entry] = {}

    def bearer(self, connection: Json) -> str | None:
        """The token to send; None without a connection."""
        if not is_exchanged(connection):
            given = connection or {}
            return given.get("secret_text", given.get("access_token"))
        key = self._key_of(connection)
        cached = self._cache.get(key)
        if cached is not None and self._app.clock() < cached.until:
            return cached.token
        # Newer servers keep the token of a custom form that declares `refresh`. Once refused, it is not used again.
        if connection.get("access_token") and cached is None:
            return str(connection["access_token"])
        answer = self.exchange(connection)
        until = self._app.clock() + answer["expires_in"] - _MARGIN_SECONDS
        self._cache[key] = _Entry(until, answer["access_token"])
        return str(answer["access_token"])

    def forget(self, connection: Json) -> None:
        """Do not use this connection's token again."""
        self._cache[self._key_of(connection)] = _Entry(0)

    def exchange(self, connection: Json) -> Row:
        """The app's answer: ``{access_token, expires_in}``."""
        app = self._app
        answer = app.send(
            Request(
                method="POST",
                url=f"{app.address_for(connection)}{app.api_path}/token",
                json=(_credentials_of(connection),),
                timeout="signIn",
            )
        )
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise Failure(sentence_for(app.name, answer, secrets_of(connection)), answer.status)
        return answer.body

    def _key_of(self, connection: Json) -> str:
        identity = to_json([self._app.address_for(connection), _credentials_of(connection)])
        return hashlib.sha256(identity.encode()).hexdigest()


def is_exchanged(connection: Json) -> bool:
    """Whether the app gives a token for the credentials in the connection."""
    return (connection or {}).get("type") in ("BASIC_AUTH", "CUSTOM_AUTH")


def secrets_of(connection: Json) -> list[Json]:
    """What no message may repeat."""
    given = connection or {}
    fields = {name: value for name, value in (given.get("props") or {}).items() if name != "base_url"}
    return [*(given.get(name) for name in ("secret_text", "access_token", "password")), *fields.values()]


def _credentials_of(connection: Row) -> Row:
    names = ("type", "username", "password") if connection["type"] == "BASIC_AUTH" else ("type", "props")
    return {name: connection.get(name) for name in names}
