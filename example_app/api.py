"""The JSON API that outside programs call with an access token.

Each view names the scope that it needs. Whose data it is follows from the token and from nothing
else: there is no tenant in any URL or body, so none can be guessed.
"""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import select

from .activepieces import current_token, require_scope
from .auth import load_user
from .models import Company, Task, User, db
from .schemas import LARGEST_ID, NewTaskSchema, TaskPageSchema, TaskSchema

blueprint = Blueprint("api", __name__, url_prefix="/api")


@blueprint.get("/me")
@require_scope("profile:read")
def me() -> ResponseReturnValue:
    """Whose token this is; platforms show it as the name of the connection."""
    user = token_user() or abort(404, "This token does not speak for a user.")
    company = token_company()
    return jsonify(
        id=str(user.id),
        name=user.name,
        email=user.email,
        workspace={"id": company.id, "name": company.name},
    )


@blueprint.get("/tasks")
@require_scope("tasks:read")
def list_tasks() -> ResponseReturnValue:
    """The tasks of the workspace, oldest first, a page at a time."""
    page = TaskPageSchema().load(request.args.to_dict())
    own = select(Task).filter_by(company_id=current_token.tenant_id)
    query = own.where(Task.id > page["after"])
    if "done" in page:
        query = query.filter_by(done=page["done"])
    # One more than asked for tells whether there is a next page.
    found = db.session.scalars(query.order_by(Task.id).limit(page["limit"] + 1)).all()
    shown = found[: page["limit"]]
    return jsonify(
        tasks=TaskSchema(many=True).dump(shown),
        next_after=shown[-1].id if len(found) > len(shown) else None,
    )


@blueprint.post("/tasks")
@require_scope("tasks:write")
def create_task() -> ResponseReturnValue:
    """Add a task to the workspace."""
    values = NewTaskSchema().load(request.get_json())
    task = Task(company_id=token_company().id, creator=token_user(), **values)
    db.session.add(task)
    db.session.commit()
    return jsonify(TaskSchema().dump(task)), 201


@blueprint.patch(f"/tasks/<int(max={LARGEST_ID}):task_id>")
@require_scope("tasks:write")
def change_task(task_id: int) -> ResponseReturnValue:
    """Change the title of a task, or tick it off."""
    # With the tenant in the query, a task of another company is simply not there.
    own = select(Task).filter_by(id=task_id, company_id=current_token.tenant_id)
    task = db.session.scalar(own) or abort(404, "There is no such task in this workspace.")
    for field, value in NewTaskSchema(partial=True).load(request.get_json()).items():
        setattr(task, field, value)
    db.session.commit()
    return jsonify(TaskSchema().dump(task))


@blueprint.errorhandler(ValidationError)
def refuse_input(error: ValidationError) -> ResponseReturnValue:
    """422 with the fields that are wrong and why."""
    return jsonify(
        error="invalid_input", message="Some fields are wrong.", fields=error.messages_dict
    ), 422


def token_user() -> User | None:
    """The user that the token speaks for; a program that acts for itself has none."""
    return load_user(current_token.user_id) if current_token.user_id else None


def token_company() -> Company:
    """The company that the token was issued for."""
    tenant_id = current_token.tenant_id
    company = db.session.get(Company, tenant_id) if tenant_id else None
    return company or abort(403, "This token belongs to no workspace of Tasklane.")
