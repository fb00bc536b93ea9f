"""A small host with a piece, and a caller of its routes with a token, as the piece in a flow is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, abort, request
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces, FileResult, InvalidInput, Principal, current_token, require_scope
from flask_activepieces.pieces import auth
from flask_activepieces.pieces.declarations import Piece, Trigger
from flask_activepieces.pieces.fields import File, Json, Secret
from tests.conftest import MakeApp

from .actors import Person
from .hosts import ALL_SCOPES, HostWithLabs

PREFIX = "/api/integration/activepieces/piece"
PASSWORD = "correct horse battery staple"
#: The Activepieces server of the small host. These tests do not call it.
SERVER = "https://activepieces.test"
WEBHOOK = f"{SERVER}/api/v1/webhooks/abcdefghijklmnopqrstu"


class NewTaskSchema(Schema):
    title = fields.String(required=True, validate=validate.Length(1, 80))
    due = fields.Date()


class TaskSchema(Schema):
    title = fields.String()
    due = fields.Date()
    secret_note = fields.String(metadata={"scope": "tasks:write"})


class FilterSchema(Schema):
    project = fields.String()
    limit = fields.Integer()


class LineSchema(Schema):
    label = fields.String()
    scan = File()


class ReceiptSchema(Schema):
    note = fields.String()
    receipt = File()
    lines = fields.List(fields.Nested(LineSchema))


class ReportSchema(Schema):
    title = fields.String()
    document = fields.Raw()


class RawSchema(Schema):
    value = Json(allow_none=True)


class SignInSchema(Schema):
    workspace = fields.String(required=True)
    key = Secret(required=True)


class PieceHost(HostWithLabs):
    """Knows the password of everyone, and one key for each workspace."""

    asked = 0

    def check_password(self, username: str, password: str) -> Principal | None:
        self.asked += 1
        found = {"bob": "acme", "carol": "globex"}.get(username)
        return Principal(username, found, username.title()) if found and password == PASSWORD else None

    def check_credentials(self, fields: Mapping[str, Any]) -> Principal | None:
        self.asked += 1
        return self.check_password({"acme": "bob", "globex": "carol"}.get(fields["workspace"], ""), fields["key"])


@dataclass
class Effects:
    """What the actions have done, and what they will do."""

    created: list[str] = field(default_factory=list)
    during: Callable[[], Any] = field(default=lambda: None)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    views: dict[str, Callable[..., Any]] = field(default_factory=dict)


def make_piece_app(make_app: MakeApp, **options: Any) -> tuple[Flask, Effects]:
    """The small host with a piece that has each kind of declaration."""
    effects = Effects()
    kinds: list[auth.Auth] = [auth.OAuth2(), auth.SecretText(), auth.BasicAuth(), auth.CustomAuth(form=SignInSchema)]
    given = {
        "host": PieceHost(),
        "piece": Piece(name="@acme/piece-tasks", title="Tasks", auth=kinds),
        "declare": lambda activepieces: _declare(activepieces, effects),
        "ACTIVEPIECES_BASE_URL": SERVER,
    }
    app = make_app(**(given | options))
    if "protected_view" in effects.views:
        app.add_url_rule("/api/view", view_func=effects.views["protected_view"], methods=["POST"])
    return app, effects


def _declare(activepieces: Activepieces, effects: Effects) -> None:
    @activepieces.action("create_task", scope="tasks:write", input=NewTaskSchema, output=TaskSchema)
    def create_task(data: dict[str, Any]) -> dict[str, Any]:
        """Adds a task."""
        effects.created.append(data["title"])
        effects.during()
        return {**data, "secret_note": str(current_token.tenant_id)}

    @activepieces.action("set_title", scope="tasks:write", input=NewTaskSchema, idempotent=True)
    def set_title(data: dict[str, Any]) -> str:
        """Sets the title."""
        effects.created.append(data["title"])
        return str(data["title"])

    @activepieces.action("count_tasks", scope="tasks:read")
    def count_tasks() -> int:
        """Counts the tasks."""
        return len(effects.created)

    @activepieces.action("rename_tasks", scope=["tasks:read", "tasks:write"])
    def rename_tasks() -> int:
        """Renames the tasks."""
        return len(effects.created)

    @activepieces.action("fail", scope="tasks:read", input=RawSchema)
    def fail(data: dict[str, Any]) -> Any:
        """Fails as it is told to."""
        match data["value"]:
            case "invalid input":
                raise InvalidInput({"title": "This project is archived."})
            case "validation error":
                raise ValidationError("Close the project first.")
            case "abort":
                abort(409, "The project is locked.")
            case "own exception":
                raise RuntimeError("a detail of the database at 10.0.0.1")
            case "long answer":
                return "x" * 1024 * 1024
            case "no JSON":
                return object()
        return data["value"]

    @activepieces.action("add_receipt", scope="tasks:write", input=ReceiptSchema)
    def add_receipt(data: dict[str, Any]) -> Any:
        """Adds a receipt."""
        effects.created.append("receipt")
        files = [data.get("receipt"), *(line.get("scan") for line in data.get("lines", ()))]
        return [None if file is None else [file.filename, file.read().decode()] for file in files]

    @activepieces.action("export", scope="tasks:read", output=ReportSchema)
    def export() -> Any:
        """Exports the tasks."""
        return {"title": "All tasks", "document": FileResult("tasks.csv", b"title\n", "text/csv")}

    @activepieces.action("download", scope="tasks:read", output=ReportSchema)
    def download() -> FileResult:
        """Downloads the tasks."""
        return FileResult("tasks.bin", b"\x00\xff")

    @activepieces.action("protected_view", input=NewTaskSchema)
    @require_scope("tasks:read")
    def protected_view() -> Any:
        """Called at its own route, and as a tool."""
        return {"seen": request.get_json()["title"]}

    effects.views["protected_view"] = protected_view

    @activepieces.options("projects", scope="tasks:read", refreshers=["team"], search=True)
    def projects(inputs: dict[str, Any], search: str) -> Iterable[tuple[str, Any]]:
        if inputs.get("team") == "archived":
            raise InvalidInput({"team": "This team is archived."})
        names = [str(current_token.tenant_id), "Home", "Work"]
        return [(name, {"id": name.lower()}) for name in names if search.lower() in name.lower()]

    @activepieces.options("form", scope="tasks:read")
    def form(inputs: dict[str, Any], search: str) -> Any:
        if inputs.get("broken"):
            return LineSchema
        return Schema.from_dict({"size": fields.String(required=True)})

    def samples(filters: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        named = filters.get("project", current_token.tenant_id)
        for number in range(filters.get("limit", 9), 0, -1):
            yield {"title": f"{named} {number}", "secret_note": "note"}

    effects.triggers["task_done"] = activepieces.trigger(
        "task_done",
        scope="tasks:read",
        payload=TaskSchema,
        samples=samples,
        input=FilterSchema,
        matches=lambda payload, inputs: inputs.get("project", "") in payload["title"],
        description="When a task is done",
    )
    effects.triggers["task_gone"] = activepieces.trigger(
        "task_gone", scope="tasks:write", payload=TaskSchema, samples=list, description="When a task is deleted"
    )


@dataclass
class Flow:
    """A flow of Activepieces that calls the app with the token of its connection."""

    app: Flask
    token: str | None

    def calls(self, method: str, path: str, **options: Any) -> TestResponse:
        """Call a route of the piece."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        headers |= options.pop("headers", {})
        return self.app.test_client(use_cookies=False).open(
            f"{PREFIX}{path}", method=method, headers=headers, **options
        )

    def runs(self, action: str, inputs: Any = None, *, key: str | None = None, **options: Any) -> TestResponse:
        """Run an action; ``key`` is its idempotency key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.calls("POST", f"/actions/{action}", json=inputs or {}, headers=headers, **options)

    def polls(self, trigger: str = "task_done", cursor: str | None = None, **inputs: Any) -> TestResponse:
        return self.calls("POST", f"/triggers/{trigger}/poll", json={"inputs": inputs, "cursor": cursor})

    def subscribes(self, trigger: str = "task_done", url: str = WEBHOOK, **inputs: Any) -> TestResponse:
        body = {"trigger": trigger, "webhookUrl": url, "inputs": inputs}
        return self.calls("POST", "/subscriptions", json=body)


def create_token(person: Person, *, scope: str = ALL_SCOPES, **choices: Any) -> str:
    """A new personal access token, created on the page and copied from the page that shows it."""
    form = person.sees("/oauth/personal-tokens/new").form("expires")
    answer = person.sends(form, **({"name": "My flow", "scope": scope.split(), "expires": "90"} | choices))
    assert answer.status_code == 303, answer.text
    return token_on(person.sees(answer.location).text)


def token_on(text: str) -> str:
    """The token that a page shows."""
    (token,) = {word for word in text.split() if word.startswith("apat_")}
    return token


def emit(app: Flask, trigger: Trigger, *titles: str, tenant_id: str = "acme", **recipients: Any) -> None:
    """Emit an event of the app."""
    with app.app_context():
        payloads = [{"title": title, "secret_note": "note"} for title in titles]
        trigger.emit_many(payloads, tenant_id=tenant_id, **recipients)
        app.extensions["sqlalchemy"].session.commit()
