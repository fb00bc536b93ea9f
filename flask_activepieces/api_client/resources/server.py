"""The server: its version, its edition and its health."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from ..wire import ApiCall
from .resource import Resource

_RELEASE = re.compile(r"(\d{1,9})\.(\d{1,9})\b")


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """What the server publishes about itself."""

    version: str = field(metadata={"wire": "CURRENT_VERSION"})
    #: ``ce``, ``ee`` or ``cloud``.
    edition: str = field(metadata={"wire": "EDITION"})
    #: In ``test``, no piece validates connections.
    environment: str | None = field(default=None, metadata={"wire": "ENVIRONMENT"})
    #: The address for browsers.
    public_url: str | None = field(default=None, metadata={"wire": "PUBLIC_URL"})
    #: Where users return after an authorization, unless another address is registered.
    redirect_url: str | None = field(default=None, metadata={"wire": "THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL"})
    #: Seconds that a flow may take to respond to a synchronous webhook.
    webhook_timeout: float = field(default=30, metadata={"wire": "WEBHOOK_TIMEOUT_SECONDS"})
    #: The origins that may show the embedded builder in a frame.
    embed_origins: tuple[str, ...] = field(default=(), metadata={"wire": "ALLOWED_EMBED_ORIGINS"})


def release(version: str) -> tuple[int, int]:
    """The first two numbers of a version, for comparisons; an unreadable version counts as the newest."""
    match = _RELEASE.match(version)
    return (int(match[1]), int(match[2])) if match else (sys.maxsize, 0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the plan of a platform includes; the Community Edition has none of these."""

    api_keys_enabled: bool = False
    embedding_enabled: bool = False
    global_connections_enabled: bool = False
    manage_pieces_enabled: bool = False


@dataclass(frozen=True, kw_only=True)
class _Platform:
    plan: Plan = Plan()


@dataclass(frozen=True, kw_only=True)
class _Health:
    status: str


class Server(Resource):
    """``client.server``. All but the plan is public, and the credential is not sent."""

    def info(self) -> ServerInfo:
        """What the server publishes about itself."""
        return self._object(ServerInfo, ApiCall("server.info", "GET", "/flags", authenticate=False))

    def is_healthy(self) -> bool:
        """Whether the server reports that it is healthy; an `ApiError` if it does not respond."""
        call = ApiCall("server.is_healthy", "GET", "/health", authenticate=False)
        return self._object(_Health, call).status == "Healthy"

    def plan(self, platform_id: str) -> Plan:
        """What the plan of this platform includes."""
        return self._get(_Platform, "server.plan", "/platforms", platform_id).plan
