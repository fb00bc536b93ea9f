"""The JSON that admins send about OAuth clients, checked field by field, and what they are answered."""

from __future__ import annotations

from marshmallow import Schema, fields

from .fields import Flag


class RegistrationSchema(Schema):
    """What an admin may say of a client."""

    name = fields.String(metadata={"examples": ["Monthly reports"]})
    description = fields.String(metadata={"examples": ["Draws a chart of the tasks"]})
    redirect_uris = fields.List(
        fields.String(), metadata={"examples": [["https://reports.example/callback"]]}
    )
    scope = fields.String(
        metadata={"description": "names with spaces between", "examples": ["tasks:read"]}
    )
    public = Flag()
    require_pkce = Flag()
    client_credentials = Flag()
    introspects = Flag()


class ClientChangeSchema(RegistrationSchema):
    """What may be said anew of a client that is there."""

    class Meta:
        exclude = ("public",)


class RotationSchema(Schema):
    """Whether the old secret works on until the next rotation."""

    keep_old = Flag(load_default=True)


class ClientSchema(Schema):
    """A client as it is shown; the names are RFC 7591's where it has one."""

    client_id = fields.String(required=True)
    tenant_id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    public = fields.Boolean(required=True)
    redirect_uris = fields.List(fields.String(), required=True)
    scope = fields.String(required=True)
    grant_types = fields.List(fields.String(), required=True)
    require_pkce = fields.Boolean(required=True)
    remember_consent = fields.Boolean(
        required=True,
        metadata={"description": "whether an operator let it skip the consent page"},
    )
    introspects = fields.Boolean(required=True)
    integration_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the integration that it was made for, and that keeps it"},
    )
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    tokens_issued = fields.Integer(
        required=True, metadata={"description": "how many access tokens it got for itself"}
    )
    last_issued_at = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "when it got the last of these"},
    )
    disabled_at = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "since when it is suspended"},
    )


class NewClientSchema(ClientSchema):
    """A client in the one answer that has its secret; a public client has none."""

    client_secret = fields.String()


class ClientListSchema(Schema):
    """Clients by name."""

    data = fields.List(fields.Nested(ClientSchema), required=True)
