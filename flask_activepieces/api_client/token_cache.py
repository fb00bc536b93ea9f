"""The tokens of credentials that sign in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from .errors import AuthenticationFailed, CallTimedOut

#: Activepieces' user tokens live for seven days; they are renewed an hour earlier.
_TOKEN_SECONDS = 7 * 24 * 3600 - 3600
#: A rejected sign-in is not repeated for a minute. Activepieces allows an IP address 50 sign-ins a minute: one wrong
#: password must not lock out the other users behind the same address.
_REJECTION_SECONDS = 60
#: The least recently used entry is dropped.
_MAX_ENTRIES = 1000


@dataclass
class _Entry:
    """The token of one credential on one server, or its rejection; ``lock`` is held during a sign-in."""

    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    token: str | None = field(default=None, repr=False)
    rejection: AuthenticationFailed | None = None
    expires_at: float = 0.0


class TokenCache:
    """Tokens by server and credential, for any number of threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(
        self, key: Hashable, sign_in: Callable[[], str], *, lock_timeout: float, rejected_token: str | None = None
    ) -> str:
        """A valid token other than ``rejected_token``.

        While one thread signs in, others wait for its token, up to ``lock_timeout`` seconds.
        """
        entry = self._entry(key)
        if not entry.lock.acquire(timeout=max(lock_timeout, 0)):
            raise CallTimedOut("sign_in", seconds=lock_timeout)
        try:
            now = self._clock()
            if now < entry.expires_at:
                if entry.rejection is not None:
                    # A copy: an exception collects the traceback of each raise.
                    raise AuthenticationFailed(**vars(entry.rejection))
                if entry.token is not None and entry.token != rejected_token:
                    return entry.token
            try:
                entry.token, entry.rejection = sign_in(), None
                entry.expires_at = now + _TOKEN_SECONDS
            except AuthenticationFailed as error:
                entry.rejection = error
                entry.expires_at = now + _REJECTION_SECONDS
                raise
            return entry.token
        finally:
            entry.lock.release()

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > _MAX_ENTRIES:
                self._entries.popitem(last=False)
            return entry
