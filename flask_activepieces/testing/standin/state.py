"""`ServerState`: the state that all route groups share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock, RLock
from typing import Literal

from ...clock import Clock
from .connections.oauth_client import TokenRequest
from .faults import Faults
from .jobs import Jobs
from .pieces.piece import StandinPiece
from .routing.rate_limit import RateLimit
from .store import Store
from .versions import API_PREFIX, RELEASES, Change, Version

Edition = Literal["ee", "ce"]

#: Optional features of a plan; routes that need a missing one return 402.
FEATURES = ("apiKeysEnabled", "embeddingEnabled", "globalConnectionsEnabled", "managePiecesEnabled")


def features_of(edition: Edition) -> set[str]:
    """The features in the plan of an edition."""
    return set(FEATURES) if edition == "ee" else set()


@dataclass(frozen=True)
class ReceivedCall:
    """A received request, without anything that could be secret."""

    method: str
    path: str


@dataclass(kw_only=True)
class ServerState:
    """One stand-in: its store, clock, configuration and received requests."""

    store: Store
    clock: Clock
    sleep: Callable[[float], None]
    edition: Edition
    version: Version
    #: Whether a worker runs the piece's check on each connection (AP_ENVIRONMENT=prod) or not ("test").
    validates_values: bool
    #: Whether there is a worker; without one, checks of connections time out.
    has_worker: bool
    #: Whether two concurrent upserts create two rows, as on a real server.
    duplicate_upserts: bool
    #: The private addresses and networks to which token requests may be sent (AP_SSRF_ALLOW_LIST).
    ssrf_allow_list: Sequence[str]
    #: Whether the platform has used up the runs in its plan.
    over_quota: bool
    #: The longest time that a caller of a webhook waits, in seconds (AP_WEBHOOK_TIMEOUT_SECONDS).
    webhook_timeout: float = 30
    #: The path of Node, which then runs the JavaScript of installed pieces; None: Python imitates it.
    node: str | None = None
    url: str = "http://127.0.0.1:8080"
    faults: Faults = field(default_factory=Faults)
    #: The functions of pieces, by the id of their row; those of an installed piece are loaded when they are needed.
    pieces: dict[str, StandinPiece] = field(default_factory=dict)
    #: Called when the server is closed.
    on_close: list[Callable[[], None]] = field(default_factory=list)
    plan: set[str] = field(init=False)
    calls: list[ReceivedCall] = field(default_factory=list)
    token_requests: list[TokenRequest] = field(default_factory=list)
    sign_in_limit: RateLimit = field(default_factory=RateLimit)
    jobs: Jobs = field(default_factory=Jobs)
    #: Held during operations that must not overlap.
    lock: RLock = field(default_factory=RLock)
    _renewals: dict[str, Lock] = field(default_factory=dict)
    #: The signing key of user tokens.
    jwt_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    #: The numbers of the next signing keys (see `key_pair`).
    key_numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.plan = features_of(self.edition)

    @contextmanager
    def renewing(self, connection_id: str) -> Iterator[None]:
        """Serialize the refreshes of one connection: the same refresh token must not be used twice."""
        with self.lock:
            lock = self._renewals.setdefault(connection_id, Lock())
        with lock:
            yield

    def has(self, change: Change) -> bool:
        """Whether this server's version has the change."""
        return change.is_in(self.version)

    @property
    def release(self) -> str:
        """The full version, as the server reports it."""
        return RELEASES[self.version]

    @property
    def api_root(self) -> str:
        """0.78 serves /v1; the proxy in its image adds /api."""
        return "/api/v1" if self.has(API_PREFIX) else "/v1"
