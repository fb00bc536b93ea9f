"""A consent request as its user sees it: our consent page, or JSON for the host's own page."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from ...clock import as_iso
from ...errors import InvalidInput
from ...host.interface import Host
from ...oauth.authorization.consent import ConsentRequest
from ...oauth.clients.redirect_uris import display_origin
from ...state import State
from ..pages.i18n import gettext
from ..pages.rendering import render
from ..pages.scopes import grouped


def consent_page(
    state: State, consent_request: ConsentRequest, request_id: str, problem: InvalidInput | None = None
) -> Response:
    """The consent page; after a problem with the form, with the boxes as the user left them."""
    described = request_to_json(state, consent_request, request_id)
    if problem is not None:
        for scope in described["scopes"]:
            scope["checked"] = scope["name"] in request.form.getlist("scope")
        workspace = request.form.get("workspace")
        if workspace in [offered["key"] for offered in described["workspaces"]]:
            described["selected_workspace"] = workspace
    return render(
        "consent.html",
        status=200 if problem is None else 422,
        allow_external_form_target=True,
        image_urls=[consent_request.client.logo_uri],
        client=consent_request.client,
        principal=consent_request.principal,
        workspaces=consent_request.workspaces,
        selected_workspace=described["selected_workspace"],
        scopes=described["scopes"],
        scope_groups=grouped(described["scopes"]),
        can_switch_account=can_sign_out(state),
        redirect_host=described["redirect_host"],
        request_id=request_id,
        consent_token=described["consent_token"],
        action=url_for("activepieces.authorize"),
        error=problem and " ".join(map(gettext, problem.fields.values())),
    )


def can_sign_out(state: State) -> bool:
    """Whether the host can sign its users out, so that they can switch the account."""
    return type(state.host).sign_out is not Host.sign_out


def request_to_json(state: State, consent_request: ConsentRequest, request_id: str) -> dict[str, Any]:
    """The request, with the token for its answer."""
    principal = consent_request.principal
    return {
        "request_id": request_id,
        "client": {
            "client_id": consent_request.client.identifier,
            "name": consent_request.client.name,
            "description": consent_request.client.description,
            "logo_uri": consent_request.client.logo_uri,
            "is_verified": not consent_request.client.is_self_registered,
            "host": consent_request.client.host,
            "is_on_device": consent_request.client.is_on_device,
            "registered_by": consent_request.client.registered_by,
            "registered_at": as_iso(consent_request.client.created_at),
        },
        "redirect_host": display_origin(consent_request.request.redirect_uri),
        "account": {"user_id": principal.user_id, "display_name": principal.display_name},
        "workspaces": [
            {"key": workspace.form_value, "tenant_id": workspace.tenant_id, "name": workspace.name}
            for workspace in consent_request.workspaces
        ],
        "selected_workspace": consent_request.default_workspace.form_value,
        "scopes": [
            {
                "name": scope.name,
                "description": scope.description,
                "details": scope.details,
                "kind": scope.kind,
                "required": scope.required,
                "checked": True,
            }
            for scope in consent_request.scopes
        ],
        "consent_token": state.pending_requests.consent_token(request_id, principal),
    }
