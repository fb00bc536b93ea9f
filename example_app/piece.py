"""What Tasklane offers in Activepieces: its actions and triggers, beside the views of the API.

The views of `api.py` that are actions are declared there, each with one decorator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from flask_activepieces import fields as piece_fields
from flask_activepieces.errors import InvalidInput

from .activepieces import activepieces, current_token
from .models import Company, Task, User, db
from .schemas import NewTaskSchema, TaskSchema

MAX_IMPORTED = 100


class ImportSchema(Schema):
    """The form for importing tasks."""

    hint = piece_fields.Note("A text file with one task a line.")
    file = piece_fields.File(required=True, metadata={"title": "File"})


class ImportedSchema(Schema):
    """What an import has done."""

    tasks = fields.List(fields.Nested(TaskSchema))


class TaskFilterSchema(Schema):
    """Which tasks start a flow."""

    contains = fields.String(
        metadata={"title": "Title contains", "description": "Empty: all tasks."}, validate=validate.Length(max=100)
    )


@activepieces.action(
    "import_tasks", scope="tasks:write", input=ImportSchema, output=ImportedSchema, destructive=False
)
def import_tasks(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Adds a task for each line of a text file."""
    file: FileStorage = data["file"]
    try:
        titles = [line.strip() for line in file.read().decode().splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InvalidInput({"file": "This is not a text file in UTF-8."}) from None
    if len(titles) > MAX_IMPORTED:
        raise InvalidInput({"file": f"The file has {len(titles)} tasks; import at most {MAX_IMPORTED} at once."})
    tenant_id, user_id = current_token.tenant_id, current_token.user_id
    assert tenant_id is not None, "a token of this app is for a tenant"
    user = db.session.get(User, int(user_id)) if user_id else None
    tasks = [
        Task(company_id=tenant_id, creator=user, **values)
        for values in NewTaskSchema(many=True).load([{"title": title} for title in titles])
    ]
    db.session.add_all(tasks)
    task_created.emit_many(tasks, tenant_id=tenant_id)
    db.session.commit()
    return {"tasks": tasks}


@activepieces.options("open_tasks", scope="tasks:read", search=True)
def open_tasks(inputs: Mapping[str, Any], search: str) -> Iterable[tuple[str, int]]:
    """The newest open tasks whose title contains what the user types."""
    return [(task.title, task.id) for task in newest_tasks(search, done=False, limit=50)]


def newest_tasks(contains: str, *, done: bool, limit: int = 5) -> Iterable[Task]:
    """The newest tasks of the workspace whose title contains a text."""
    query = select(Task).filter_by(company_id=current_token.tenant_id, done=done)
    query = query.where(Task.title.icontains(contains, autoescape=True))
    return db.session.scalars(query.order_by(Task.id.desc()).limit(limit)).all()


def title_contains(task: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether the task's title contains the text of the form."""
    return str(inputs.get("contains", "")).lower() in task["title"].lower()


task_created = activepieces.trigger(
    "task_created",
    scope="tasks:read",
    payload=TaskSchema,
    samples=lambda inputs: newest_tasks(inputs.get("contains", ""), done=False),
    input=TaskFilterSchema,
    matches=title_contains,
    description="Starts when a task is added to the workspace.",
)
task_done = activepieces.trigger(
    "task_done",
    scope="tasks:read",
    payload=TaskSchema,
    samples=lambda inputs: newest_tasks(inputs.get("contains", ""), done=True),
    input=TaskFilterSchema,
    matches=title_contains,
    ordered=True,
    description="Starts when a task is marked as done.",
)


def emit_changes(task: Task, *, was_done: bool) -> None:
    """Send the events of a changed task, with the transaction that changes it."""
    if task.done and not was_done:
        task_done.emit(task, tenant_id=task.company_id)


@activepieces.account
def account(token: Any) -> Mapping[str, Any]:
    """Who a token speaks for: Activepieces shows it as the name of the connection."""
    company = db.session.get_one(Company, token.tenant_id)
    user = db.session.get(User, int(token.user_id)) if token.user_id else None
    workspace = {"id": company.id, "name": company.name}
    if user is None:
        return {"id": token.client_id, "name": company.name, "workspace": workspace}
    return {"id": str(user.id), "name": user.name, "email": user.email, "workspace": workspace}
