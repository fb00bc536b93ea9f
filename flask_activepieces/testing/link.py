"""Links a tenant of an app under test with the stand-in, as its admin does on the setup page."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from ..api_client.client import ActivepiecesClient
from ..api_client.resources.projects import project_name
from ..errors import SetupError
from ..integrations.setup import SetupRequest
from ..integrations.store import Integration, project_external_id
from ..state import get_state
from .standin.server import ActivepiecesServer

#: Who links the tenant, in the audit events.
_USER = "a test"


def link_tenant(
    app: Flask,
    server: ActivepiecesServer,
    tenant_id: str,
    *,
    organization_id: str | None = None,
    user_id: str = _USER,
) -> Integration:
    """The integration of the tenant: with the app's key or, if it has none, with credentials of the stand-in.

    In a project of its own, except on the Community Edition.
    """
    state = get_state(app)
    if state.settings.base_url != server.url:
        raise SetupError(
            f"The app under test uses {state.settings.base_url}, and not the stand-in. In the fixture app, set"
            " ACTIVEPIECES_BASE_URL to activepieces_server.url."
        )
    request = SetupRequest(tenant_id=tenant_id, organization_id=organization_id)
    if state.settings.api_key is None:
        request = _with_own_key(server, request)
    with app.app_context():
        return state.tenants.integrations.set_up(request, user_id=user_id)


def _with_own_key(server: ActivepiecesServer, request: SetupRequest) -> SetupRequest:
    """The request with credentials of the stand-in, for an app without a key."""
    if not server.api_key:  # the Community Edition has none
        return replace(request, email=server.email, password=server.password, project_id=server.project_id)
    projects = ActivepiecesClient(server.url, server.api_key).projects
    external_id = project_external_id(request.tenant_id, request.organization_id)
    project = projects.find(external_id) or projects.create(project_name(external_id), external_id=external_id)
    return replace(request, api_key=server.api_key, project_id=project.id)
