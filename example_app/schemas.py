"""What a task contains and which input is valid, for the pages and the API."""

from __future__ import annotations

import unicodedata
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from .models import TITLE_LENGTH

#: The maximum of an INTEGER column on every database.
LARGEST_ID = 2**31 - 1


def validate_one_line(title: str) -> None:
    """Reject control characters and lone surrogates, which some databases cannot store."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in title):
        raise ValidationError("The title must be a single line.")


class NewTaskSchema(Schema):
    """A new task, or the changed fields of one."""

    title = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, error="A task needs a title."),
            validate.Length(max=TITLE_LENGTH, error="The title must have at most {max} characters."),
            validate_one_line,
        ],
    )
    done = fields.Boolean(truthy={True}, falsy={False})

    @pre_load
    def strip_title(self, data: Any, **_: Any) -> Any:
        """Remove spaces around the title."""
        if isinstance(data, dict) and isinstance(data.get("title"), str):
            return {**data, "title": data["title"].strip()}
        return data


class ChangeTaskSchema(NewTaskSchema):
    """A task and what to change of it."""

    task_id = fields.Integer(
        required=True, metadata={"title": "Task", "options": "open_tasks", "order": -1}, validate=validate.Range(1)
    )
    title = fields.String(metadata={"title": "New title"})


class TaskPageSchema(Schema):
    """The query parameters of the task list."""

    done = fields.Boolean()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Integer(load_default=0, validate=validate.Range(0, LARGEST_ID))


class TaskSchema(Schema):
    """A task in responses of the API."""

    id = fields.Integer()
    title = fields.String()
    done = fields.Boolean()
    created_at = fields.DateTime(format="iso")
    created_by = fields.String(attribute="creator_id", allow_none=True)


class TaskListSchema(Schema):
    """One page of tasks."""

    tasks = fields.List(fields.Nested(TaskSchema))
    next_after = fields.Integer(allow_none=True, metadata={"title": "Next page after"})
