"""What a task looks like from outside, and what may come in. Shared by the pages and the API."""

from __future__ import annotations

import unicodedata
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from .models import TITLE_LENGTH

#: The largest id that an INTEGER column holds on every database.
LARGEST_ID = 2**31 - 1


def one_line(text: str) -> None:
    """Refuse control characters and broken surrogates, which not every database can store."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValidationError("The title must be one line of text.")


class NewTaskSchema(Schema):
    """The fields that make a task."""

    title = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, error="A task needs a title."),
            validate.Length(max=TITLE_LENGTH, error="The title is longer than {max} characters."),
            one_line,
        ],
    )
    done = fields.Boolean(truthy={True}, falsy={False})

    @pre_load
    def strip_title(self, data: Any, **_: Any) -> Any:
        """Spaces around a title mean nothing."""
        if isinstance(data, dict) and isinstance(data.get("title"), str):
            return {**data, "title": data["title"].strip()}
        return data


class TaskPageSchema(Schema):
    """Which part of the list to answer with."""

    done = fields.Boolean()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Integer(load_default=0, validate=validate.Range(0, LARGEST_ID))


class TaskSchema(Schema):
    """A task as the API shows it."""

    id = fields.Integer()
    title = fields.String()
    done = fields.Boolean()
    created_at = fields.DateTime(format="iso")
    created_by = fields.String(attribute="creator_id", allow_none=True)
