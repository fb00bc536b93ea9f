"""An app with triggers, flows that subscribe to them, and the webhooks of these flows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields

from flask_activepieces import Activepieces
from flask_activepieces.delivery.subscriptions.records import Subscriber, Subscription
from flask_activepieces.pieces.declarations import Piece, Trigger
from flask_activepieces.state import get_state

from .hosts import SCOPES, SECRET_KEY, SmallHost

Answer = Callable[["Received"], tuple[int, Mapping[str, str]]]


@dataclass(frozen=True)
class Received:
    """A request to a webhook."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]

    @property
    def flow(self) -> str:
        return self.path.rpartition("/")[2]


def accept(received: Received) -> tuple[int, Mapping[str, str]]:
    return 200, {}


def always(status: int, **headers: str) -> Answer:
    """The same answer to everything; ``Retry_After`` is the header ``Retry-After``."""
    return lambda received: (status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Webhooks:
    """An Activepieces server that has webhooks only."""

    url: str = ""
    #: What it answers; tests may replace it.
    answer: Answer = accept
    body: bytes = b"{}"
    received: list[Received] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def url_of(self, flow: str) -> str:
        return f"{self.url}/api/v1/webhooks/{flow}"

    def data_of(self, flow: str) -> list[Any]:
        return [each.data for each in self.received if each.flow == flow]


@contextmanager
def webhooks() -> Iterator[Webhooks]:
    """A running server."""
    state = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with suppress(ConnectionError):  # its worker was killed
                super().handle()

        def do_POST(self) -> None:
            body = self.rfile.read(length := int(self.headers["content-length"]))
            if len(body) < length:
                self.close_connection = True
                return  # its worker was killed
            received = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            with state.lock:
                state.received.append(received)
            status, headers = state.answer(received)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(state.body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 100

    with Server(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()


class TaskSchema(Schema):
    id = fields.Integer()
    title = fields.String()
    salary = fields.Integer(metadata={"scope": "tasks:write"})


class FilterSchema(Schema):
    title = fields.String()


@dataclass
class EventApp:
    """The app, and its triggers: ``task_done``, and ``task_moved`` whose events stay in order."""

    app: Flask
    db: SQLAlchemy
    done: Trigger
    moved: Trigger

    @property
    def delivery(self) -> Any:
        return get_state(self.app).delivery

    def emit(self, *numbers: int, tenant: str = "acme", trigger: Trigger | None = None, **recipients: Any) -> None:
        """Emit events, and commit."""
        payloads = [{"id": number, "title": f"Task {number}", "salary": 1} for number in numbers]
        (trigger or self.done).emit_many(payloads, tenant_id=tenant, **recipients)
        self.db.session.commit()

    def subscribe(
        self, url: str | None, trigger: str = "task_done", *, inputs: Mapping[str, Any] | None = None, **who: Any
    ) -> tuple[Subscription, str]:
        """The subscription of a program, and its secret."""
        nobody = dict.fromkeys(("organization_id", "user_id", "client_id", "grant_id", "personal_token_id"))
        subscriber = Subscriber(**{**nobody, "tenant_id": "acme", "scope": "tasks:read tasks:write", **who})
        subscription, secret, _ = self.delivery.subscriptions.subscribe(
            subscriber, trigger, webhook_url=url, inputs=inputs or {}
        )
        return subscription, secret

    def deliver(self) -> int:
        """What is due now; returns the number of attempts."""
        return int(self.delivery.worker(threads=4).run_once())

    def state_of(self, subscription: Subscription) -> str:
        return str(self.delivery.subscriptions.get(subscription.id, tenant_id=subscription.tenant_id).state)

    def logged(self, **filters: Any) -> list[Any]:
        """The deliveries, the oldest first."""
        return list(reversed(self.delivery.log.list(None, limit=1000, **filters)))


def make_event_app(
    directory: Path,
    server: str,
    *,
    database: str | None = None,
    clock: Callable[[], float] = time.time,
    **options: Any,
) -> EventApp:
    """An app on this server; the caller pushes its context."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=SECRET_KEY,
        SQLALCHEMY_DATABASE_URI=database or f"sqlite:///{directory / 'events.sqlite'}",
        ACTIVEPIECES_SCOPES=SCOPES,
        ACTIVEPIECES_BASE_URL=server,
        **options,
    )
    db = SQLAlchemy(app)
    activepieces = Activepieces(
        options.get("HOST") or SmallHost(), piece=Piece(name="piece-tasks", title="Tasks"), clock=clock
    )
    done = activepieces.trigger(
        "task_done",
        scope="tasks:read",
        payload=TaskSchema,
        samples=list,
        description="A task was done",
        input=FilterSchema,
        matches=lambda payload, inputs: inputs.get("title") in (None, payload["title"]),
    )
    moved = activepieces.trigger(
        "task_moved", scope="tasks:read", payload=TaskSchema, samples=list, description="Moved", ordered=True
    )
    activepieces.init_app(app)
    return EventApp(app, db, done, moved)


def make_flask_app(directory: str, server: str) -> Flask:
    """The app for the ``flask`` command; the tables exist already."""
    return make_event_app(Path(directory), server).app
