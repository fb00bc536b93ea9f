"""The page by which an admin lets flows in Activepieces work with the tasks of the company.

It is made of the services behind the JSON API of flask-activepieces. An app with a frontend of its
own would call that API, and need nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.exceptions import ServiceUnavailable

from flask_activepieces import ActivepiecesError, Principal, get_state
from flask_activepieces.api_client.errors import ApiError, CallNotSupported
from flask_activepieces.errors import ConnectionInUse, InvalidInput, NotFound, Unavailable
from flask_activepieces.integrations import Integration, SetupRequest

from .auth import refuse_forms_of_other_sites
from .errors import show_error
from .models import Company, db

T = TypeVar("T")

#: What the fields of a refused set-up are called on the page.
LABELS = {
    "apiKey": "API key",
    "projectId": "Project",
    "email": "E-mail address",
    "password": "Password",
}

blueprint = Blueprint("automation", __name__, url_prefix="/automation")
blueprint.before_request(refuse_forms_of_other_sites)


@blueprint.after_request
def keep_out_of_caches(response: Response) -> Response:
    """A new token is shown once, so no browser may keep the page."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("")
@login_required  # type: ignore[untyped-decorator]
def page() -> ResponseReturnValue:
    """The form that links the company with Activepieces; once it is linked, what there is."""
    return shown()


@blueprint.post("/link")
@login_required  # type: ignore[untyped-decorator]
def link() -> ResponseReturnValue:
    """Link the company with the project that a key opens; Activepieces is asked before anything is saved."""
    principal = admin_or_403()
    names = ("api_key", "email", "password", "project_id")
    given = {name: request.form.get(name) or None for name in names}
    setup = SetupRequest(tenant_id=principal.tenant_id, **given)
    get_state().integrations.set_up(setup, user_id=principal.user_id)
    return redirect(url_for(".page"))


@blueprint.post("/unlink")
@login_required  # type: ignore[untyped-decorator]
def unlink() -> ResponseReturnValue:
    """Forget the key; what was connected with one click opens nothing from then on."""
    principal = admin_or_403()
    get_state().integrations.remove(integration_or_404(principal), user_id=principal.user_id)
    return redirect(url_for(".page"))


@blueprint.post("/connections")
@login_required  # type: ignore[untyped-decorator]
def connect() -> ResponseReturnValue:
    """Let Activepieces use Tasklane in the admin's name: nothing to type, nothing to copy."""
    principal = admin_or_403()
    get_state().one_click.connect(
        integration_or_404(principal),
        principal,
        issuer=get_state().issuer(),
    )
    return redirect(url_for(".page"))


@blueprint.post("/connections/<connection_id>/delete")
@login_required  # type: ignore[untyped-decorator]
def delete(connection_id: str) -> ResponseReturnValue:
    """Delete a connection; one that flows use only when that is said twice."""
    principal = admin_or_403()
    get_state().connections.delete(
        integration_or_404(principal),
        connection_id,
        force="force" in request.form,
        user_id=principal.user_id,
    )
    return redirect(url_for(".page"))


@blueprint.post("/mcp/rotate")
@login_required  # type: ignore[untyped-decorator]
def rotate() -> ResponseReturnValue:
    """Give the MCP server another token, and show it this once."""
    principal = admin_or_403()
    rotated = get_state().mcp.rotate_token(integration_or_404(principal), principal)
    return shown(new_token=rotated.token)


@blueprint.errorhandler(ActivepiecesError)
def tell(error: ActivepiecesError) -> ResponseReturnValue:
    """The page again, with what went wrong: the errors of the extension say what to do about them."""
    match error:
        case NotFound():
            return show_error(PageNotFound(str(error)))
        case Unavailable(retry_after=seconds):
            return show_error(ServiceUnavailable(str(error), retry_after=seconds))
        case InvalidInput(fields=fields):
            told = (f"{LABELS.get(name, name)}: {words}" for name, words in fields.items())
            return shown(error=". ".join(told)), 422
        case ConnectionInUse():
            connection_id = (request.view_args or {})["connection_id"]
            return shown(error=str(error), in_use=connection_id), 409
    return shown(error=str(error)), 502 if isinstance(error, ApiError) else 409


def shown(
    *, error: str | None = None, in_use: str | None = None, new_token: str | None = None
) -> str:
    """The page as things are; the part that Activepieces does not answer for says why."""
    principal = admin_or_403()
    company = db.session.get_one(Company, principal.tenant_id)
    integration = integration_of(principal)
    if integration is None:
        return render_template("automation_link.html", company=company, error=error)
    connections, connections_error = asked(lambda: get_state().connections.list(integration))
    mcp, mcp_error = asked(lambda: get_state().mcp.get(integration))
    return render_template(
        "automation.html",
        company=company,
        integration=integration,
        connections=connections,
        connections_error=connections_error,
        mcp=mcp,
        mcp_error=mcp_error,
        mcp_needs_user=isinstance(mcp_error, CallNotSupported),
        error=error,
        in_use=in_use,
        new_token=new_token,
    )


def asked(question: Callable[[], T]) -> tuple[T | None, ActivepiecesError | None]:
    """What Activepieces answers, or why it does not."""
    try:
        return question(), None
    except ActivepiecesError as error:
        return None, error


def admin_or_403() -> Principal:
    """The signed-in admin; members may use what admins connect, and change nothing of it."""
    host = get_state().host
    principal = host.current_principal()
    if principal is None or not host.allows(principal, "admin"):
        abort(403, "Only admins of the company may see this page.")
    return principal


def integration_or_404(principal: Principal) -> Integration:
    """The link of the admin's company."""
    return integration_of(principal) or abort(404)


def integration_of(principal: Principal) -> Integration | None:
    """The link of the admin's company, if there is one."""
    return next(iter(get_state().integrations.visible_to(principal)), None)
