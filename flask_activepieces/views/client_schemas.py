"""The JSON that admins send about OAuth clients, checked field by field."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from ..errors import InvalidInput


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


def load(schema: Schema, body: dict[str, Any]) -> dict[str, Any]:
    """The values of a JSON object; `InvalidInput` names every field that does not fit."""
    try:
        values: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        told = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise InvalidInput({str(name): _words(words) for name, words in told.items()}) from None
    return values


def _words(told: Any) -> str:
    if isinstance(told, dict):
        return "; ".join(f"{key}: {_words(value)}" for key, value in told.items())
    return " ".join(str(word) for word in told) if isinstance(told, list) else str(told)
