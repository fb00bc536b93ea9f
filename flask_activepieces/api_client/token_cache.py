"""Sign-ins: a credential that has no token of its own gets one, which is kept until it must be renewed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from .errors import AuthenticationFailed, CallTimedOut

#: How long Activepieces lets a user's token live, less an hour in which it is renewed.
_LIFE = 7 * 24 * 3600 - 3600
#: A refused sign-in is not tried again for so long. Activepieces allows an address 50 sign-ins a minute, whoever it
#: speaks for: one wrong password must not lock out the others behind the same address.
_REFUSED = 60
#: How many sign-ins are remembered; the one longest unused makes room.
_MOST = 1000


@dataclass
class Session:
    """The token of one credential on one server; ``lock`` lets one thread at a time sign in."""

    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    token: str | None = field(default=None, repr=False)
    ends: float = 0.0
    refused: AuthenticationFailed | None = None


class TokenCache:
    """The sign-ins made over one `ConnectionPool`, for all the clients that share it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[Hashable, Session] = OrderedDict()

    def token(
        self, key: Hashable, sign_in: Callable[[], str], *, wait: float, stale: str | None = None
    ) -> str:
        """A token that is good and not ``stale``, which was refused.

        While one thread signs in, others wait for its token, up to ``wait`` seconds.
        """
        session = self._of(key)
        if not session.lock.acquire(timeout=max(wait, 0)):
            raise CallTimedOut("sign_in", seconds=wait)
        try:
            now = self._clock()
            if session.token is not None and session.token != stale and now < session.ends:
                return session.token
            if session.refused is not None and now < session.ends:
                error = session.refused
                raise AuthenticationFailed(
                    error.operation, status=error.status, code=error.code, detail=error.detail
                )
            session.token, session.refused = None, None
            try:
                session.token = sign_in()
            except AuthenticationFailed as error:
                session.refused, session.ends = error, now + _REFUSED
                raise
            session.ends = now + _LIFE
            return session.token
        finally:
            session.lock.release()

    def _of(self, key: Hashable) -> Session:
        with self._lock:
            session = self._sessions.setdefault(key, Session())
            self._sessions.move_to_end(key)
            if len(self._sessions) > _MOST:
                self._sessions.popitem(last=False)
            return session
