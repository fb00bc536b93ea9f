"""What a user's browser brings when a connection is made by signing in somewhere."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import OneOf

from ...api_client.resources.connection_values import OAUTH2_KINDS
from ...integrations.sign_in.pending import LONGEST_STATE
from .fields import CamelSchema, PieceName, Text, check_text


class JsonTexts(fields.String):
    """A JSON object of texts, in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
            raise ValidationError("It must be a JSON object of texts.")
        for part in (*found, *found.values()):
            check_text(part)
        return found


class OwnPath(Text):
    """A path of this app: a redirect to it leads no user elsewhere."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        path = super()._deserialize(value, attr, data, **options)
        # Browsers read a backslash as a slash, and drop control characters.
        plain = path.isprintable() and "\\" not in path
        if not plain or not path.startswith("/") or path.startswith("//"):
            raise ValidationError("It must be a path of this app.")
        return path


class StartSchema(CamelSchema):
    """What a user signs in for: a piece, or a connection that stopped working."""

    piece_name = PieceName()
    connection_id = Text(most=64, metadata={"description": "a connection to be renewed"})
    display_name = Text(most=100)
    external_id = Text(most=100)
    type = fields.String(
        validate=OneOf(OAUTH2_KINDS),
        load_default="OAUTH2",
        metadata={"description": "whose registration: the app's, the platform's, Activepieces'"},
    )
    client_id = Text(metadata={"description": "the platform's or Activepieces' client"})
    props = JsonTexts(
        load_default=dict,
        metadata={
            "description": "JSON: what the piece asks for beside the sign-in",
            "default": "{}",
        },
    )
    next = OwnPath(
        most=1000,
        metadata={"description": "where to go in the end; else to the root of the app"},
    )


class CallbackSchema(Schema):
    """What the third party sends back; what else it adds is ignored (RFC 6749 section 4.1.2)."""

    class Meta:
        unknown = EXCLUDE

    state = Text(most=LONGEST_STATE, required=True)
    code = Text(most=8000)
    error = Text(most=200)
    error_description = Text(most=2000)
