"""JSON about connections, in the names of Activepieces' own API."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_dump, validates_schema
from marshmallow.validate import Length, OneOf, Range

from ...api_client.resources.connection_values import VALUES, Placeholder
from .fields import CamelSchema, Flag, JsonObject, PieceName, Text
from .value_schemas import value_schemas

STATUSES = ("ACTIVE", "MISSING", "ERROR")
SCOPES = ("PROJECT", "PLATFORM")
#: What Activepieces takes.
TYPES = tuple(VALUES)
MOST_ROWS = 1000
MOST_PROJECTS = 1000
#: What only a connection of the whole platform has, and its names in JSON.
_OF_PLATFORM = {
    "project_ids": "projectIds",
    "pre_select_for_new_projects": "preSelectForNewProjects",
}


class OwnerSchema(CamelSchema):
    """A user of Activepieces who has connections."""

    first_name = fields.String(required=True)
    last_name = fields.String(required=True)
    email = fields.String(required=True)


class ConnectionSchema(CamelSchema):
    """A connection; its value stays in Activepieces."""

    id = fields.String(required=True)
    external_id = fields.String(required=True)
    display_name = fields.String(required=True)
    type = fields.String(required=True)
    piece_name = fields.String(required=True)
    piece_version = fields.String(required=True, allow_none=True)
    project_ids = fields.List(fields.String(), required=True)
    platform_id = fields.String(required=True, allow_none=True)
    scope = fields.String(required=True)
    status = fields.String(required=True)
    owner_id = fields.String(required=True, allow_none=True)
    owner = fields.Nested(
        OwnerSchema, allow_none=True, metadata={"description": "of a connection that was listed"}
    )
    metadata = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    flow_ids = fields.List(
        fields.String(), metadata={"description": "of a connection that was listed"}
    )
    pre_select_for_new_projects = fields.Boolean(required=True)
    created = fields.String(required=True, metadata={"format": "date-time"})
    updated = fields.String(required=True, metadata={"format": "date-time"})

    @post_dump
    def leaves_out_what_is_not_known(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Activepieces tells who owns a connection, and which flows use it, in lists only."""
        if data["flowIds"] is None:
            del data["flowIds"], data["owner"]
        return data


class ConnectionPageSchema(CamelSchema):
    """Some connections, oldest first, and the cursors of those around them."""

    data = fields.List(fields.Nested(ConnectionSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    previous = fields.String(required=True, allow_none=True)


class ConnectionFilterSchema(CamelSchema):
    """Which connections are asked for."""

    piece_name = PieceName()
    display_name = Text(metadata={"description": "a part of the name, in any case"})
    status = fields.List(fields.String(validate=OneOf(STATUSES)))
    scope = fields.String(validate=OneOf(SCOPES))
    limit = fields.Integer(load_default=100, validate=Range(1, MOST_ROWS))
    cursor = Text(metadata={"description": "`next` or `previous` of an earlier answer"})


class NewConnectionSchema(CamelSchema):
    """A connection to be made, or to be given another value; by ``accessToken`` or by a whole ``value``.

    One of the type PLACEHOLDER has no value yet.
    """

    access_token = Text(most=10_000, load_only=True, metadata={"examples": ["xoxb-a-secret"]})
    value = JsonObject(
        load_only=True,
        metadata={
            "description": "what the piece asks for; `code_challenge` is the PKCE verifier",
            "anyOf": value_schemas(),
        },
    )
    type = fields.String(validate=OneOf(TYPES))
    integration_id = Text(
        most=64, metadata={"description": "else the integration of the caller's organization"}
    )
    scope = fields.String(
        load_default="PROJECT",
        validate=OneOf(SCOPES),
        metadata={"description": "PLATFORM: several projects may use it; that takes `admin`"},
    )
    project_id = Text(most=64)
    project_ids = fields.List(
        Text(most=64),
        validate=Length(1, MOST_PROJECTS),
        metadata={"description": "PLATFORM: who may use it, else the integration's project alone"},
    )
    pre_select_for_new_projects = Flag(
        metadata={"description": "PLATFORM: whether projects made later may use it, too"}
    )
    connection_name = Text(
        most=100, metadata={"description": "what people read", "examples": ["Slack of the team"]}
    )
    display_name = Text(
        most=100, metadata={"description": "the same as `connectionName`: give one of the two"}
    )
    external_id = Text(most=100, metadata={"description": "its name among the tenant's own"})
    piece_name = PieceName(
        metadata={
            "description": "else the app's own piece",
            "examples": ["@activepieces/piece-slack"],
        }
    )
    piece_version = Text(most=50)
    metadata = JsonObject()

    @validates_schema
    def has_one_value(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two ways to give a value, or none for a placeholder."""
        if data.get("type") == Placeholder.type and "value" not in data:
            if "access_token" in data:
                raise ValidationError("a placeholder has no value", "accessToken")
        elif ("access_token" in data) == ("value" in data):
            raise ValidationError("give either accessToken or value", "value")

    @validates_schema
    def has_one_name(self, data: dict[str, Any], **_: Any) -> None:
        """By whichever field; by both if they say the same."""
        names = {data[field] for field in ("connection_name", "display_name") if field in data}
        if len(names) > 1:
            raise ValidationError("it is another than connectionName", "displayName")

    @validates_schema
    def fits_its_scope(self, data: dict[str, Any], **_: Any) -> None:
        """Projects only for what is not one project's."""
        if data.get("scope") == "PLATFORM":
            if "project_id" in data:
                raise ValidationError("for the scope PLATFORM give projectIds", "projectId")
            return
        for field, name in _OF_PLATFORM.items():
            if field in data:
                raise ValidationError("only for the scope PLATFORM", name)


class ConnectionChangeSchema(CamelSchema):
    """What may be changed of a connection without its value."""

    display_name = Text(most=100)
    metadata = JsonObject()

    @validates_schema
    def changes_something(self, data: dict[str, Any], **_: Any) -> None:
        """At least one of them."""
        if not data:
            raise ValidationError("give displayName or metadata", "displayName")


class DeleteSchema(CamelSchema):
    """Whether a connection goes although flows use it."""

    force = fields.Boolean(load_default=False)


class OwnerListSchema(CamelSchema):
    """Who owns connections, in the shape of Activepieces' own answer."""

    data = fields.List(fields.Nested(OwnerSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    previous = fields.String(required=True, allow_none=True)


class ReplacedSchema(CamelSchema):
    """What came of a replacement."""

    source_deleted = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "null: Activepieces could not be asked"},
    )


class ReplaceSchema(CamelSchema):
    """Two connections of one piece: the flows of the first get the second, and the first is deleted."""

    source_app_connection_id = Text(
        most=64, required=True, metadata={"examples": ["Ks0dtm5zGDr0vRXQ8qyf9"]}
    )
    target_app_connection_id = Text(
        most=64, required=True, metadata={"examples": ["lHWwsT2Nbf9MFsZwjqWFg"]}
    )
    apply_to_published_versions = Flag(
        load_default=True, metadata={"description": "false: only drafts change"}
    )
    delete_source_connection = Flag(
        metadata={"description": "else: unless published flows or other projects may still use it"}
    )
