"""Whether calls of Activepieces may leave this machine. In tests the pytest plugin refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ..config.urls import is_loopback


class NetworkRefused(RuntimeError):
    """Raised in a test that was about to call a real server. No handler of ours turns it into an answer."""


class Network:
    """One for the process: the app under test may be served by any thread."""

    def __init__(self) -> None:
        self._loopback_only = False

    @contextmanager
    def loopback_only(self, value: bool) -> Iterator[None]:
        """Refuse, or allow, calls to other machines while the block runs."""
        before, self._loopback_only = self._loopback_only, value
        try:
            yield
        finally:
            self._loopback_only = before

    def check(self, operation: str, url: str) -> None:
        """`NetworkRefused` if this call must not be made."""
        if not self._loopback_only:
            return
        parts = urlsplit(url)
        if not is_loopback(parts.hostname or ""):
            raise NetworkRefused(
                f"This test was about to call {operation} at {parts.scheme}://{parts.netloc}."
                " Set ACTIVEPIECES_BASE_URL to the url of the fixture activepieces_server;"
                " or mark the test with @pytest.mark.activepieces_network to let it call real servers."
            )


network = Network()
