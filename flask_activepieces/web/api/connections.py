"""The JSON API for a tenant's connections, whose values are write-only; the names are those of Activepieces' API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import ValidationError, fields, post_dump, validates_schema
from marshmallow.validate import Length, OneOf, Range

from ...api_client.resources.connection_values import VALUES, Placeholder, SecretText, Value, value_from_json
from ...api_client.resources.connections import Connection, ConnectionScope, ConnectionStatus, Owner
from ...errors import InvalidInput, NotFound
from ...integrations.connections.saver import NewConnection, PlatformSharing
from ...integrations.connections.service import ConnectionFilter, ReplacementResult
from ...integrations.store import Integration
from .answers import CamelAnswerSchema, fields_of, list_of
from .fields import CamelSchema, JsonObject, PieceName, StrictBoolean, String, value_schemas
from .operations import Operation, OperationContext, require_permission
from .paging import page_of

#: The fields that say which projects may use a connection of the whole platform, and their names in JSON.
_SHARING_FIELDS = {"project_ids": "projectIds", "pre_select_for_new_projects": "preSelectForNewProjects"}
#: The other fields that a connection to save takes over from the call.
_COPIED_FIELDS = {"project_id", "external_id", "piece_name", "piece_version", "metadata"}


class OwnerSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(Owner, "first_name last_name email")


class ConnectionSchema(CamelAnswerSchema):
    """A connection, without its value."""

    class Meta:
        include = fields_of(
            Connection,
            "id external_id display_name type piece_name piece_version project_ids platform_id scope status owner_id"
            " metadata pre_select_for_new_projects",
        )

    owner = fields.Nested(OwnerSchema, allow_none=True, metadata={"description": "in lists only"})
    flow_ids = fields.List(fields.String(), metadata={"description": "in lists only"})
    created = fields.String(metadata={"format": "date-time"})
    updated = fields.String(metadata={"format": "date-time"})

    optional = frozenset({"owner", "flow_ids"})

    @post_dump
    def omit_unknown_fields(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Activepieces reports owners and flows in lists only."""
        if data["flowIds"] is None:
            del data["flowIds"], data["owner"]
        return data


class ConnectionFilterSchema(CamelSchema):
    piece_name = PieceName()
    display_name = String(metadata={"description": "a part of the name, in any case"})
    statuses = fields.List(fields.String(validate=OneOf(get_args(ConnectionStatus))), data_key="status")
    scope = fields.String(validate=OneOf(get_args(ConnectionScope)))
    limit = fields.Integer(load_default=100, validate=Range(1, 1000))
    cursor = String(metadata={"description": "`next` or `previous` of an earlier response"})


class NewConnectionSchema(CamelSchema):
    """A connection to create, or whose value to replace, with ``accessToken`` or a whole ``value``.

    The type PLACEHOLDER has no value yet.
    """

    access_token = String(max_length=10_000, load_only=True, metadata={"examples": ["xoxb-secret"]})
    value = JsonObject(
        load_only=True,
        metadata={
            "description": "what the piece requires; `code_challenge` is the PKCE verifier",
            "anyOf": value_schemas(),
        },
    )
    type = fields.String(validate=OneOf(tuple(VALUES)))
    integration_id = String(
        max_length=64, metadata={"description": "the default is the integration of the caller's organization"}
    )
    scope = fields.String(
        load_default="PROJECT",
        validate=OneOf(get_args(ConnectionScope)),
        metadata={"description": "PLATFORM: for several projects; requires `admin`"},
    )
    project_id = String(max_length=64)
    project_ids = fields.List(
        String(max_length=64),
        validate=Length(1, 1000),
        metadata={"description": "PLATFORM: the default is the integration's project"},
    )
    pre_select_for_new_projects = StrictBoolean(
        metadata={"description": "PLATFORM: whether future projects may use it, too"}
    )
    connection_name = String(max_length=100, metadata={"examples": ["Slack of the team"]})
    display_name = String(max_length=100, metadata={"description": "the same as `connectionName`: send one of both"})
    external_id = String(max_length=100, metadata={"description": "identifies it among the tenant's connections"})
    piece_name = PieceName(
        metadata={"description": "the default is the app's own piece", "examples": ["@activepieces/piece-slack"]}
    )
    piece_version = String(max_length=50)
    metadata = JsonObject()

    @validates_schema
    def require_one_value(self, data: dict[str, Any], **_: Any) -> None:
        """Either of the two ways, or neither for a placeholder."""
        if data.get("type") == Placeholder.type and "value" not in data:
            if "access_token" in data:
                raise ValidationError("A placeholder has no value.", "accessToken")
        elif ("access_token" in data) == ("value" in data):
            raise ValidationError("Send either accessToken or value.", "value")

    @validates_schema
    def require_one_name(self, data: dict[str, Any], **_: Any) -> None:
        """Both fields may be sent if they are equal."""
        names = {data[field] for field in ("connection_name", "display_name") if field in data}
        if len(names) > 1:
            raise ValidationError("Does not match connectionName.", "displayName")

    @validates_schema
    def check_platform_fields(self, data: dict[str, Any], **_: Any) -> None:
        """Each scope has its own fields for projects."""
        if data.get("scope") == "PLATFORM":
            if "project_id" in data:
                raise ValidationError("For the scope PLATFORM send projectIds.", "projectId")
            return
        for field, name in _SHARING_FIELDS.items():
            if field in data:
                raise ValidationError("Only for the scope PLATFORM.", name)


class ConnectionChangeSchema(CamelSchema):
    display_name = String(max_length=100)
    metadata = JsonObject()

    @validates_schema
    def require_a_change(self, data: dict[str, Any], **_: Any) -> None:
        """At least one field."""
        if not data:
            raise ValidationError("Send displayName or metadata.", "displayName")


class DeleteSchema(CamelSchema):
    """Whether to delete a connection that flows use."""

    force = fields.Boolean(load_default=False)


class ReplacementSchema(CamelSchema):
    """Two connections of one piece: flows move from the source to the target, and the source is deleted."""

    source_app_connection_id = String(max_length=64, required=True, metadata={"examples": ["Ks0dtm5zGDr0vRXQ8qyf9"]})
    target_app_connection_id = String(max_length=64, required=True, metadata={"examples": ["lHWwsT2Nbf9MFsZwjqWFg"]})
    apply_to_published_versions = StrictBoolean(
        load_default=True, metadata={"description": "false: only drafts change"}
    )
    delete_source_connection = StrictBoolean(
        metadata={"description": "the default: unless other flows or projects may still use it"}
    )


class ReplacementResultSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(
            ReplacementResult, "", source_deleted="null: unknown, because Activepieces could not be asked"
        )


@Operation("edit", body=NewConnectionSchema(), answer=ConnectionSchema(), success=201)
def save_connection(context: OperationContext) -> Any:
    """Create a connection, or replace the value of the one with this external id.

    It belongs to the tenant: its metadata says so, and cannot be overridden. The scope PLATFORM requires the
    permission `admin`, and an integration with its own credentials.
    """
    new = NewConnection(
        value=_value(context.body),
        display_name=context.body.get("connection_name", context.body.get("display_name")),
        platform_sharing=_platform_sharing(context),
        **{name: value for name, value in context.body.items() if name in _COPIED_FIELDS},
    )
    return context.state.tenants.connections.save(
        _target_integration(context), new, user_id=context.principal.user_id
    )


@Operation(
    "view", query=ConnectionFilterSchema(), answer=list_of(ConnectionSchema, "ConnectionPage", "next", "previous")
)
def list_connections(context: OperationContext) -> Any:
    """The tenant's connections, oldest first."""
    filters = dict(context.query)
    limit, cursor = filters.pop("limit"), filters.pop("cursor", None)
    connections = context.state.tenants.connections.list(context.integration, ConnectionFilter(**filters))
    return page_of(connections, limit=limit, cursor=cursor)


@Operation("view", answer=ConnectionSchema())
def get_connection(context: OperationContext, connection_id: str) -> Any:
    """One connection."""
    return context.state.tenants.connections.get(context.integration, connection_id)


@Operation("edit", body=ConnectionChangeSchema(), answer=ConnectionSchema())
def update_connection(context: OperationContext, connection_id: str) -> Any:
    """Rename a connection, or replace its metadata; the scope PLATFORM requires the permission `admin`."""
    _require_admin_for_platform(context, connection_id)
    return context.state.tenants.connections.update(
        context.integration, connection_id, **context.body, user_id=context.principal.user_id
    )


@Operation("edit", query=DeleteSchema())
def delete_connection(context: OperationContext, connection_id: str) -> None:
    """Delete a connection; with `force` even if flows use it. The scope PLATFORM requires the permission `admin`."""
    _delete(context, connection_id)


@Operation("view", answer=ConnectionSchema())
def get_default_connection(context: OperationContext) -> Any:
    """The integration's default connection: the one saved last for the app's own piece."""
    return context.state.tenants.connections.get_default(context.integration)


@Operation("edit", query=DeleteSchema())
def delete_default_connection(context: OperationContext) -> None:
    """Delete the integration's default connection."""
    if context.integration.default_connection_id is None:
        raise NotFound("connection", "own")
    _delete(context, context.integration.default_connection_id)


@Operation("view", answer=list_of(OwnerSchema, "OwnerList", "next", "previous"))
def list_owners(context: OperationContext) -> Any:
    """The Activepieces users who own connections in the project."""
    owners = context.state.tenants.connections.list_owners(context.integration)
    return {"data": owners, "next": None, "previous": None}


@Operation("edit", body=ReplacementSchema(), answer=ReplacementResultSchema())
def replace_connection(context: OperationContext) -> Any:
    """Move flows from one connection to another of the same piece, and delete the first."""
    source_id = context.body["source_app_connection_id"]
    _require_admin_for_platform(context, source_id)
    return context.state.tenants.connections.replace(
        context.integration,
        source_id=source_id,
        target_id=context.body["target_app_connection_id"],
        apply_to_published=context.body["apply_to_published_versions"],
        delete_source=context.body.get("delete_source_connection"),
        user_id=context.principal.user_id,
    )


def _require_admin_for_platform(context: OperationContext, connection_id: str) -> None:
    """Other projects use a connection of the whole platform."""
    if context.state.host.allows(context.principal, "admin"):
        return
    shared = context.state.tenants.connections.list(context.integration, ConnectionFilter(scope="PLATFORM"))
    if any(connection.id == connection_id for connection in shared):
        require_permission(context.state, "admin")


def _delete(context: OperationContext, connection_id: str) -> None:
    _require_admin_for_platform(context, connection_id)
    context.state.tenants.connections.delete(
        context.integration, connection_id, force=context.query["force"], user_id=context.principal.user_id
    )


def _target_integration(context: OperationContext) -> Integration:
    """The integration named in the body, else that of the caller's organization, else that of the tenant."""
    if "integration_id" in context.body:
        return context.state.tenants.integrations.find(context.body["integration_id"], principal=context.principal)
    by_organization = {
        integration.organization_id: integration
        for integration in context.state.tenants.integrations.visible_to(context.principal)
    }
    for organization_id in (context.principal.organization_id, None):
        if organization_id in by_organization:
            return by_organization[organization_id]
    raise NotFound("integration", "own")


def _platform_sharing(context: OperationContext) -> PlatformSharing | None:
    if context.body["scope"] == "PROJECT":
        return None
    # Other people's projects will use it.
    require_permission(context.state, "admin")
    return PlatformSharing(**{name: context.body[name] for name in _SHARING_FIELDS if name in context.body})


def _value(body: Mapping[str, Any]) -> Value:
    if "access_token" in body:
        if body.get("type", SecretText.type) != SecretText.type:
            raise InvalidInput({"value": "This type needs `value`, not `accessToken`."})
        return SecretText(body["access_token"])
    if "value" not in body:
        return Placeholder()
    kind = body.get("type", body["value"].get("type", SecretText.type))
    value = {"type": kind, **body["value"]}
    if value["type"] != kind:
        raise InvalidInput({"type": "Does not match the type of the value."})
    return value_from_json(value)
