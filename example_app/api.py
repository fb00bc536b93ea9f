"""The JSON API, which programs call with an access token.

Each view names the scope that it requires. The tenant comes from the token only, never from the URL or body.
"""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import select

from .activepieces import activepieces, current_token, require_scope
from .auth import load_user
from .models import Company, Task, User, db
from .piece import emit_changes, task_created
from .schemas import LARGEST_ID, ChangeTaskSchema, NewTaskSchema, TaskListSchema, TaskPageSchema, TaskSchema

blueprint = Blueprint("api", __name__, url_prefix="/api")


@blueprint.get("/me")
@require_scope("profile:read")
def me() -> ResponseReturnValue:
    """The user and the workspace of the token. Platforms show them as the name of the connection."""
    user = token_user() or abort(404, "This token does not belong to a user.")
    company = token_company()
    return jsonify(
        id=str(user.id), name=user.name, email=user.email, workspace={"id": company.id, "name": company.name}
    )


@blueprint.get("/tasks")
@activepieces.action("list_tasks", input=TaskPageSchema, output=TaskListSchema, idempotent=True)
@require_scope("tasks:read")
def list_tasks() -> ResponseReturnValue:
    """Lists the tasks of the workspace, oldest first."""
    page = TaskPageSchema().load(request.args.to_dict())
    query = select(Task).filter_by(company_id=current_token.tenant_id)
    query = query.where(Task.id > page["after"])
    if "done" in page:
        query = query.filter_by(done=page["done"])
    # One task more than the limit shows whether there is a next page.
    rows = db.session.scalars(query.order_by(Task.id).limit(page["limit"] + 1)).all()
    tasks = rows[: page["limit"]]
    return jsonify(
        tasks=TaskSchema(many=True).dump(tasks), next_after=tasks[-1].id if len(rows) > len(tasks) else None
    )


@blueprint.post("/tasks")
@activepieces.action("create_task", input=NewTaskSchema, output=TaskSchema, destructive=False)
@require_scope("tasks:write")
def create_task() -> ResponseReturnValue:
    """Adds a task to the workspace."""
    values = NewTaskSchema().load(request.get_json())
    task = Task(company_id=token_company().id, creator=token_user(), **values)
    db.session.add(task)
    task_created.emit(task, tenant_id=task.company_id)
    db.session.commit()
    return jsonify(TaskSchema().dump(task)), 201


@blueprint.patch(f"/tasks/<int(max={LARGEST_ID}):task_id>")
@activepieces.action("change_task", input=ChangeTaskSchema, output=TaskSchema, idempotent=True, destructive=False)
@require_scope("tasks:write")
def change_task(task_id: int) -> ResponseReturnValue:
    """Changes the title of a task, or marks it as done."""
    # The tenant is part of the query, so a task of another company is a 404.
    query = select(Task).filter_by(id=task_id, company_id=current_token.tenant_id)
    task = db.session.scalar(query) or abort(404, "Task not found in this workspace.")
    was_done = task.done
    for field, value in NewTaskSchema(partial=True).load(request.get_json()).items():
        setattr(task, field, value)
    emit_changes(task, was_done=was_done)
    db.session.commit()
    return jsonify(TaskSchema().dump(task))


@blueprint.errorhandler(ValidationError)
def show_validation_error(error: ValidationError) -> ResponseReturnValue:
    """422 with a message for each invalid field."""
    return jsonify(error="invalid_input", message="Some fields are invalid.", fields=error.messages_dict), 422


def token_user() -> User | None:
    """The user of the token; None for the client-credentials grant."""
    return load_user(current_token.user_id) if current_token.user_id else None


def token_company() -> Company:
    """The company of the token; 403 if it does not exist."""
    tenant_id = current_token.tenant_id
    company = db.session.get(Company, tenant_id) if tenant_id else None
    return company or abort(403, "This token does not belong to a workspace of Tasklane.")
