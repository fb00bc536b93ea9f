"""The JSON API for a tenant's integrations: set up, look at, change, remove."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ...errors import InvalidInput
from ...integrations.credentials import Credentials
from ...integrations.setup import SetupRequest
from ...integrations.store import Integration
from .answers import CamelAnswerSchema, Instant, fields_of, list_of
from .fields import CamelSchema, StrictBoolean, String
from .operations import Operation, OperationContext

_CREDENTIALS = ("api_key", "user_token", "email", "password")


class SetupSchema(CamelSchema):
    """A new integration; without credentials it uses the app's default API key."""

    api_key = String(max_length=8192, load_only=True)
    user_token = String(max_length=8192, load_only=True)
    email = String(max_length=190, load_only=True)
    password = String(max_length=190, load_only=True)
    organization_id = String(
        max_length=190,
        allow_none=True,
        metadata={"description": "null: the whole tenant. The default is the caller's own"},
    )
    project_id = String(max_length=64)
    base_url = String(max_length=2000)


class SetupResultSchema(CamelAnswerSchema):
    integration_tenant_id = fields.String(attribute="id")


class IntegrationChangeSchema(CamelSchema):
    api_key = String(max_length=8192, load_only=True, allow_none=True)
    user_token = String(max_length=8192, load_only=True, allow_none=True)
    email = String(max_length=190, load_only=True, allow_none=True)
    password = String(max_length=190, load_only=True, allow_none=True)
    enabled = StrictBoolean()
    project_id = String(max_length=64)


class StatusSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(Integration, "enabled")


class IntegrationSchema(CamelAnswerSchema):
    """An integration, with masked credentials."""

    class Meta:
        include = fields_of(
            Integration,
            "id tenant_id organization_id base_url project_id has_credentials credential_hint enabled"
            " default_connection_id default_connection_external_id oauth_client_id failed_connection_ids",
        )

    created_at = Instant()
    updated_at = Instant()


@Operation("admin", body=SetupSchema(), answer=SetupResultSchema(), success=201)
def set_up(context: OperationContext) -> Any:
    """Connect the tenant, or an organization in it, to Activepieces; a second call for the same one changes it.

    The credentials are verified first, then stored encrypted. Without credentials the app's default API key is used.
    """
    setup = SetupRequest(
        tenant_id=context.principal.tenant_id, **{**context.body, "organization_id": _organization_id(context)}
    )
    return context.state.tenants.integrations.set_up(setup, user_id=context.principal.user_id)


@Operation("view", calls_activepieces=False, answer=list_of(IntegrationSchema, "IntegrationList"))
def list_integrations(context: OperationContext) -> Any:
    """The integrations of the tenant and of the caller's organizations."""
    return {"data": context.state.tenants.integrations.visible_to(context.principal)}


@Operation("view", calls_activepieces=False, answer=IntegrationSchema())
def get_integration(context: OperationContext) -> Any:
    """One integration, with masked credentials."""
    return context.integration


@Operation("view", calls_activepieces=False, answer=IntegrationSchema())
def get_integration_settings(context: OperationContext) -> Any:
    """The same, under another address."""
    return context.integration


@Operation("view", calls_activepieces=False, answer=StatusSchema())
def get_status(context: OperationContext) -> Any:
    """Whether the integration is enabled."""
    return context.integration


@Operation("admin", body=IntegrationChangeSchema(), answer=IntegrationSchema())
def update_integration(context: OperationContext) -> Any:
    """Enable or disable an integration, replace or remove its credentials, or choose another project."""
    changes = {name: context.body[name] for name in _CREDENTIALS if name in context.body}
    replaced = {name: value for name, value in changes.items() if value is not None}
    return context.state.tenants.integrations.update(
        context.integration,
        enabled=context.body.get("enabled"),
        credentials=Credentials(**replaced) if replaced else None,
        removed=changes.keys() - replaced.keys(),
        project_id=context.body.get("project_id"),
        user_id=context.principal.user_id,
    )


@Operation("admin", calls_activepieces=False)
def delete_integration(context: OperationContext) -> None:
    """Delete the integration and its credentials; what it created in Activepieces stays there."""
    context.state.tenants.integrations.remove(context.integration, user_id=context.principal.user_id)


def _organization_id(context: OperationContext) -> str | None:
    """The organization to set up, None for the whole tenant; the caller must be allowed to act for it."""
    organization_id: str | None = context.body.get("organization_id", context.principal.organization_id)
    if not context.state.tenants.integrations.accessible_organizations(context.principal, [organization_id]):
        raise InvalidInput({"organizationId": "You are not in this organization."})
    return organization_id
