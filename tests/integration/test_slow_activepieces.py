"""A slow Activepieces, and an app whose users are in its database: who waits keeps no connection of its pool.

Flask-Login asks ``db.session`` who is signed in, which would hold a connection to the end of the request.
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

CROWD = 50
CLICKS = 12
#: Whoever wants a third connection is refused after two seconds.
POOL = {"pool_size": 2, "max_overflow": 0, "pool_timeout": 2}


class Base(DeclarativeBase):
    pass


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    """As tutorials have it."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    is_admin: Mapped[bool]


@dataclass
class Gate:
    """Holds what is asked of Activepieces about connections, by one method, until it opens."""

    method: str | None = None
    waiting: list[str] = field(default_factory=list)
    opened: Event = field(default_factory=Event)

    def hold(self) -> None:
        if request.method == self.method and request.path.endswith("/app-connections"):
            self.waiting.append(request.path)
            self.opened.wait(25)

    def holds(self, count: int, crowd: list[Any]) -> bool:
        """Whether so many came to wait; an answer that any of them got is too early."""
        while len(self.waiting) < count:
            assert not any(one.done() for one in crowd), [one.result() for one in crowd]
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
    server.app.before_request(gate.hold)
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
    api_user = LoginManager(app)
    api_user.user_loader(lambda user_id: db.session.get(User, int(user_id)))
    Activepieces(FlaskLoginHost(tenant_attribute="tenant_id")).init_app(app)

    @app.get("/login")
    def login() -> ResponseReturnValue:
        login_user(db.session.get(User, int(request.args["as"])))
        return redirect("/")

    with app.app_context():
        db.create_all()
        users = [User(id=one, tenant_id="acme", is_admin=True) for one in range(1, CLICKS + 1)]
        db.session.add_all(users)
        db.session.commit()
    yield app
    hosts.dispose(app)


def test_fifty_who_are_in_the_database_wait_without_holding_it(app: Flask, gate: Gate) -> None:
    alice = ApiUser.named(app, "1")
    integration = alice.links()
    crowd = [ApiUser.named(app, "1") for _ in range(CROWD)]
    gate.method = "GET"

    with ThreadPoolExecutor(CROWD) as pool:
        fifty = [pool.submit(one.gets, f"/connections/{integration}") for one in crowd]
        assert gate.holds(CROWD, fifty)
        quick = alice.gets(f"/setup/{integration}")
        gate.opened.set()

    assert answer_of(quick)["id"] == integration
    assert [one.result().status_code for one in fifty] == [200] * CROWD


def test_clicks_at_once_leave_connections_for_the_codes_to_be_redeemed(
    app: Flask, gate: Gate
) -> None:
    with serving(app) as address, ThreadPoolExecutor(CLICKS) as pool:
        site = address.replace("127.0.0.1", "localhost")
        people = [ApiUser(Person(app, str(one)), site) for one in range(1, CLICKS + 1)]
        integration = people[0].links()
        gate.method = "POST"

        clicks = [pool.submit(one.posts, f"/connections/{integration}/connect") for one in people]
        assert gate.holds(CLICKS, clicks)
        gate.opened.set()

    assert [one.result().status_code for one in clicks] == [201] * CLICKS
