"""The cost of events: storing, delivering, and finding what is due among many that wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields
from sqlalchemy import insert, text

from flask_activepieces import Activepieces
from flask_activepieces.delivery.subscriptions.records import Subscriber
from flask_activepieces.pieces.declarations import Piece, Trigger
from flask_activepieces.state import get_state
from flask_activepieces.storage.event_tables import deliveries, events, subscriptions

from . import host
from .databases import Database
from .receiver import receiver

SUBSCRIBERS = 10
FEW, MANY = 1_000, 1_000_000


class TaskSchema(Schema):
    """The payload."""

    id = fields.Integer()
    title = fields.String()
    done = fields.Boolean()


@dataclass(frozen=True)
class DeliveryFigures:
    """The figures of one database."""

    database: str
    #: Milliseconds of CPU of the app for each ``emit``, and for the same INSERT alone.
    emit_ms: float
    insert_ms: float
    #: Deliveries for each second of CPU of the worker's process: in any order, and in order.
    per_cpu_second: float
    ordered_per_cpu_second: float
    #: Milliseconds in which a subscription is claimed and given back while few or many deliveries wait; only measured
    #: on a database server.
    claim_few_ms: float | None
    claim_many_ms: float | None
    emit_target: float = 0.3
    speed_target: float = 400

    @property
    def emit_met(self) -> bool:
        """Whether ``emit`` meets its target."""
        return self.emit_ms <= self.emit_target

    @property
    def speed_met(self) -> bool:
        """Whether deliveries in order meet their target."""
        return self.ordered_per_cpu_second >= self.speed_target


def measure_delivery(database: Database, *, rounds: int, many: int = MANY) -> DeliveryFigures:
    """Measure on a new database."""
    with receiver() as url:
        app, trigger, ordered = _make_app(database.url, url)
        with app.app_context():
            db: SQLAlchemy = app.extensions["sqlalchemy"]
            db.create_all()
            for each in (trigger, ordered):
                _subscribe(url, each)
            emit_ms, insert_ms = _measure_emit(db, trigger, rounds)
            speed, ordered_speed = (
                max(_measure_worker(db, each) for _ in range(rounds)) for each in (trigger, ordered)
            )
            few = many_ms = None
            if database.admin is not None:
                few, many_ms = _measure_claims(db, FEW), _measure_claims(db, many)
            db.engine.dispose()
    return DeliveryFigures(database.title, emit_ms, insert_ms, speed, ordered_speed, few, many_ms)


def _make_app(database_url: str, url: str) -> tuple[Flask, Trigger, Trigger]:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=host.SECRET_KEY,
        SQLALCHEMY_DATABASE_URI=database_url,
        ACTIVEPIECES_BASE_URL=url,
        ACTIVEPIECES_SCOPES=host.SCOPES,
    )
    SQLAlchemy(app)
    activepieces = Activepieces(host.OneUserHost(), piece=Piece(name="piece-bench", title="Bench"))
    trigger = activepieces.trigger(
        "task_done", scope="tasks:read", payload=TaskSchema, samples=list, description="A task was done"
    )
    ordered = activepieces.trigger(
        "task_moved", scope="tasks:read", payload=TaskSchema, samples=list, description="Moved", ordered=True
    )
    activepieces.init_app(app)
    return app, trigger, ordered


def _subscribe(url: str, trigger: Trigger) -> None:
    subscriber = Subscriber(
        tenant_id="acme",
        organization_id=None,
        user_id=None,
        client_id=None,
        grant_id=None,
        personal_token_id=None,
        scope="tasks:read",
    )
    for number in range(SUBSCRIBERS):
        get_state().delivery.subscriptions.subscribe(
            subscriber, trigger.name, webhook_url=f"{url}/api/v1/webhooks/flow{number}", inputs={}
        )


def _measure_emit(db: SQLAlchemy, trigger: Trigger, rounds: int, times: int = 100) -> tuple[float, float]:
    """Milliseconds of CPU for each call, of the round with the least disturbance."""
    row = {
        "uid": "",
        "tenant_id": "acme",
        "organization_id": "",
        "user_id": None,
        "trigger_name": "task_done",
        "payload": '{"id": 1}',
        "created_at": 1,
        "pending": 1,
    }

    def emit(number: int) -> None:
        trigger.emit({"id": number, "title": "Write the report", "done": True}, tenant_id="acme")

    def insert_only(number: int) -> None:
        db.session.execute(insert(events), {**row, "uid": f"evt_{number}"})

    def one_round(call: Callable[[int], None]) -> float:
        call(-1)
        started = time.process_time()
        for number in range(times):
            call(number)
        spent = time.process_time() - started
        db.session.rollback()
        return spent / times * 1000

    pairs = [(one_round(emit), one_round(insert_only)) for _ in range(3 * rounds)]
    return min(emitted for emitted, _ in pairs), min(inserted for _, inserted in pairs)


def _measure_worker(db: SQLAlchemy, trigger: Trigger, count: int = 100) -> float:
    trigger.emit_many([{"id": number} for number in range(count)], tenant_id="acme")
    db.session.commit()
    started = time.process_time()
    attempts = get_state().delivery.worker().run_once()
    spent = time.process_time() - started
    assert attempts == count * SUBSCRIBERS, attempts
    return attempts / spent


def _measure_claims(db: SQLAlchemy, waiting: int) -> float:
    """Milliseconds for a claim and the look at a slice, with this number of rows that wait for later."""
    _fill(db, waiting)
    state = get_state()
    spent = []
    for _ in range(15):
        db.session.execute(
            text(f"UPDATE {subscriptions.name} SET due_at = 1, lease_until = 0 WHERE trigger_name = 'task_done'")
        )
        db.session.commit()
        started = time.perf_counter()
        attempts = state.delivery.worker(threads=1).run_once()
        spent.append((time.perf_counter() - started) * 1000)
        assert attempts == 0
    return median(spent)


def _fill(db: SQLAlchemy, waiting: int) -> None:
    later = int(time.time()) + 86_400
    values: dict[str, Any] = {"count": waiting, "later": later}
    for table in (deliveries, events):
        db.session.execute(text(f"TRUNCATE {table.name}"))
    db.session.execute(
        text(
            f"INSERT INTO {events.name} (uid, tenant_id, organization_id, trigger_name, payload, created_at)"
            " VALUES ('evt_1', 'acme', '', 'task_done', '{}', 1)"
        )
    )
    db.session.execute(
        text(
            f"INSERT INTO {deliveries.name} (event_id, subscription_id, tenant_id, state, due_at, attempts,"
            " created_at, updated_at) SELECT n, s.id, 'acme', 'pending', :later, 1, 1, 1"
            f" FROM generate_series(1, :count / {SUBSCRIBERS}) AS n, {subscriptions.name} AS s"
            " WHERE s.trigger_name = 'task_done'"
        ),
        values,
    )
    db.session.commit()
    db.session.execute(text(f"ANALYZE {deliveries.name}"))
    db.session.commit()
