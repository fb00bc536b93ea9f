"""Tasklane while it runs, and its piece in Node, as an engine runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from example_app import create_app
from example_app.activepieces import SCOPES
from example_app.models import Task, User, db
from example_app.seed import DEMO_PASSWORD
from example_app.serving import serve
from flask_activepieces import Workspace, get_state
from flask_activepieces.testing.access_tokens import issue_access_token
from tests.example_app.conftest import SECRET_KEY
from tests.support.piece_engine import LoadedPiece, load, running_engine

ADMIN = "admin@acme.test"


@dataclass
class Tasklane:
    """The running app, and its piece in an engine, connected as Ada with a personal access token."""

    app: Flask
    url: str
    piece: LoadedPiece

    def titles(self) -> list[str]:
        """The titles of Acme's tasks."""
        with self.app.app_context():
            return list(db.session.scalars(select(Task.title).filter_by(company_id="acme").order_by(Task.id)))

    def subscriptions(self) -> list[str]:
        """The triggers to which flows of Acme have subscribed."""
        with self.app.app_context():
            return [each.trigger_name for each in get_state().delivery.subscriptions.list_for_tenant("acme")]


@contextmanager
def tasklane_in_node(folder: Path, activepieces_url: str, **config: str) -> Iterator[Tasklane]:
    """Tasklane until the block ends, with its database in this folder."""

    def make_app(url: str) -> Flask:
        return create_app(
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'tasklane.db'}",
                "SECRET_KEY": SECRET_KEY,
                "ACTIVEPIECES_BASE_URL": activepieces_url,
                "ACTIVEPIECES_PUBLIC_URL": url,
                **config,
            }
        )

    with running_engine() as engine, serve(make_app) as (app, url):
        with app.app_context():
            manifest = get_state().piece.manifest(version="1.0.0")
        tasklane = Tasklane(app, url, load(engine, folder, manifest, {}))
        tasklane.piece.connection = connections_of_ada(tasklane)["SECRET_TEXT"]
        yield tasklane


def connections_of_ada(tasklane: Tasklane) -> dict[str, dict[str, Any]]:
    """The value of a connection of each kind, as an engine passes it to an action."""
    app = tasklane.app
    with app.app_context():
        ada = db.session.scalars(select(User).filter_by(email=ADMIN)).one()
        _, token = get_state().personal_tokens.create(
            str(ada.id), Workspace("acme", "Acme"), name="Test", scopes=list(SCOPES), expires_at=None
        )
        access_token = issue_access_token(app, user_id=str(ada.id), tenant_id="acme", base_url=tasklane.url)
    login = {"email": ADMIN, "password": DEMO_PASSWORD, "workspace": "acme"}
    return {
        "OAUTH2": {"type": "OAUTH2", "access_token": access_token, "data": {}, "props": {"base_url": tasklane.url}},
        "SECRET_TEXT": {"type": "SECRET_TEXT", "secret_text": token},
        "BASIC_AUTH": {"type": "BASIC_AUTH", "username": ADMIN, "password": DEMO_PASSWORD},
        "CUSTOM_AUTH": {"type": "CUSTOM_AUTH", "props": login},
    }
