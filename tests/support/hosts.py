"""A minimal host app: three people, two tenants, two protected views."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from jinja2 import StrictUndefined
from sqlalchemy import MetaData

from flask_activepieces import Activepieces, Host, Principal, Workspace, current_token, require_scope
from flask_activepieces.host.interface import Permission

from .tables import make_tables
from .templates import COMPILED

SECRET_KEY = "a secret key for tests only and long enough"
SCOPES = {
    "profile:read": {"description": "See your name", "required": True},
    "tasks:read": "See tasks",
    "tasks:write": "Change tasks",
}
ALL_SCOPES = " ".join(SCOPES)
#: Shared by all apps, because copying our tables into a new one is slow.
TABLES = MetaData()


@dataclass(frozen=True)
class Someone:
    """A user of the host, signed in to the first of their tenants."""

    tenants: tuple[str, ...]
    is_admin: bool = False


PEOPLE = {
    "alice": Someone(("acme", "acme-labs"), is_admin=True),
    "bob": Someone(("acme",)),
    "carol": Someone(("globex",), is_admin=True),
}


class SmallHost(Host):
    """A host whose users are `PEOPLE`; the Flask session contains the name of the signed-in user."""

    def current_principal(self) -> Principal | None:
        name = session.get("user")
        return None if name is None else _principal(name, PEOPLE[name].tenants[0])

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        someone = PEOPLE.get(user_id)
        return _principal(user_id, tenant_id) if someone and tenant_id in someone.tenants else None

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return PEOPLE[principal.user_id].is_admin

    def login_url(self, next_url: str) -> str:
        return f"/login?{urlencode({'next': next_url})}"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        return [Workspace(tenant, tenant.title()) for tenant in PEOPLE[principal.user_id].tenants]


class HostWithLabs(SmallHost):
    """The small host with an organization in Acme."""

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        shared = [*super().workspaces(principal)]
        has_labs = any(workspace.tenant_id == "acme" for workspace in shared)
        return [*shared, Workspace("acme", "Labs", "labs")] if has_labs else shared


def make_app(
    directory: Path,
    *,
    database: str | None = None,
    tables: bool = True,
    first: Callable[[Flask], object] | None = None,
    declare: Callable[[Activepieces], object] | None = None,
    **options: Any,
) -> Flask:
    """The host with the extension; ``options`` are config keys, or ``clock``, ``host`` and ``piece``.

    The tables are recreated, unless they are already in use (``tables=False``). ``first`` is called with the app
    before the extension is set up, ``declare`` with the extension.
    """
    app, file = Flask(__name__), directory / "host.sqlite"
    # A template that uses a missing attribute fails, instead of showing nothing.
    app.jinja_options = {"bytecode_cache": COMPILED, "undefined": StrictUndefined}
    app.config.update(
        SECRET_KEY=SECRET_KEY, SQLALCHEMY_DATABASE_URI=database or f"sqlite:///{file}", ACTIVEPIECES_SCOPES=SCOPES
    )
    extension: dict[str, Any] = {"host": options.pop("host", SmallHost()), "clock": options.pop("clock", time.time)}
    extension["piece"] = options.pop("piece", None)
    app.config.update(options)
    SQLAlchemy(app, metadata=TABLES)
    if first is not None:
        first(app)
    activepieces = Activepieces(**extension)
    if declare is not None:
        declare(activepieces)
    activepieces.init_app(app)
    _add_views(app)
    if tables:
        make_tables(app, file)
    return app


def dispose(app: Flask) -> None:
    """Close the database connections, and drop the tables on a shared server."""
    db: SQLAlchemy = app.extensions["sqlalchemy"]
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            db.drop_all()
        db.engine.dispose()


def _add_views(app: Flask) -> None:
    @app.get("/login")
    def login() -> ResponseReturnValue:
        session["user"] = request.args["as"]
        return redirect(request.args.get("next", "/"))

    @app.get("/logout")
    def logout() -> ResponseReturnValue:
        session.clear()
        return redirect("/")

    @app.get("/")
    def home() -> ResponseReturnValue:
        return "home"

    @app.get("/api/whoami")
    @require_scope("profile:read")
    def whoami() -> ResponseReturnValue:
        return {
            "user_id": current_token.user_id,
            "tenant_id": current_token.tenant_id,
            "client_id": current_token.client_id,
            "scopes": sorted(current_token.scopes),
        }

    @app.post("/api/tasks")
    @require_scope("tasks:write")
    def add_task() -> ResponseReturnValue:
        return {"tenant_id": current_token.tenant_id}, 201


def _principal(name: str, tenant_id: str) -> Principal:
    return Principal(user_id=name, tenant_id=tenant_id, display_name=name.title())
