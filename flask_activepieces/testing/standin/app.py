"""The stand-in as a WSGI app: its areas, its errors for what is no route, and its faults."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request

from . import index_page, server_info
from .access import (
    accounts,
    invitations,
    managed_authn,
    project_members,
    projects,
    signing_keys,
    users,
)
from .connections import (
    authorization,
    engine,
    global_connections,
    oauth_apps,
    project_connections,
    replacement,
)
from .flows import folders, routes, runs, webhooks
from .flows.rows import end_deletions
from .mcp import settings, transport
from .pieces import catalogue
from .routing.responses import respond, route_not_found
from .routing.route_groups import Area
from .state import ReceivedCall, World
from .versions import API_PREFIX

#: Every area of the server, in the order in which its routes are looked up.
AREAS: Sequence[Area] = (
    server_info.area,
    accounts.area,
    projects.area,
    authorization.area,
    authorization.pages,
    project_connections.area,
    project_connections.platform_area,
    replacement.area,
    engine.area,
    catalogue.area,
    folders.area,
    routes.area,
    runs.area,
    webhooks.area,
    global_connections.area,
    settings.area,
    transport.area,
    transport.old_area,
    users.area,
    project_members.area,
    invitations.area,
    oauth_apps.area,
    signing_keys.area,
    managed_authn.area,
    index_page.area,
)

#: What 0.85 answers to any path outside its API, with status 200: the start of its pages.
_PAGES = "<!DOCTYPE html><html><body>Activepieces stand-in</body></html>"


def make_app(world: World) -> Flask:
    """The stand-in as a WSGI app."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    for area in AREAS:
        prefix = None if area.at_root else world.api_root
        app.register_blueprint(area.blueprint(world), url_prefix=prefix)

    @app.before_request
    def receive() -> Response | None:
        world.calls.append(ReceivedCall(request.method, request.path))
        end_deletions(world, world.clock())
        # Browsers of any site may call: the preflight of CORS is answered for every route.
        return Response(status=204) if request.method == "OPTIONS" else None

    @app.after_request
    def allow_all_sites(response: Response) -> Response:
        if request.path.startswith(world.api_root):
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    @app.errorhandler(404)
    @app.errorhandler(405)
    def no_route(_error: Exception) -> Response:
        if world.has(API_PREFIX) and not request.path.startswith("/api/"):
            return Response(_PAGES, content_type="text/html; charset=utf-8")
        refusal = route_not_found()
        return respond(refusal.status, refusal.body)

    app.wsgi_app = world.faults.around(app.wsgi_app, world.api_root)  # type: ignore[assignment,method-assign]

    return app
