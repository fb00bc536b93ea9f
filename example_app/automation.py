"""The page where an admin links the company with Activepieces and manages its connections.

It uses the services behind the JSON API of flask-activepieces. An app with a JavaScript frontend does not need such a
page: the frontend can call that API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.exceptions import ServiceUnavailable

from flask_activepieces import ActivepiecesError, Principal, get_state
from flask_activepieces.api_client.errors import ApiError, CallNotSupported
from flask_activepieces.errors import ConnectionInUse, InvalidInput, NotFound, Unavailable
from flask_activepieces.integrations import Integration, SetupRequest

from .activepieces import activepieces, host
from .auth import reject_cross_site_forms
from .errors import show_http_error
from .models import Company, db

T = TypeVar("T")

#: The names of the setup fields on the page.
LABELS = {"apiKey": "API key", "projectId": "Project", "email": "E-mail address", "password": "Password"}

blueprint = Blueprint("automation", __name__, url_prefix="/automation")
blueprint.before_request(reject_cross_site_forms)


@blueprint.before_request
@login_required  # type: ignore[untyped-decorator]
def require_login() -> None:
    """Redirect signed-out visitors to the login page."""


@blueprint.after_request
def forbid_caching(response: Response) -> Response:
    """Keep the page, which may show a new token, out of caches."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The connections of the company; before it is linked, the form for linking it."""
    return render_page()


@blueprint.post("/link")
def link() -> ResponseReturnValue:
    """Link the company with a project. The credentials are verified before they are saved."""
    principal = admin_or_403()
    names = ("api_key", "email", "password", "project_id")
    fields = {name: request.form.get(name) or None for name in names}
    setup = SetupRequest(tenant_id=principal.tenant_id, **fields)
    activepieces.integrations.set_up(setup, user_id=principal.user_id)
    return redirect(url_for(".page"))


@blueprint.post("/unlink")
def unlink() -> ResponseReturnValue:
    """Delete the credentials, and revoke the access of connections made with one click."""
    principal = admin_or_403()
    activepieces.integrations.remove(integration_or_404(principal), user_id=principal.user_id)
    return redirect(url_for(".page"))


@blueprint.post("/connections")
def connect() -> ResponseReturnValue:
    """Connect Tasklane in the admin's name, with one click."""
    principal = admin_or_403()
    activepieces.one_click.connect(integration_or_404(principal), principal, issuer=get_state().issuer())
    return redirect(url_for(".page"))


@blueprint.post("/connections/<connection_id>/delete")
def delete(connection_id: str) -> ResponseReturnValue:
    """Delete a connection. One that flows use requires a second click."""
    principal = admin_or_403()
    activepieces.connections.delete(
        integration_or_404(principal), connection_id, force="force" in request.form, user_id=principal.user_id
    )
    return redirect(url_for(".page"))


@blueprint.post("/mcp/rotate")
def rotate() -> ResponseReturnValue:
    """Rotate the token of the MCP server, and show the new one once."""
    principal = admin_or_403()
    rotated = activepieces.mcp.rotate_token(integration_or_404(principal), principal)
    return render_page(new_token=rotated.token)


@blueprint.errorhandler(ActivepiecesError)
def show_error(error: ActivepiecesError) -> ResponseReturnValue:
    """The page with the error, whose message also names the remedy."""
    match error:
        case NotFound():
            return show_http_error(PageNotFound(str(error)))
        case Unavailable(retry_after=seconds):
            return show_http_error(ServiceUnavailable(str(error), retry_after=seconds))
        case InvalidInput(fields=fields):
            problems = [f"{LABELS.get(name, name)}: {problem}" for name, problem in fields.items()]
            return render_page(error=". ".join(problems)), 422
        case ConnectionInUse():
            connection_id = (request.view_args or {})["connection_id"]
            return render_page(error=str(error), in_use=connection_id), 409
    return render_page(error=message_for(error)), 502 if isinstance(error, ApiError) else 409


def render_page(*, error: str | None = None, in_use: str | None = None, new_token: str | None = None) -> str:
    """The page. A section that Activepieces does not answer for shows the error instead."""
    principal = admin_or_403()
    company = db.session.get_one(Company, principal.tenant_id)
    integration = find_integration(principal)
    if integration is None:
        return render_template("automation_link.html", company=company, error=error)
    connections, connections_error = try_call(lambda: activepieces.connections.list(integration))
    mcp, mcp_error = try_call(lambda: activepieces.mcp.get(integration))
    return render_template(
        "automation.html",
        company=company,
        integration=integration,
        connections=connections,
        connections_error=connections_error,
        mcp=mcp,
        mcp_error=mcp_error,
        mcp_needs_user=isinstance(mcp_error, CallNotSupported),
        message_for=message_for,
        error=error,
        in_use=in_use,
        new_token=new_token,
    )


def try_call(function: Callable[[], T]) -> tuple[T | None, ActivepiecesError | None]:
    """The result and None, or None and the error."""
    try:
        return function(), None
    except ActivepiecesError as error:
        return None, error


def message_for(error: ActivepiecesError) -> str:
    """The message for people; the name of the failed call goes to the log."""
    if not isinstance(error, ApiError):
        return str(error)
    current_app.logger.warning("%s", error)
    reason = error.detail.rstrip(".") or "the request failed"
    return f"Activepieces: {reason}. {error.remedy}"


def admin_or_403() -> Principal:
    """The signed-in admin; 403 for other members of the company."""
    principal = host.current_principal()
    if principal is None or not host.allows(principal, "admin"):
        abort(403, "Only admins of the company may see this page.")
    return principal


def integration_or_404(principal: Principal) -> Integration:
    """The integration of the admin's company; 404 if it has none."""
    return find_integration(principal) or abort(404)


def find_integration(principal: Principal) -> Integration | None:
    """The integration of the admin's company, if it has one."""
    return next(iter(activepieces.integrations.visible_to(principal)), None)
