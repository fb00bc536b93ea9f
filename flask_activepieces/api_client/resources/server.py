"""The server itself: its version, its edition, and whether it answers."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from .resource import Resource

_RELEASE = re.compile(r"(\d{1,9})\.(\d{1,9})\b")


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """What the server says of itself to anybody who asks."""

    version: str = field(metadata={"wire": "CURRENT_VERSION"})
    #: ``ce``, ``ee`` or ``cloud``.
    edition: str = field(metadata={"wire": "EDITION"})
    #: With ``test``, no piece checks the values of connections.
    environment: str | None = field(default=None, metadata={"wire": "ENVIRONMENT"})
    #: Where browsers find it.
    public_url: str | None = field(default=None, metadata={"wire": "PUBLIC_URL"})
    #: Where authorized users come back to, unless an app of one's own says otherwise.
    redirect_url: str | None = field(
        default=None, metadata={"wire": "THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL"}
    )
    #: Seconds that a flow has for its answer to a synchronous webhook.
    webhook_timeout: float = field(default=30, metadata={"wire": "WEBHOOK_TIMEOUT_SECONDS"})
    #: The origins that may show the embedded builder in a frame.
    embed_origins: tuple[str, ...] = field(default=(), metadata={"wire": "ALLOWED_EMBED_ORIGINS"})


def release(version: str) -> tuple[int, int]:
    """The first two numbers of a version, to be compared; of what has none, the highest: it is newer than we are."""
    found = _RELEASE.match(version)
    return (int(found[1]), int(found[2])) if found else (sys.maxsize, 0)


@dataclass(frozen=True, kw_only=True)
class _Health:
    status: str


class Server(Resource):
    """``client.server``: what anybody may know, so that the credential is not sent."""

    def info(self) -> ServerInfo:
        """What the server says of itself."""
        return self._one(ServerInfo, "server.info", "GET", "/flags", anonymous=True)

    def is_healthy(self) -> bool:
        """Whether the server calls itself healthy; a `ApiError` when it does not answer at all."""
        health = self._one(_Health, "server.is_healthy", "GET", "/health", anonymous=True)
        return health.status == "Healthy"
