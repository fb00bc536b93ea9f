"""`ActivepiecesServer`: the stand-in as a program, on a port of the loopback."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from ...clock import Clock
from ..http_server import HttpServer
from .access.accounts import make_api_key, make_platform
from .access.people import make_identity, set_password
from .access.projects import make_project
from .app import make_app
from .connections.engine import read_connection
from .connections.oauth_client import LOOPBACK, TokenRequest
from .connections.rows import KIND, belongs_to
from .faults import Faults
from .flows.rows import end_deletions
from .pieces.catalogue import add_pieces
from .pieces.piece import Piece
from .pieces.webhook_piece import WEBHOOK
from .routing.authentication import engine_token, user_token
from .routing.rate_limit import RateLimit
from .routing.responses import Row
from .state import Edition, ReceivedCall, World, features_of
from .store import Store
from .versions import RELEASES, Version

EMAIL = "admin@example.com"


class ActivepiecesServer:
    """A small Activepieces for tests and demos: real HTTP on loopback, for as long as a ``with`` block runs.

    It answers as recordings of real servers do, faults included. ``clock`` and ``sleep`` are for tests; so are
    ``validates`` (a worker asks the piece about each new connection), ``has_worker`` (False: it asks in vain),
    ``racy`` (overlapping upserts make duplicates), ``ssrf_allow_list`` (the private addresses on which token
    endpoints are asked; a real server's own list is empty), ``over_quota`` (no flow runs any more) and
    ``webhook_timeout`` (for how long a flow without an answer keeps its caller waiting).
    """

    def __init__(
        self,
        *,
        port: int = 0,
        edition: Edition = "ee",
        version: Version = "0.85",
        pieces: Sequence[Piece] = (),
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        database: str | Path = ":memory:",
        validates: bool = False,
        has_worker: bool = True,
        racy: bool = True,
        ssrf_allow_list: Sequence[str] = LOOPBACK,
        over_quota: bool = False,
        webhook_timeout: float = 30,
    ) -> None:
        if version not in RELEASES:
            raise ValueError(f"version must be one of {', '.join(RELEASES)}, not {version!r}")
        self._port = port
        self.world = World(
            store=Store(database, clock=clock),
            clock=clock,
            sleep=sleep,
            edition=edition,
            version=version,
            validates=validates,
            has_worker=has_worker,
            racy=racy,
            ssrf_allow_list=ssrf_allow_list,
            over_quota=over_quota,
            webhook_timeout=webhook_timeout,
        )
        add_pieces(self.world, (WEBHOOK, *pieces))
        self.app = make_app(self.world)
        self._server: HttpServer | None = None
        self.email = EMAIL
        #: New at each start: a password that everybody knows would be one for all that listens somewhere.
        self.password = secrets.token_urlsafe(12)
        self.api_key: str = ""
        self.platform_id: str = ""
        self.project_id: str = ""
        self._settle()
        self._beginning = self.world.store.snapshot()

    def reset(self) -> None:
        """As on the first day: what was made since is gone, and so are faults; ids and keys are the same."""
        world = self.world
        world.jobs.wait()
        world.store.restore(self._beginning)
        world.faults.clear()
        world.calls.clear()
        world.token_requests.clear()
        world.sign_in_limit = RateLimit()
        world.plan = features_of(world.edition)

    def _settle(self) -> None:
        """The first user, a platform, a project and a key; in a file that has them, only password and key are new."""
        world = self.world
        platform = world.store.first("platform")
        if platform is None:
            identity = make_identity(
                world, email=self.email, password=self.password, first="Ada", last="Admin"
            )
            platform = make_platform(world, identity, "Stand-in")
        else:
            set_password(world, self.email, self.password)
        self.platform_id = platform["id"]
        project = world.store.first("project", platformId=self.platform_id, type="TEAM")
        if project is None:
            owner = world.store.get("user", platform["ownerId"])
            assert owner is not None
            project = make_project(world, owner, "Stand-in project")
        self.project_id = project["id"]
        if world.edition == "ee":
            _, self.api_key = make_api_key(world, platform["id"], "stand-in")

    def start(self) -> ActivepiecesServer:
        """Listen; the port is known from now on."""
        self._server = HttpServer(self.app, self._port)
        self.world.url = f"http://127.0.0.1:{self._server.port}"
        return self

    def stop(self) -> None:
        """Listen no more, and let go of whoever still waits for an answer."""
        if self._server is not None:
            self.world.faults.end()
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Stop, end the runs that were begun, and close the store."""
        self.stop()
        self.world.jobs.close()
        self.world.store.close()

    def __enter__(self) -> ActivepiecesServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where the server is, without /api/v1."""
        return self.world.url

    @property
    def faults(self) -> Faults:
        """What it is told to do wrong."""
        return self.world.faults

    @property
    def calls(self) -> list[ReceivedCall]:
        """The requests that it got."""
        return self.world.calls

    @property
    def token_requests(self) -> list[TokenRequest]:
        """The requests that it sent to token endpoints."""
        return self.world.token_requests

    def finish_runs(self) -> None:
        """Wait until every run that was begun has ended; flows that were being deleted are gone then, too."""
        self.world.jobs.wait()
        end_deletions(self.world, math.inf)

    def user_token(self) -> str:
        """A fresh session of the admin."""
        platform = self.world.store.get("platform", self.platform_id)
        assert platform is not None
        user = self.world.store.get("user", platform["ownerId"])
        assert user is not None
        return user_token(self.world, user)

    def read_as_engine(self, external_id: str, *, project_id: str | None = None) -> Row:
        """A connection as a piece receives it, its token renewed if that is due; of this project, or the first."""
        found = read_connection(self.world, project_id or self.project_id, external_id)
        assert found is not None, f"the project has no connection {external_id}"
        return found

    def break_connection(self, external_id: str, *, project_id: str | None = None) -> None:
        """Let a connection turn ERROR, as one does whose token is renewed no more; of this project, or the first."""
        store = self.world.store
        found = store.all(KIND, belongs_to(project_id or self.project_id), externalId=external_id)
        assert found, f"the project has no connection {external_id}"
        store.change(KIND, found[0]["id"], status="ERROR")

    def engine_token(self) -> str:
        """What the engine shows while it runs a flow of the project."""
        return engine_token(self.world, self.project_id)
