"""The app behind the piece: where it is, and how to call it with a connection."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .....api_client.network import NetworkRefused, network
from .....clock import Clock
from ...routing.responses import Json, Row
from .failures import Failure, sentence_for
from .http import Answer, Request, Unanswered, send
from .tokens import Tokens, is_exchanged, secrets_of


class App:
    """The app of one piece."""

    def __init__(self, manifest: Row, clock: Clock) -> None:
        self.name: str = manifest["displayName"]
        self.api_path: str = manifest["apiPath"]
        self._base_url: str | None = manifest.get("baseUrl")
        self.clock = clock
        self.tokens = Tokens(self)

    def address_for(self, connection: Json) -> str:
        """The address without a slash at the end: that in the connection, if its form asks for it, or the app's."""
        entered = ((connection or {}).get("props") or {}).get("base_url")
        address = str(entered or self._base_url or "").strip()
        if not re.match(r"https?://[^/]", address, re.IGNORECASE) or not urlsplit(address).hostname:
            raise Failure(f"Enter the address of {self.name} in the connection, such as https://app.example.com.")
        return address.rstrip("/")

    def call(self, connection: Json, method: str, path: str, **options: Any) -> Json:
        """The JSON of the answer; any other status than success is a `Failure`."""
        request = Request(method=method, url=self.address_for(connection) + path, **options)
        answer = self.request(connection, request)
        if not 200 <= answer.status < 300:
            raise Failure(sentence_for(self.name, answer, secrets_of(connection)), answer.status)
        return answer.body

    def ask(self, connection: Json, method: str, path: str, **options: Any) -> Row:
        """The JSON object that one of the app's routes for pieces answers with."""
        answer = self.call(connection, method, self.api_path + path, **options)
        if not isinstance(answer, dict):
            raise Failure(f"{self.name} gives an unexpected answer: check its address in the connection.")
        return answer

    def request(self, connection: Json, request: Request) -> Answer:
        """Any answer to a request with the connection's token."""
        answer = self._request_once(connection, request)
        if answer.status != 401 or not is_exchanged(connection):
            return answer
        # The token for a user name and password was revoked before its time; both may still be right.
        self.tokens.forget(connection)
        return self._request_once(connection, request)

    def me(self, connection: Json) -> Row:
        """Who the connection acts as."""
        return self.ask(connection, "GET", "/me", timeout="signIn")

    def send(self, request: Request) -> Answer:
        """Any answer; no answer is a `Failure`."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        try:
            network.check("pieces", request.url)
            return send(request)
        except NetworkRefused:
            raise Failure(
                f"This test would call {origin}: use the address of the app under test in the piece."
            ) from None
        except Unanswered as error:
            if error.seconds is not None:
                raise Failure(
                    f"{self.name} did not answer within {error.seconds:g} seconds. Try again later."
                ) from error
            raise Failure(
                f"{self.name} cannot be reached at {origin} ({error}). Check its address, and whether it is running."
            ) from error

    def _request_once(self, connection: Json, request: Request) -> Answer:
        token = self.tokens.bearer(connection)
        authorization = {"authorization": f"Bearer {token}"} if token else {}
        return self.send(replace(request, headers={**request.headers, **authorization}))
