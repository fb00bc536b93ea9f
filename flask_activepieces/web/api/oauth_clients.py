"""The JSON API for a tenant's OAuth clients; clients of other tenants, and global ones, are not found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from marshmallow import Schema, fields

from ...oauth.clients.client import OAuthClient, client_to_json
from ...oauth.clients.registration import Registration
from .. import tenant_clients
from .answers import AnswerSchema, fields_of, list_of
from .fields import StrictBoolean
from .operations import Operation, OperationContext


class RegistrationSchema(Schema):
    name = fields.String(metadata={"examples": ["Monthly reports"]})
    description = fields.String(metadata={"examples": ["Draws a chart of the tasks"]})
    logo_uri = fields.String(metadata={"examples": ["https://reports.example/logo.svg"]})
    redirect_uris = fields.List(fields.String(), metadata={"examples": [["https://reports.example/callback"]]})
    scope = fields.String(metadata={"description": "separated by spaces", "examples": ["tasks:read"]})
    public = StrictBoolean()
    require_pkce = StrictBoolean()
    client_credentials = StrictBoolean()
    can_introspect = StrictBoolean()


class ClientChangeSchema(RegistrationSchema):
    class Meta:
        exclude = ("public",)


class RotationSchema(Schema):
    """Whether the old secret stays valid until the next rotation."""

    keep_old = StrictBoolean(load_default=True)


class ClientSchema(AnswerSchema):
    """An OAuth client, with the names of RFC 7591 where it has one."""

    class Meta:
        include = fields_of(
            OAuthClient,
            "client_id name description logo_uri redirect_uris scope grant_types require_pkce can_introspect",
            remember_consent="whether an operator allowed it to skip the consent page",
            integration_id="the integration that created and manages it",
            tokens_issued="how many client-credentials tokens it received",
            source="operator, document or dynamic: who registered it",
            document_url="its id in requests, if that is the URL of its document",
        )

    tenant_id = fields.String()
    public = fields.Boolean()
    created_at = fields.String(metadata={"format": "date-time"})
    last_issued_at = fields.String(
        allow_none=True, metadata={"format": "date-time", "description": "when it received the last of these"}
    )
    disabled_at = fields.String(
        allow_none=True, metadata={"format": "date-time", "description": "when it was suspended"}
    )


class NewClientSchema(ClientSchema):
    """An OAuth client with its new secret; a public client has none."""

    client_secret = fields.String()

    optional = frozenset({"client_secret"})


@Operation("view", calls_activepieces=False, answer=list_of(ClientSchema, "ClientList"))
def list_clients(context: OperationContext) -> Any:
    """The tenant's OAuth clients."""
    clients = tenant_clients.list_clients(context.state, context.principal)
    return {"data": [client_to_json(client) for client in clients]}


@Operation("admin", calls_activepieces=False, body=RegistrationSchema(), answer=NewClientSchema(), success=201)
def create_client(context: OperationContext) -> Any:
    """Register an OAuth client of the tenant; only this response has its secret."""
    registration = Registration(tenant_id=context.principal.tenant_id, **{"name": "", **context.body})
    client, secret = context.state.oauth_clients.register(registration, user_id=context.principal.user_id)
    return client_to_json(client, secret)


@Operation("view", calls_activepieces=False, answer=ClientSchema())
def get_client(context: OperationContext, client_id: str) -> Any:
    """One OAuth client."""
    return client_to_json(_find(context, client_id))


@Operation("admin", calls_activepieces=False, body=ClientChangeSchema(), answer=ClientSchema())
def update_client(context: OperationContext, client_id: str) -> Any:
    """Change the named fields; a client stays public or confidential, and stays in its tenant."""
    client = _find(context, client_id)
    registration = replace(client.registration(), **context.body)
    tenant_clients.check_redirect_uris(client, registration)
    updated = context.state.oauth_clients.update(client, registration, user_id=context.principal.user_id)
    return client_to_json(updated)


@Operation("admin", calls_activepieces=False, body=RotationSchema(), body_optional=True, answer=NewClientSchema())
def rotate_client(context: OperationContext, client_id: str) -> Any:
    """Create a new secret, shown once; ``{"keep_old": false}`` invalidates the old one immediately."""
    client = _find(context, client_id)
    secret = context.state.oauth_clients.rotate_secret(
        client, keep_old=context.body["keep_old"], user_id=context.principal.user_id
    )
    return client_to_json(client, secret)


@Operation("admin", calls_activepieces=False)
def delete_client(context: OperationContext, client_id: str) -> None:
    """Delete the OAuth client, and revoke its grants and tokens."""
    context.state.oauth_clients.delete(_find(context, client_id), user_id=context.principal.user_id)


def _find(context: OperationContext, client_id: str) -> OAuthClient:
    return tenant_clients.get_client(context.state, context.principal, client_id)
