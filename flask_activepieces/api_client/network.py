"""A guard for tests: the pytest plugin forbids API calls to other machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ..config.urls import is_loopback


class NetworkRefused(RuntimeError):
    """Raised in a test that would call a real server; not an `ApiError`, so that no handler catches it."""


class Network:
    """One for the process, because any thread may serve the app under test."""

    def __init__(self) -> None:
        self._is_loopback_only = False

    @contextmanager
    def loopback_only(self, value: bool) -> Iterator[None]:
        """Forbid or allow calls to other machines within the block."""
        previous, self._is_loopback_only = self._is_loopback_only, value
        try:
            yield
        finally:
            self._is_loopback_only = previous

    def check(self, operation: str, url: str) -> None:
        """Raises `NetworkRefused` for a forbidden call."""
        parts = urlsplit(url)
        if self._is_loopback_only and not is_loopback(parts.hostname or ""):
            raise NetworkRefused(
                f"This test would call {operation} at {parts.scheme}://{parts.netloc}."
                " Set ACTIVEPIECES_BASE_URL to the url of the fixture activepieces_server,"
                " or mark the test with @pytest.mark.activepieces_network to allow calls to real servers."
            )


network = Network()
