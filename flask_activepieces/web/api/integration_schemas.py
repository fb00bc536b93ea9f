"""JSON about integrations: what an admin sets up, and what is shown of it, never a secret."""

from __future__ import annotations

from marshmallow import fields

from .fields import CamelSchema, Flag, Instant, Text


class SetupSchema(CamelSchema):
    """A new integration; without credentials it uses the app's own key."""

    api_key = Text(most=8192, load_only=True)
    user_token = Text(most=8192, load_only=True)
    email = Text(most=190, load_only=True)
    password = Text(most=190, load_only=True)
    #: Null is the tenant as a whole; when it is left out, it is the organization of whoever calls.
    organization_id = Text(most=190, allow_none=True)
    project_id = Text(most=64)
    base_url = Text(most=2000)


class ChangeSchema(CamelSchema):
    """What may be changed of an integration; other credentials replace the old ones, and null removes one."""

    api_key = Text(most=8192, load_only=True, allow_none=True)
    user_token = Text(most=8192, load_only=True, allow_none=True)
    email = Text(most=190, load_only=True, allow_none=True)
    password = Text(most=190, load_only=True, allow_none=True)
    enabled = Flag()
    project_id = Text(most=64)


class SetupDoneSchema(CamelSchema):
    """The id by which everything else is asked for."""

    integration_tenant_id = fields.String(required=True)


class StatusSchema(CamelSchema):
    """Whether the integration may be used."""

    enabled = fields.Boolean(required=True)


class IntegrationSchema(CamelSchema):
    """An integration as it is shown; of its credentials, the last four characters."""

    id = fields.String(required=True)
    tenant_id = fields.String(required=True)
    organization_id = fields.String(required=True, allow_none=True)
    base_url = fields.String(required=True, allow_none=True)
    project_id = fields.String(required=True)
    has_credentials = fields.Boolean(required=True)
    credential_hint = fields.String(required=True, allow_none=True)
    enabled = fields.Boolean(required=True)
    default_connection_id = fields.String(required=True, allow_none=True)
    default_connection_external_id = fields.String(required=True, allow_none=True)
    oauth_client_id = fields.String(required=True, allow_none=True)
    failed_connection_ids = fields.List(fields.String(), required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class IntegrationListSchema(CamelSchema):
    """The integrations of a tenant."""

    data = fields.List(fields.Nested(IntegrationSchema), required=True)
