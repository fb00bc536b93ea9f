"""The page with the embedded builder of Activepieces, for whoever may see the company's flows."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, abort, make_response, render_template
from flask_login import login_required

from flask_activepieces.api_client.errors import ApiError, CallNotSupported
from flask_activepieces.errors import IntegrationDisabled, Unavailable

from .activepieces import activepieces, host
from .models import Company, db

blueprint = Blueprint("builder", __name__)
log = logging.getLogger(__name__)


@blueprint.get("/builder")
@login_required  # type: ignore[untyped-decorator]
def page() -> Response:
    """The flows of the company, in Activepieces' own builder. The user is signed in there without a password."""
    principal = host.current_principal()
    if principal is None or not host.allows(principal, "view"):
        abort(403, "Only admins of the company may see this page.")
    company = db.session.get_one(Company, principal.tenant_id)
    integration = next(iter(activepieces.integrations.visible_to(principal)), None)
    builder, error, status = None, None, 200
    if integration is not None:
        try:
            builder = activepieces.embedding.builder(integration, principal)
        except (CallNotSupported, IntegrationDisabled) as failure:
            log.warning("The builder cannot be shown: %s", failure)
            error, status = "The builder cannot be shown for this company. Open Activepieces itself.", 409
        except (ApiError, Unavailable) as failure:
            log.warning("The builder could not be shown: %s", failure)
            error, status = "Activepieces is not available at the moment. Please try again in a few minutes.", 503
    response = make_response(render_template("builder.html", company=company, builder=builder, error=error), status)
    response.headers["Cache-Control"] = "no-store"
    if builder is not None:
        # The page loads the SDK, which shows Activepieces in a frame.
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {builder.script_origin}; frame-src {builder.frame_origin};"
            " style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        )
    return response
