"""Requests that wait for a slow Activepieces hold no database connection.

Flask-Login loads the user with ``db.session``, which would hold a connection until the end of the request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flask_activepieces import Activepieces, FlaskLoginHost
from flask_activepieces.testing import ActivepiecesServer
from tests.support import hosts
from tests.support.actors import Person, answer_of
from tests.support.api_user import OWN_PIECE, ApiUser
from tests.support.live import serving

WAITING_REQUESTS = 50
CLICKS = 12
#: A request for a third connection fails long before the gate opens by itself.
POOL = {"pool_size": 2, "max_overflow": 0, "pool_timeout": 20}


class Base(DeclarativeBase):
    pass


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    """A user model as in tutorials."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    is_admin: Mapped[bool]


@dataclass
class Gate:
    """Blocks requests to Activepieces' connections with one method, until it is opened."""

    method: str | None = None
    waiting: list[str] = field(default_factory=list)
    opened: Event = field(default_factory=Event)

    def block(self) -> None:
        if request.method == self.method and request.path.endswith("/app-connections"):
            self.waiting.append(request.path)
            self.opened.wait(50)

    def wait_for(self, count: int, futures: list[Any]) -> bool:
        """Wait until this many requests are blocked; none may finish before."""
        while len(self.waiting) < count:
            assert not any(future.done() for future in futures), [future.result() for future in futures]
            time.sleep(0.01)
        return True


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def server(gate: Gate) -> Iterator[ActivepiecesServer]:
    server = ActivepiecesServer(pieces=[OWN_PIECE])
    server.app.before_request(gate.block)
    with server:
        yield server


@pytest.fixture
def app(tmp_path: Path, server: ActivepiecesServer) -> Iterator[Flask]:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=hosts.SECRET_KEY,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'app.sqlite'}",
        SQLALCHEMY_ENGINE_OPTIONS=POOL,
        ACTIVEPIECES_SCOPES=hosts.SCOPES,
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name,
    )
    db = SQLAlchemy(app, metadata=Base.metadata)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda user_id: db.session.get(User, int(user_id)))
    Activepieces(FlaskLoginHost(tenant_attribute="tenant_id")).init_app(app)

    @app.get("/login")
    def login() -> ResponseReturnValue:
        login_user(db.session.get(User, int(request.args["as"])))
        return redirect("/")

    with app.app_context():
        db.create_all()
        users = [User(id=number, tenant_id="acme", is_admin=True) for number in range(1, CLICKS + 1)]
        db.session.add_all(users)
        db.session.commit()
    yield app
    hosts.dispose(app)


def test_fifty_waiting_requests_leave_connections_for_others(app: Flask, gate: Gate) -> None:
    alice = ApiUser.named(app, "1")
    integration = alice.links()
    users = [ApiUser.named(app, "1") for _ in range(WAITING_REQUESTS)]
    gate.method = "GET"

    with ThreadPoolExecutor(WAITING_REQUESTS) as pool:
        futures = [pool.submit(user.gets, f"/connections/{integration}") for user in users]
        assert gate.wait_for(WAITING_REQUESTS, futures)
        other = alice.gets(f"/setup/{integration}")
        gate.opened.set()

    assert answer_of(other)["id"] == integration
    assert [future.result().status_code for future in futures] == [200] * WAITING_REQUESTS


def test_simultaneous_clicks_leave_connections_for_redeeming_their_codes(app: Flask, gate: Gate) -> None:
    with serving(app) as url, ThreadPoolExecutor(CLICKS) as pool:
        site = url.replace("127.0.0.1", "localhost")
        people = [ApiUser(Person(app, str(number)), site) for number in range(1, CLICKS + 1)]
        integration = people[0].links()
        gate.method = "POST"

        clicks = [pool.submit(person.posts, f"/connections/{integration}/connect") for person in people]
        assert gate.wait_for(CLICKS, clicks)
        gate.opened.set()

    assert [click.result().status_code for click in clicks] == [201] * CLICKS
