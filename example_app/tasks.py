"""The task pages: list tasks, add one, mark one as done."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from marshmallow import ValidationError
from sqlalchemy import select

from .auth import reject_cross_site_forms
from .models import Membership, Task, db
from .piece import emit_changes, task_created
from .schemas import LARGEST_ID, NewTaskSchema
from .seed import DEMO_PASSWORD, DEMO_USERS

MAX_OPEN = 100
MAX_DONE = 20

blueprint = Blueprint("tasks", __name__)
blueprint.before_request(reject_cross_site_forms)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The tasks of one of the user's companies; for signed-out visitors, a welcome page with the logins."""
    if not current_user.is_authenticated:
        return render_template("welcome.html", users=DEMO_USERS, password=DEMO_PASSWORD)
    return render_tasks(membership_or_404(request.args.get("workspace")))


@blueprint.post("/tasks")
@login_required  # type: ignore[untyped-decorator]
def add() -> ResponseReturnValue:
    """Add a task to the company in the form."""
    membership = membership_or_404(request.form.get("workspace"))
    try:
        values = NewTaskSchema().load({"title": request.form.get("title", "")})
    except ValidationError as error:
        return render_tasks(membership, error=" ".join(error.messages_dict["title"])), 422
    task = Task(company_id=membership.company_id, creator_id=current_user.id, **values)
    db.session.add(task)
    task_created.emit(task, tenant_id=task.company_id)
    db.session.commit()
    return redirect(url_for(".home", workspace=membership.company_id))


@blueprint.post(f"/tasks/<int(max={LARGEST_ID}):task_id>")
@login_required  # type: ignore[untyped-decorator]
def set_done(task_id: int) -> ResponseReturnValue:
    """Mark a task as done or open."""
    task = db.session.get(Task, task_id) or abort(404)
    membership_or_404(task.company_id)
    was_done, task.done = task.done, request.form.get("done") == "1"
    emit_changes(task, was_done=was_done)
    db.session.commit()
    return redirect(url_for(".home", workspace=task.company_id))


def membership_or_404(company_id: str | None) -> Membership:
    """The user's membership in that company; without an id, the first one."""
    memberships: list[Membership] = current_user.memberships
    matching = (each for each in memberships if company_id in (None, each.company_id))
    return next(matching, None) or abort(404)


def render_tasks(membership: Membership, *, error: str | None = None) -> str:
    """The page with the newest open tasks and the newest done ones."""
    newest = select(Task).filter_by(company_id=membership.company_id).order_by(Task.id.desc())
    return render_template(
        "tasks.html",
        membership=membership,
        memberships=current_user.memberships,
        open_tasks=db.session.scalars(newest.filter_by(done=False).limit(MAX_OPEN)).all(),
        done_tasks=db.session.scalars(newest.filter_by(done=True).limit(MAX_DONE)).all(),
        error=error,
    )
