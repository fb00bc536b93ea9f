"""`ServerState`: all that the areas of the stand-in share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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

#: What a plan may include; a platform without one of these is answered 402 where it matters.
FEATURES = ("apiKeysEnabled", "embeddingEnabled", "globalConnectionsEnabled", "managePiecesEnabled")


def features_of(edition: Edition) -> set[str]:
    """What the plan of an edition includes."""
    return set(FEATURES) if edition == "ee" else set()


@dataclass(frozen=True)
class ReceivedCall:
    """One request that the stand-in got, without anything that could be a secret."""

    method: str
    path: str


@dataclass(kw_only=True)
class ServerState:
    """One stand-in: its store, its time, what it plays, and what happened to it."""

    store: Store
    clock: Clock
    sleep: Callable[[float], None]
    edition: Edition
    version: Version
    #: Whether a worker asks the piece about each connection (AP_ENVIRONMENT=prod), or nobody does ("test").
    validates_values: bool
    #: Whether a worker is there at all: without one, validation ends in silence and an error.
    has_worker: bool
    #: Whether two upserts that overlap make two rows, as on a real server.
    duplicate_upserts: bool
    #: The private addresses and networks on which token endpoints are asked (AP_SSRF_ALLOW_LIST).
    ssrf_allow_list: Sequence[str]
    #: Whether the platform has used up the runs that its plan includes.
    over_quota: bool
    #: Seconds that a caller of a webhook waits for an answer at most (AP_WEBHOOK_TIMEOUT_SECONDS).
    webhook_timeout: float = 30
    url: str = "http://127.0.0.1:8080"
    faults: Faults = field(default_factory=Faults)
    #: What plays the pieces of the catalogue, by the id of their row.
    pieces: dict[str, StandinPiece] = field(default_factory=dict)
    plan: set[str] = field(init=False)
    calls: list[ReceivedCall] = field(default_factory=list)
    token_requests: list[TokenRequest] = field(default_factory=list)
    sign_in_limit: RateLimit = field(default_factory=RateLimit)
    jobs: Jobs = field(default_factory=Jobs)
    #: Held while what must not overlap is done.
    lock: RLock = field(default_factory=RLock)
    _renewals: dict[str, Lock] = field(default_factory=dict)
    #: What user tokens are signed with.
    jwt_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def __post_init__(self) -> None:
        self.plan = features_of(self.edition)

    @contextmanager
    def renewing(self, connection_id: str) -> Iterator[None]:
        """For one connection, one at a time: two refreshes with the same token would be one too many."""
        with self.lock:
            lock = self._renewals.setdefault(connection_id, Lock())
        with lock:
            yield

    def has(self, change: Change) -> bool:
        """Whether the version that is played has the change."""
        return change.is_in(self.version)

    @property
    def release(self) -> str:
        """The version in full, as the server says it."""
        return RELEASES[self.version]

    @property
    def api_root(self) -> str:
        """0.78 serves /v1; the proxy in its image adds /api."""
        return "/api/v1" if self.has(API_PREFIX) else "/v1"
