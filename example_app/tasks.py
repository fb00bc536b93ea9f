"""The pages of Tasklane: the list, adding a task, ticking one off."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from marshmallow import ValidationError
from sqlalchemy import select

from .auth import refuse_forms_of_other_sites
from .models import Membership, Task, db
from .schemas import LARGEST_ID, NewTaskSchema
from .seed import DEMO_PASSWORD, DEMO_USERS

OPEN_SHOWN = 100
DONE_SHOWN = 20

blueprint = Blueprint("tasks", __name__)
blueprint.before_request(refuse_forms_of_other_sites)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The tasks of one company of the user; for strangers, what this is and how to get in."""
    if not current_user.is_authenticated:
        return render_template("welcome.html", users=DEMO_USERS, password=DEMO_PASSWORD)
    return task_page(membership_or_404(request.args.get("workspace")))


@blueprint.post("/tasks")
@login_required  # type: ignore[untyped-decorator]
def add() -> ResponseReturnValue:
    """Add a task to the company that the form names."""
    membership = membership_or_404(request.form.get("workspace"))
    try:
        values = NewTaskSchema().load({"title": request.form.get("title", "")})
    except ValidationError as error:
        return task_page(membership, error=" ".join(error.messages_dict["title"])), 422
    db.session.add(Task(company_id=membership.company_id, creator_id=current_user.id, **values))
    db.session.commit()
    return redirect(url_for(".home", workspace=membership.company_id))


@blueprint.post(f"/tasks/<int(max={LARGEST_ID}):task_id>")
@login_required  # type: ignore[untyped-decorator]
def tick(task_id: int) -> ResponseReturnValue:
    """Mark a task as done, or as open again."""
    task = db.session.get(Task, task_id) or abort(404)
    membership_or_404(task.company_id)
    task.done = request.form.get("done") == "1"
    db.session.commit()
    return redirect(url_for(".home", workspace=task.company_id))


def membership_or_404(company_id: str | None) -> Membership:
    """The user's membership in that company, the first one when none is named."""
    memberships: list[Membership] = current_user.memberships
    chosen = (one for one in memberships if company_id in (None, one.company_id))
    return next(chosen, None) or abort(404)


def task_page(membership: Membership, *, error: str | None = None) -> str:
    """The newest open tasks and the last few that are done."""
    newest = select(Task).filter_by(company_id=membership.company_id).order_by(Task.id.desc())
    return render_template(
        "tasks.html",
        membership=membership,
        memberships=current_user.memberships,
        open_tasks=db.session.scalars(newest.filter_by(done=False).limit(OPEN_SHOWN)).all(),
        done_tasks=db.session.scalars(newest.filter_by(done=True).limit(DONE_SHOWN)).all(),
        error=error,
    )
