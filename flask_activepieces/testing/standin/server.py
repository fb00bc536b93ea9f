"""`ActivepiecesServer`: the stand-in on a loopback port."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType

from ...clock import Clock
from ..http_server import HttpServer
from .access.accounts import add_api_key, add_platform
from .access.people import add_identity, set_password
from .access.projects import add_project
from .access.signing_keys import add_key, key_pair
from .app import make_app
from .connections.engine import read_connection
from .connections.oauth_client import LOOPBACK, TokenRequest
from .connections.rows import KIND, in_project, upsert_row
from .embedding.pages import SDK
from .faults import Faults
from .flows.rows import finish_deletions, published_version
from .pieces.catalogue import HIDDEN, add_pieces
from .pieces.piece import StandinPiece
from .pieces.webhook_piece import WEBHOOK
from .routing.authentication import engine_token, user_token
from .routing.rate_limit import RateLimit
from .routing.responses import Row
from .state import Edition, ReceivedCall, ServerState, features_of
from .store import Store, new_id
from .triggers.hooks import call_hook, trigger_of
from .triggers.runs import start_runs
from .versions import RELEASES, Version

EMAIL = "admin@example.com"


class ActivepiecesServer:
    """A small Activepieces for tests and demos: real HTTP on loopback, while a ``with`` block runs.

    It reproduces recordings of real servers, including their bugs. Arguments for tests:

    - ``clock`` and ``sleep`` replace the system's time.
    - ``validates_values``: a worker runs the piece's check on each new connection.
    - ``has_worker=False``: there is no worker, so that check times out.
    - ``duplicate_upserts``: overlapping upserts create duplicate connections.
    - ``ssrf_allow_list``: private addresses to which token requests may be sent; empty on a real server.
    - ``over_quota``: flows no longer run.
    - ``webhook_timeout``: how long the caller of a webhook waits for a flow that sends no response.
    - ``node``: the path of Node, which then runs the JavaScript of installed pieces instead of its imitation.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        edition: Edition = "ee",
        version: Version = "0.85",
        pieces: Sequence[StandinPiece] = (),
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        database: str | Path = ":memory:",
        validates_values: bool = False,
        has_worker: bool = True,
        duplicate_upserts: bool = True,
        ssrf_allow_list: Sequence[str] = LOOPBACK,
        over_quota: bool = False,
        webhook_timeout: float = 30,
        node: str | None = None,
    ) -> None:
        if version not in RELEASES:
            raise ValueError(f"version must be one of {', '.join(RELEASES)}, not {version!r}")
        self._port = port
        self.state = ServerState(
            store=Store(database, clock=clock),
            clock=clock,
            sleep=sleep,
            edition=edition,
            version=version,
            validates_values=validates_values,
            has_worker=has_worker,
            duplicate_upserts=duplicate_upserts,
            ssrf_allow_list=ssrf_allow_list,
            over_quota=over_quota,
            webhook_timeout=webhook_timeout,
            node=node,
        )
        add_pieces(self.state, (WEBHOOK, *pieces))
        self.app = make_app(self.state)
        self._server: HttpServer | None = None
        self.email = EMAIL
        #: Random at each start: a fixed password in a released package would be public.
        self.password = secrets.token_urlsafe(12)
        self.api_key: str = ""
        self.platform_id: str = ""
        self.project_id: str = ""
        self._create_initial_rows()
        self._initial_rows = self.state.store.snapshot()

    def reset(self) -> None:
        """Restore the initial state, without faults; ids and keys stay the same."""
        state = self.state
        state.jobs.wait()
        state.store.restore(self._initial_rows)
        state.faults.clear()
        state.calls.clear()
        state.token_requests.clear()
        state.sign_in_limit = RateLimit()
        state.key_numbers = count()
        state.plan = features_of(state.edition)

    def _create_initial_rows(self) -> None:
        """Create the first user, platform, project and key; in an existing file, only a new password and key."""
        state = self.state
        platform = state.store.first("platform")
        if platform is None:
            identity = add_identity(state, email=self.email, password=self.password, first="Ada", last="Admin")
            platform = add_platform(state, identity, "Stand-in")
        else:
            set_password(state, self.email, self.password)
        self.platform_id = platform["id"]
        project = state.store.first("project", platformId=self.platform_id, type="TEAM")
        if project is None:
            owner = state.store.get("user", platform["ownerId"])
            assert owner is not None
            project = add_project(state, owner, "Stand-in project")
        self.project_id = project["id"]
        if state.edition == "ee":
            _, self.api_key = add_api_key(state, platform["id"], "stand-in")

    def start(self) -> ActivepiecesServer:
        """Start to listen; from now on the port is known."""
        self._server = HttpServer(self.app, self._port)
        self.state.url = f"http://127.0.0.1:{self._server.port}"
        return self

    def stop(self) -> None:
        """Stop listening, and end delayed responses."""
        if self._server is not None:
            self.state.faults.end_delays()
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Stop, finish all runs, and close the store."""
        self.stop()
        self.state.jobs.close()
        for close in self.state.on_close:
            close()
        self.state.store.close()

    def __enter__(self) -> ActivepiecesServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The server's base URL, without /api/v1."""
        return self.state.url

    @property
    def faults(self) -> Faults:
        """The faults to inject."""
        return self.state.faults

    @property
    def calls(self) -> list[ReceivedCall]:
        """The received requests."""
        return self.state.calls

    @property
    def token_requests(self) -> list[TokenRequest]:
        """The requests sent to token endpoints."""
        return self.state.token_requests

    @property
    def embed_sdk_url(self) -> str:
        """A script in place of Activepieces' embedding SDK: the value of ACTIVEPIECES_EMBED_SDK_URL."""
        return f"{self.url}{SDK}"

    def add_signing_key(self) -> tuple[str, str]:
        """A new signing key: its id, and the private key as PEM."""
        private, public = key_pair(next(self.state.key_numbers))
        return str(add_key(self.state, self.platform_id, public, "stand-in")["id"]), private

    def finish_runs(self) -> None:
        """Wait until all runs have ended; also finishes deletions of flows."""
        self.state.jobs.wait()
        finish_deletions(self.state, math.inf)

    def user_token(self) -> str:
        """A new session token of the admin."""
        platform = self.state.store.get("platform", self.platform_id)
        assert platform is not None
        user = self.state.store.get("user", platform["ownerId"])
        assert user is not None
        return user_token(self.state, user)

    def read_connection_as_piece(self, external_id: str, *, project_id: str | None = None) -> Row:
        """A connection as a piece receives it, with a refreshed token if needed. The default is the first project."""
        connection = read_connection(self.state, project_id or self.project_id, external_id)
        assert connection is not None, f"the project has no connection {external_id}"
        return connection

    def add_connection(self, piece_name: str, value: Row) -> str:
        """A connection of the first project with exactly this value; returns its external id."""
        external_id = new_id()
        fields = {"displayName": external_id, "pieceName": piece_name, "pieceVersion": "1.0.0", "ownerId": None}
        upsert_row(
            self.state,
            {"platformId": self.platform_id, "scope": "PROJECT", "externalId": external_id},
            {**fields, "type": value["type"], "status": "ACTIVE", "sealed": self.state.store.encrypt(value)},
            project_ids=[self.project_id],
        )
        return external_id

    def poll(self, flow_id: str) -> int:
        """Run the polling trigger of an enabled flow now; returns the number of runs that it started."""
        return start_runs(self.state, self._flow(flow_id), {})

    def renew(self, flow_id: str) -> None:
        """Renew the subscription of an enabled flow now; `StepFailed` if its piece cannot."""
        flow = self._flow(flow_id)
        version = published_version(self.state, flow)
        assert version is not None, "an enabled flow is published"
        found = trigger_of(self.state, version)
        call_hook(self.state, flow, found, found.trigger.on_renew)

    def _flow(self, flow_id: str) -> Row:
        flow = self.state.store.get("flow", flow_id)
        assert flow is not None and flow["status"] == "ENABLED", f"there is no enabled flow {flow_id}"
        return flow

    def hide_piece(self, piece_name: str, *, project_id: str | None = None) -> None:
        """Leave a piece out of the piece set of a project. The default is the first project."""
        self.state.store.add(HIDDEN, {"pieceName": piece_name, "projectId": project_id or self.project_id})

    def break_connection(self, external_id: str, *, project_id: str | None = None) -> None:
        """Set a connection to ERROR, as if its refresh had failed. The default is the first project."""
        store = self.state.store
        rows = store.all(KIND, in_project(project_id or self.project_id), externalId=external_id)
        assert rows, f"the project has no connection {external_id}"
        store.change(KIND, rows[0]["id"], status="ERROR")

    def engine_token(self) -> str:
        """The token that the engine uses while it runs a flow of the project."""
        return engine_token(self.state, self.project_id)
