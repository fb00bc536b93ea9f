"""Sends the calls of one client: with its credential and timeouts, and with retries."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from .capabilities import Edition, check_supported
from .connection_pool import ConnectionPool
from .credentials import ApiKey, Credential, EmailPassword, SignedEmbedding, UserToken, check_token
from .errors import ApiError, AuthenticationFailed, ConnectionFailed, RateLimited, ServerError, UnexpectedResponse
from .response import decode
from .wire import ApiCall, Timeout, build_request, secrets_of

#: A longer Retry-After is left to the caller.
_MAX_RETRY_AFTER = 5.0
_RETRY_STATUSES = {502, 503, 504}
_USER_AGENT = f"flask-activepieces/{version('flask-activepieces')}"


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Sends calls to one server with one credential, in any number of threads."""

    root: str
    credential: Credential
    pool: ConnectionPool = field(repr=False)
    timeout: Timeout = Timeout()
    edition: Edition | None = None

    def send(self, call: ApiCall) -> Any:
        """The JSON of the response, or None if it has no body; raises an `ApiError` if the call fails."""
        check_supported(call.operation, self.credential, self.edition)
        timeout = call.timeout or self.timeout
        deadline = time.monotonic() + timeout.total
        call = replace(call, timeout=timeout)
        if not call.authenticate:
            return self._send_with_retries(call, None, deadline)
        token = self._token(timeout, deadline)
        try:
            return self._send_with_retries(call, token, deadline)
        except AuthenticationFailed as error:
            if isinstance(self.credential, (ApiKey, UserToken)) or not _is_expired(error):
                raise
        # Nothing was done for the rejected token, so any call may be sent again.
        token = self._token(timeout, deadline, rejected_token=token)
        return self._send_with_retries(call, token, deadline)

    def _token(self, timeout: Timeout, deadline: float, *, rejected_token: str | None = None) -> str:
        credential = self.credential
        if isinstance(credential, ApiKey):
            return credential.key
        if isinstance(credential, UserToken):
            return credential.token
        check_supported(credential.sign_in_operation, credential, self.edition)
        return self.pool.tokens.get(
            (self.root, credential),
            lambda: self._sign_in(credential, timeout, deadline),
            lock_timeout=deadline - time.monotonic(),
            rejected_token=rejected_token,
        )

    def _sign_in(self, credential: EmailPassword | SignedEmbedding, timeout: Timeout, deadline: float) -> str:
        call = replace(credential.sign_in_call(self.pool.clock()), timeout=timeout)
        session = self._send_with_retries(call, None, deadline)
        token = session.get("token") if isinstance(session, dict) else None
        try:
            check_token(token if isinstance(token, str) else "")
        except ValueError as error:
            detail = "the response has no token"
            raise UnexpectedResponse(call.operation, detail=detail) from error
        return str(token)

    # Not urllib3's Retry: whether to retry depends on the decoded error, the deadline covers all attempts, and a
    # Retry-After above five seconds goes to the caller.
    def _send_with_retries(self, call: ApiCall, token: str | None, deadline: float) -> Any:
        retries = self.pool.retries
        attempt = 1
        while True:
            try:
                return self._send(call, token, deadline)
            except ApiError as error:
                if attempt >= retries.attempts or not _is_retryable(error, call):
                    raise
                retry_after = error.retry_after or 0.0
                wait = retries.backoff(attempt, at_least=retry_after)
                if retry_after > _MAX_RETRY_AFTER or time.monotonic() + wait >= deadline:
                    raise
            attempt += 1
            retries.sleep(wait)

    def _send(self, call: ApiCall, token: str | None, deadline: float) -> Any:
        request = build_request(call, root=self.root, token=token, user_agent=_USER_AGENT)
        response = self.pool.send(call.operation, request, timeout=call.timeout or self.timeout, deadline=deadline)
        secrets = secrets_of(call) + ((token,) if token else ())
        return decode(call.operation, response, secrets=secrets)


def _is_retryable(error: ApiError, call: ApiCall) -> bool:
    """Whether the same call may soon succeed, and sending it again does no harm."""
    if isinstance(error, ConnectionFailed):
        return call.is_repeatable or not error.outcome_unknown
    if isinstance(error, ServerError):
        return call.is_repeatable and error.status in _RETRY_STATUSES
    return call.is_repeatable and isinstance(error, RateLimited)


def _is_expired(error: AuthenticationFailed) -> bool:
    """Whether another token would help."""
    return error.status == 401 or error.code == "SESSION_EXPIRED"
