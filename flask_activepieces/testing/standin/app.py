"""The stand-in as a WSGI app: its route groups, errors for unknown routes, and faults."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request

from . import index_page, server_info
from .access import accounts, invitations, managed_authn, project_members, projects, signing_keys, users
from .connections import authorization, engine, global_connections, oauth_apps, project_connections, replacement
from .embedding import pages as embedding_pages
from .flows import folders, forms, routes, runs, step_files, webhooks
from .flows.rows import finish_deletions
from .mcp import agent_tools, settings, transport
from .pieces import catalogue
from .routing.responses import respond, route_not_found
from .routing.route_groups import RouteGroup
from .state import ReceivedCall, ServerState
from .triggers import events as trigger_events
from .versions import API_PREFIX

#: All route groups, in the order in which their routes are matched.
ROUTE_GROUPS: Sequence[RouteGroup] = (
    server_info.group,
    accounts.group,
    projects.group,
    authorization.group,
    authorization.pages,
    project_connections.group,
    project_connections.platform_group,
    replacement.group,
    engine.group,
    forms.group,
    catalogue.group,
    folders.group,
    routes.group,
    runs.group,
    webhooks.group,
    trigger_events.group,
    step_files.group,
    global_connections.group,
    settings.group,
    transport.group,
    transport.old_group,
    agent_tools.group,
    users.group,
    project_members.group,
    invitations.group,
    oauth_apps.group,
    signing_keys.group,
    managed_authn.group,
    embedding_pages.group,
    index_page.group,
)

#: 0.85 returns its web page with status 200 for any path outside its API.
_PAGES = "<!DOCTYPE html><html><body>Activepieces stand-in</body></html>"


def make_app(state: ServerState) -> Flask:
    """The stand-in as a WSGI app."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    for group in ROUTE_GROUPS:
        prefix = None if group.at_root else state.api_root
        app.register_blueprint(group.blueprint(state), url_prefix=prefix)
    if not state.has(API_PREFIX):
        # The proxy in the image adds the prefix. Apps send their events there.
        app.register_blueprint(webhooks.group.blueprint(state), url_prefix="/api/v1", name="proxied webhooks")

    @app.before_request
    def receive() -> Response | None:
        state.calls.append(ReceivedCall(request.method, request.path))
        finish_deletions(state, state.clock())
        # All origins may call, so every route answers CORS preflights.
        return Response(status=204) if request.method == "OPTIONS" else None

    @app.after_request
    def allow_all_sites(response: Response) -> Response:
        if request.path.startswith(state.api_root):
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    @app.errorhandler(404)
    @app.errorhandler(405)
    def no_route(_error: Exception) -> Response:
        if state.has(API_PREFIX) and not request.path.startswith("/api/"):
            return Response(_PAGES, content_type="text/html; charset=utf-8")
        error_response = route_not_found()
        return respond(error_response.status, error_response.body)

    app.wsgi_app = state.faults.wrap(app.wsgi_app, state.api_root)  # type: ignore[assignment,method-assign]

    return app
