"""The JSON of OAuth clients; the names are those of RFC 7591 where it has one."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from ..clock import as_iso
from ..errors import InvalidInput
from ..oauth.clients import CLIENT_CREDENTIALS, OAuthClient, Registration


class RegistrationSchema(Schema):
    """What an admin may say of a client; an unknown name is an error, not a silent nothing."""

    class Meta:
        unknown = RAISE

    name = fields.String()
    description = fields.String()
    redirect_uris = fields.List(fields.String())
    scope = fields.String()
    public = fields.Boolean()
    require_pkce = fields.Boolean()
    client_credentials = fields.Boolean()
    introspects = fields.Boolean()


class RotationSchema(Schema):
    """Whether the old secret works on until the next rotation."""

    class Meta:
        unknown = RAISE

    keep_old = fields.Boolean(load_default=True)


def load(schema: Schema, body: Any) -> dict[str, Any]:
    """The values of a JSON body; `InvalidInput` names every field that does not fit."""
    try:
        values: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        told = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise InvalidInput({str(name): _words(words) for name, words in told.items()}) from None
    return values


def registration_of(client: OAuthClient) -> Registration:
    """What was decided about a client so far: the ground for a change."""
    return Registration(
        name=client.name,
        description=client.description,
        redirect_uris=client.redirect_uris,
        scope=client.scope,
        tenant_id=client.tenant_id,
        public=not client.confidential,
        require_pkce=client.require_pkce,
        client_credentials=client.check_grant_type(CLIENT_CREDENTIALS),
        introspects=client.introspects,
    )


def shown(client: OAuthClient, secret: str | None = None) -> dict[str, Any]:
    """The client as JSON; the secret only in the answer that makes it."""
    described: dict[str, Any] = {
        "client_id": client.client_id,
        "tenant_id": client.tenant_id,
        "name": client.name,
        "description": client.description,
        "public": not client.confidential,
        "redirect_uris": list(client.redirect_uris),
        "scope": client.scope,
        "grant_types": client.grant_types.split(),
        "require_pkce": client.require_pkce,
        "introspects": client.introspects,
        "created_at": as_iso(client.created_at),
    }
    return described | ({"client_secret": secret} if secret is not None else {})


def _words(told: Any) -> str:
    if isinstance(told, dict):
        return "; ".join(f"{key}: {_words(value)}" for key, value in told.items())
    return " ".join(str(word) for word in told) if isinstance(told, list) else str(told)
