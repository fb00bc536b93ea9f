"""The cost of listing 1,000 tools: all pages, in one process, with what the app keeps of earlier lists."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields, validate

from flask_activepieces import Activepieces
from flask_activepieces.testing.access_tokens import issue_access_token

from . import host

TOOLS = 1000
TARGET_MS = 20.0


class FormSchema(Schema):
    """A form of a usual size."""

    title = fields.String(required=True, validate=validate.Length(1, 80), metadata={"description": "What to do"})
    due = fields.Date(metadata={"description": "Until when"})
    priority = fields.String(validate=validate.OneOf(["low", "high"]))
    tags = fields.List(fields.String())


class ResultSchema(FormSchema):
    """What it returns."""

    id = fields.Integer()


@dataclass(frozen=True)
class ToolListing:
    """Median milliseconds of CPU for all pages of the list."""

    tools: int
    pages: int
    listed_ms: float
    target: float = TARGET_MS

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.listed_ms <= self.target


def measure_tool_listing(rounds: int) -> ToolListing:
    """List all tools several times; the first list is not measured."""
    app = _create()
    token = issue_access_token(app, user_id="ada", tenant_id="acme", scope="tasks:read", resource="mcp")
    pages = _list(app, token)
    spent = []
    for _ in range(max(rounds, 5)):
        start = time.process_time()
        _list(app, token)
        spent.append((time.process_time() - start) * 1000)
    return ToolListing(tools=TOOLS, pages=pages, listed_ms=median(spent))


def _create() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=host.SECRET_KEY,
        SQLALCHEMY_DATABASE_URI="sqlite://",
        ACTIVEPIECES_SCOPES=host.SCOPES,
        ACTIVEPIECES_MCP_TOKEN_LIMIT=1_000_000,
        ACTIVEPIECES_MCP_TENANT_LIMIT=1_000_000,
    )
    db = SQLAlchemy(app)
    activepieces = Activepieces(host.OneUserHost())
    for number in range(TOOLS):
        declare = activepieces.action(
            f"tool_{number:04}",
            scope="tasks:read",
            input=FormSchema,
            output=ResultSchema,
            description="Does it well.",
        )
        declare(lambda data: data)
    activepieces.init_app(app)
    with app.app_context():
        db.create_all()
    return app


def _list(app: Flask, token: str) -> int:
    client = app.test_client(use_cookies=False)
    pages, cursor = 0, None
    while pages == 0 or cursor is not None:
        params: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
        response = client.post("/mcp", json=message, headers={"Authorization": f"Bearer {token}"})
        body = response.data
        assert response.status_code == 200, response.text
        # Parsing is the work of the client: the cursor is found without it.
        found = body.rpartition(b'"nextCursor": "')[2] if b'"nextCursor": "' in body[-100:] else b""
        cursor = found.partition(b'"')[0].decode() or None
        pages += 1
    return pages
