"""The JSON API for a tenant's connections; their values go in, and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...api_client.resources.connection_values import (
    Placeholder,
    SecretText,
    Value,
    value_from_json,
)
from ...errors import InvalidInput, NotFound
from ...integrations.connections.saver import NewConnection, PlatformSharing
from ...integrations.connections.service import ConnectionFilter
from ...integrations.store import Integration
from .connection_schemas import (
    ConnectionChangeSchema,
    ConnectionFilterSchema,
    ConnectionPageSchema,
    ConnectionSchema,
    DeleteSchema,
    NewConnectionSchema,
    OwnerListSchema,
    ReplacedSchema,
    ReplaceSchema,
)
from .operations import Call, operation
from .paging import page_of
from .problems import caller
from .upstream import UPSTREAM


@operation(
    "edit", body=NewConnectionSchema(), answer=ConnectionSchema(), status=201, problems=UPSTREAM
)
def save_connection(call: Call) -> Any:
    """Make a connection, or give the one of this name another value.

    It is the tenant's own: whose it is stands in its metadata, and cannot be chosen. One of the scope PLATFORM takes
    the permission `admin`, and an integration with a key of its own.
    """
    new = NewConnection(
        value=_value(call.body),
        display_name=call.body.get("connection_name", call.body.get("display_name")),
        platform_sharing=_platform_sharing(call),
        **{name: call.body.get(name) for name in _AS_THEY_ARE},
    )
    return call.state.connections.save(
        _meant(call), new, user_id=call.principal.user_id, now=call.state.now()
    )


@operation("view", query=ConnectionFilterSchema(), answer=ConnectionPageSchema(), problems=UPSTREAM)
def list_connections(call: Call, integration_id: str) -> Any:
    """The tenant's connections, oldest first."""
    wanted = ConnectionFilter(
        piece_name=call.query.get("piece_name"),
        display_name=call.query.get("display_name"),
        statuses=call.query.get("status", ()),
        scope=call.query.get("scope"),
    )
    found = call.state.connections.list(call.integration(integration_id), wanted)
    return page_of(found, limit=call.query["limit"], cursor=call.query.get("cursor"))


@operation("view", answer=ConnectionSchema(), problems=UPSTREAM)
def show_connection(call: Call, integration_id: str, connection_id: str) -> Any:
    """One connection."""
    return call.state.connections.get(call.integration(integration_id), connection_id)


@operation("edit", body=ConnectionChangeSchema(), answer=ConnectionSchema(), problems=UPSTREAM)
def change_connection(call: Call, integration_id: str, connection_id: str) -> Any:
    """Give a connection another name, or other metadata; one of the scope PLATFORM takes the permission `admin`."""
    integration = call.integration(integration_id)
    _check_reach(call, integration, connection_id)
    return call.state.connections.update(
        integration,
        connection_id,
        display_name=call.body.get("display_name"),
        metadata=call.body.get("metadata"),
        user_id=call.principal.user_id,
        now=call.state.now(),
    )


@operation("edit", query=DeleteSchema(), problems=UPSTREAM)
def delete_connection(call: Call, integration_id: str, connection_id: str) -> None:
    """Delete a connection; one that flows use only by force, and one of the scope PLATFORM as an admin."""
    _delete(call, call.integration(integration_id), connection_id)


@operation("view", answer=ConnectionSchema(), problems=UPSTREAM)
def show_own_connection(call: Call, integration_id: str) -> Any:
    """The integration's own connection: the one saved last for the app's own piece."""
    return call.state.connections.get_default(
        call.integration(integration_id), now=call.state.now()
    )


@operation("edit", query=DeleteSchema(), problems=UPSTREAM)
def delete_own_connection(call: Call, integration_id: str) -> None:
    """Delete the integration's own connection, as any other."""
    integration = call.integration(integration_id)
    if integration.default_connection_id is None:
        raise NotFound("connection", "own")
    _delete(call, integration, integration.default_connection_id)


@operation("view", answer=OwnerListSchema(), problems=UPSTREAM)
def list_owners(call: Call, integration_id: str) -> Any:
    """The users of Activepieces who have connections in the project."""
    owners = call.state.connections.list_owners(call.integration(integration_id))
    return {"data": owners, "next": None, "previous": None}


@operation("edit", body=ReplaceSchema(), answer=ReplacedSchema(), problems=UPSTREAM)
def replace_connection(call: Call, integration_id: str) -> Any:
    """Give the flows of one connection another one of the same piece; the first is deleted.

    The answer says whether it is gone.
    """
    integration = call.integration(integration_id)
    _check_reach(call, integration, call.body["source_app_connection_id"])
    return call.state.connections.replace(
        integration,
        source_id=call.body["source_app_connection_id"],
        target_id=call.body["target_app_connection_id"],
        apply_to_published=call.body["apply_to_published_versions"],
        delete_source=call.body.get("delete_source_connection"),
        user_id=call.principal.user_id,
        now=call.state.now(),
    )


_AS_THEY_ARE = ("project_id", "external_id", "piece_name", "piece_version", "metadata")


def _check_reach(call: Call, integration: Integration, connection_id: str) -> None:
    """One of the whole platform is changed by whom it may be made by: other projects use it."""
    if call.state.host.allows(call.principal, "admin"):
        return
    wide = call.state.connections.list(integration, ConnectionFilter(scope="PLATFORM"))
    if any(connection.id == connection_id for connection in wide):
        caller(call.state, "admin")


def _delete(call: Call, integration: Integration, connection_id: str) -> None:
    _check_reach(call, integration, connection_id)
    call.state.connections.delete(
        integration,
        connection_id,
        force=call.query["force"],
        user_id=call.principal.user_id,
        now=call.state.now(),
    )


def _meant(call: Call) -> Integration:
    """The integration that the body names, else that of the caller's organization, else the tenant's."""
    if "integration_id" in call.body:
        return call.integration(call.body["integration_id"])
    found = {
        integration.organization_id: integration
        for integration in call.state.integrations.visible_to(call.principal)
    }
    for organization_id in (call.principal.organization_id, None):
        if organization_id in found:
            return found[organization_id]
    raise NotFound("integration", "own")


def _platform_sharing(call: Call) -> PlatformSharing | None:
    """For a connection of the whole platform: whose projects may use it."""
    if call.body["scope"] == "PROJECT":
        return None
    # Projects will use it that others look after.
    caller(call.state, "admin")
    return PlatformSharing(
        project_ids=call.body.get("project_ids"),
        pre_select_for_new_projects=call.body.get("pre_select_for_new_projects"),
    )


def _value(body: Mapping[str, Any]) -> Value:
    """A typed value; the type beside it wins over nothing, and must not be another."""
    if "access_token" in body:
        if body.get("type", SecretText.type) != SecretText.type:
            raise InvalidInput({"value": "a connection of this type needs a whole value"})
        return SecretText(body["access_token"])
    if "value" not in body:
        return Placeholder()
    given = dict(body["value"])
    named = body.get("type", given.get("type", SecretText.type))
    if given.setdefault("type", named) != named:
        raise InvalidInput({"type": "it is another than that of the value"})
    return value_from_json(given)
