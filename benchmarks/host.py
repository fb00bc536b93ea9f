"""The measured app: the extension, with one user who is always signed in."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces import Activepieces, Host, Principal, Workspace, require_scope
from flask_activepieces.host.interface import Permission

#: Shared by the servers and the process that issues codes for them.
SECRET_KEY = "a secret key for benchmarks only, long enough"  # noqa: S105  # made up
PUBLIC_URL = "https://bench.example"
SCOPES = {"tasks:read": "See tasks", "tasks:write": "Change tasks"}
USER = Principal(user_id="ada", tenant_id="acme", display_name="Ada")
WORKSPACE = Workspace("acme", "Acme")
PROTECTED = "/protected"
EMPTY_TOOL = "empty"


class OneUserHost(Host):
    """A host without a session and without queries, so that only the extension is measured."""

    def current_principal(self) -> Principal | None:
        """The only user."""
        return USER

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The only user."""
        return USER

    def allows(self, principal: Principal, permission: Permission) -> bool:
        """Yes."""
        return True

    def login_url(self, next_url: str) -> str:
        """Never used."""
        return "/login"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """The only workspace."""
        return [WORKSPACE]


def create(database_url: str, max_staleness: int = 0, **settings: object) -> Flask:
    """Create the app. Its protected view does the same as the baseline view."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=SECRET_KEY,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=True,
        SQLALCHEMY_DATABASE_URI=database_url,
        ACTIVEPIECES_PUBLIC_URL=PUBLIC_URL,
        ACTIVEPIECES_SCOPES=SCOPES,
        ACTIVEPIECES_CODE_TTL=600,  # all codes of a round are issued before the first is sent
        ACTIVEPIECES_REVOCATION_MAX_STALENESS=max_staleness,
        ACTIVEPIECES_MCP_TOKEN_LIMIT=1_000_000,
        ACTIVEPIECES_MCP_TENANT_LIMIT=1_000_000,
        **settings,
    )
    SQLAlchemy(app)
    activepieces = Activepieces(OneUserHost())
    activepieces.action(EMPTY_TOOL, scope="tasks:read", description="Does nothing.")(lambda: None)
    activepieces.init_app(app)

    @app.get(PROTECTED)
    @require_scope("tasks:read")
    def protected() -> ResponseReturnValue:
        return {"ok": True}

    return app
