"""The transport of one client: its credential, its timeouts, what it may call, and when a call is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

from . import capabilities, wire
from .capabilities import Edition
from .connection_pool import ConnectionPool, Timeout
from .credentials import (
    ApiKey,
    Credential,
    EmailPassword,
    SignedEmbedding,
    UserToken,
    checked_token,
)
from .errors import (
    ApiError,
    AuthenticationFailed,
    ConnectionFailed,
    RateLimited,
    ServerError,
    UnexpectedResponse,
)
from .wire import ApiCall, Files, Query

#: Longer than this nobody waits within a call: the caller is told how long it would be.
_LONGEST_RETRY_AFTER = 5.0
_PASSING = {502, 503, 504}
_AGENT = f"flask-activepieces/{version('flask-activepieces')}"


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Makes calls to one server with one credential; many threads may use it at once."""

    root: str
    credential: Credential
    http: ConnectionPool = field(repr=False)
    timeout: Timeout = Timeout()
    edition: Edition | None = None

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        files: Files | None = None,
        repeatable: bool | None = None,
        anonymous: bool = False,
        timeout: Timeout | None = None,
    ) -> Any:
        """The decoded JSON of the answer, None if it has no body; a `ApiError` says why there is none.

        ``operation`` names the call (``connections.list``); ``path`` is below the API's root, and its variable parts
        are made by `wire.segment`. A GET may always be repeated, anything else only if ``repeatable`` says so. An
        ``anonymous`` call goes out without the credential.
        """
        capabilities.check_supported(operation, self.credential, self.edition)
        call = ApiCall(
            operation=operation,
            method=method,
            path=path,
            query=query or {},
            body=body,
            files=files,
            repeatable=method == "GET" if repeatable is None else repeatable,
        )
        patience = timeout or self.timeout
        deadline = time.monotonic() + patience.total
        if anonymous:
            return self._tried(call, None, patience, deadline)
        token = self._token(patience, deadline)
        try:
            return self._tried(call, token, patience, deadline)
        except AuthenticationFailed as error:
            if isinstance(self.credential, (ApiKey, UserToken)) or not _has_ended(error):
                raise
            # Refused before anything was done, so that it may be sent again, whatever it is.
            fresh = self._token(patience, deadline, stale=token)
            return self._tried(call, fresh, patience, deadline)

    def _token(self, patience: Timeout, deadline: float, *, stale: str | None = None) -> str:
        credential = self.credential
        if isinstance(credential, ApiKey):
            return credential.key
        if isinstance(credential, UserToken):
            return credential.token
        capabilities.check_supported(credential.sign_in, credential, self.edition)
        return self.http.sessions.token(
            (self.root, credential),
            partial(self._sign_in, credential, patience, deadline),
            wait=deadline - time.monotonic(),
            stale=stale,
        )

    def _sign_in(
        self, credential: EmailPassword | SignedEmbedding, patience: Timeout, deadline: float
    ) -> str:
        call = ApiCall(
            operation=credential.sign_in,
            method="POST",
            path=credential.path,
            body=credential.body(self.http.clock()),
            repeatable=True,
        )
        answer = self._tried(call, None, patience, deadline)
        token = answer.get("token") if isinstance(answer, dict) else None
        try:
            return checked_token(token if isinstance(token, str) else "")
        except ValueError as error:
            raise UnexpectedResponse(call.operation, detail="the answer has no token") from error

    def _tried(self, call: ApiCall, token: str | None, patience: Timeout, deadline: float) -> Any:
        retries = self.http.retries
        attempt = 1
        while True:
            try:
                return self._once(call, token, patience, deadline)
            except ApiError as error:
                if attempt >= retries.attempts or not _passes(error, call):
                    raise
                asked = error.retry_after or 0.0
                wait = retries.wait(attempt, at_least=asked)
                if asked > _LONGEST_RETRY_AFTER or time.monotonic() + wait >= deadline:
                    raise
            attempt += 1
            retries.sleep(wait)

    def _once(self, call: ApiCall, token: str | None, patience: Timeout, deadline: float) -> Any:
        request = wire.build_request(call, root=self.root, token=token, agent=_AGENT)
        answer = self.http.send(call.operation, request, timeout=patience, deadline=deadline)
        secrets = wire.secrets_of(call) + ((token,) if token else ())
        return wire.decode(call, answer, secrets=secrets)


def _passes(error: ApiError, call: ApiCall) -> bool:
    """Whether the same call may succeed in a moment, and sending it again does no harm."""
    if isinstance(error, ConnectionFailed):
        return call.repeatable or not error.outcome_unknown
    if isinstance(error, ServerError):
        return call.repeatable and error.status in _PASSING
    return call.repeatable and isinstance(error, RateLimited)


def _has_ended(error: AuthenticationFailed) -> bool:
    """Whether a token was refused that a new sign-in replaces."""
    return error.status == 401 or error.code == "SESSION_EXPIRED"
