"""A piece with every kind of property and of authentication.

``python -m tests.support.every_kind`` writes its manifest to the golden file.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields, validate

from flask_activepieces.pieces import auth
from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.pieces.declaring.decorators import Declarations
from flask_activepieces.pieces.definition import PieceDefinition, counted, make_definition
from flask_activepieces.pieces.manifest import Addresses, Manifest, build_manifest

GOLDEN = Path(__file__).parents[1] / "pieces" / "golden" / "declared" / "manifest.json"

ADDRESSES = Addresses(
    base_url="https://tasklane.example", oauth_prefix="/oauth", api_path="/api/integration/activepieces/piece"
)


class Priority(enum.Enum):
    LOW = 1
    HIGH = 2


class Row(Schema):
    name = fields.String(required=True)
    members = fields.List(fields.String(), metadata={"options": "members"})
    file = own.File()


class Everything(Schema):
    short = fields.String(required=True, metadata={"description": "A line.", "help": "Keep it short.", "order": -1})
    long = own.LongText(metadata={"placeholder": "Several lines"})
    rich = own.RichText(format_field="format")
    format = fields.String(
        validate=validate.OneOf(["plain", "html", "markdown"], labels=["Plain", "HTML", "Markdown"])
    )
    note = own.Note("Read **this**", style="WARNING")
    project = fields.String(required=True, metadata={"options": "projects", "refreshers": ["short"]})
    priority = fields.Enum(Priority, by_value=True, load_default=Priority.LOW)
    number = fields.Float(load_default=0)
    checked = fields.Boolean(load_default=False)
    words = fields.List(fields.String())
    rows = fields.List(fields.Nested(Row))
    files = fields.List(own.File())
    object = fields.Dict()
    json = own.Json(load_default={"a": [1]})
    members = fields.List(fields.String(), metadata={"options": "members"})
    labels = fields.List(fields.String(validate=validate.OneOf(["red", "blue"])))
    details = own.Dynamic("project_fields")
    due = fields.DateTime()
    period = own.DateRange()
    attachment = own.File()
    custom = own.Custom("(ctx) => { ctx.onChange('x'); }")
    color = own.Color(metadata={"title": "Colour"})


class OAuth2Form(Schema):
    workspace = fields.String(required=True)
    key = own.Secret()
    region = fields.String(validate=validate.OneOf(["eu", "us"]), load_default="eu")


class Credentials(Schema):
    base_url = fields.Url(required=True, metadata={"title": "Address"})
    long = own.LongText()
    secret = own.Secret(required=True)
    number = fields.Integer(load_default=3)
    choice = fields.String(required=True, validate=validate.OneOf(["one"]))
    choices = fields.List(fields.String(validate=validate.OneOf(["one"])))
    checked = fields.Boolean()
    note = own.Note("Read **this**", style="TIP")


class Task(Schema):
    id = fields.Integer(metadata={"example": 7})
    title = fields.String(metadata={"description": "What is to be done"})
    priority = fields.Enum(Priority)
    owner = fields.Nested(Schema.from_dict({"email": fields.Email()}, name="Owner"))
    tags = fields.List(fields.String())
    done_at = fields.DateTime(data_key="doneAt")


PIECE = Piece(
    name="@tasklane/piece-tasklane",
    title="Tasklane",
    description="Every kind of property and of connection",
    authors=["tasklane"],
    categories=["PRODUCTIVITY"],
    custom_api_call=True,
    auth=[
        auth.OAuth2(
            title="Sign in",
            description="Choose a workspace.",
            grant_type="BOTH",
            prompt="login",
            extra={"resource": "api"},
            form=OAuth2Form,
            asks_for_address=True,
        ),
        auth.SecretText(description="Create one under Connected apps.", required=False),
        auth.BasicAuth(username_title="E-mail", password_description="That of Tasklane"),
        auth.CustomAuth(title="Fields", form=Credentials, refresh=3600),
    ],
    translations={"de": {"Everything": "Alles"}},
)


def declare() -> Declarations:
    """The declarations of the piece."""
    declarations = Declarations(discard)

    @declarations.action(
        "everything",
        scope="tasks:write",
        input=Everything,
        output=Task,
        retry=True,
        continue_on_failure=None,
        ai="Use this for everything.",
        idempotent=True,
    )
    def everything(data: Mapping[str, Any]) -> None:
        """All kinds of properties.

        Only the first paragraph is shown.
        """

    @declarations.options("projects", scope="projects:read", refreshers=["number"], search=True)
    def projects(inputs: Mapping[str, Any], search: str | None) -> list[tuple[str, str]]:
        return [("Home", "home")]

    @declarations.options("members", scope="projects:read", refreshers=["project"])
    def members(inputs: Mapping[str, Any], search: str | None) -> list[tuple[str, str]]:
        return [("Ada", "ada")]

    @declarations.options("project_fields", scope="projects:read", refreshers=["project"])
    def project_fields(inputs: Mapping[str, Any], search: str | None) -> Schema:
        return Row()

    declarations.trigger(
        "task_done",
        scope="tasks:read",
        payload=Task,
        samples=lambda inputs: [],
        input=Schema.from_dict({"priority": fields.Enum(Priority)}, name="Filter"),
        description="When a task is done",
    )
    return declarations


def discard(*args: Any, **recipients: Any) -> None:
    """Store no event."""


def definition_of(
    declarations: Declarations, piece: Piece = PIECE, *, blueprints: Sequence[object] = (), **views: Any
) -> PieceDefinition:
    """The definition of an app without views."""
    declared = counted(declarations, blueprints)
    return make_definition(
        piece, declared, views=views.get("views", {}), logo_url="https://tasklane.example/logo.svg"
    )


def manifest() -> Manifest:
    """The manifest of the piece."""
    return build_manifest(definition_of(declare()), ADDRESSES, version="1.0.0")


def as_text(document: Manifest) -> str:
    """The manifest as it is in the package."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(as_text(manifest()), encoding="utf-8")
