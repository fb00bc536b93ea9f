"""The routes of the JSON API."""

from __future__ import annotations

from ..routes import Route
from . import connect, connections, mcp, oauth_clients, openapi, resources, setup

_ID = "<integration_id>"

TABLE = (
    ("GET", "/openapi.json", openapi.openapi_json),
    ("POST", "/setup", setup.set_up),
    ("GET", "/setup", setup.list_integrations),
    ("GET", f"/setup/{_ID}", setup.show_setup),
    ("PATCH", f"/setup/{_ID}", setup.change_setup),
    ("DELETE", f"/setup/{_ID}", setup.remove_setup),
    ("GET", f"/status/{_ID}", setup.show_status),
    ("GET", f"/integration-tenant/{_ID}", setup.show_integration),
    ("POST", "/connection", connections.save_connection),
    ("GET", f"/connection/{_ID}", connections.show_own_connection),
    ("DELETE", f"/connection/{_ID}", connections.delete_own_connection),
    ("GET", f"/connections/{_ID}", connections.list_connections),
    ("GET", f"/connections/{_ID}/owners", connections.list_owners),
    ("POST", f"/connections/{_ID}/replace", connections.replace_connection),
    ("GET", f"/connections/{_ID}/<connection_id>", connections.show_connection),
    ("PATCH", f"/connections/{_ID}/<connection_id>", connections.change_connection),
    ("DELETE", f"/connections/{_ID}/<connection_id>", connections.delete_connection),
    ("POST", f"/connections/{_ID}/connect", connect.connect),
    ("GET", f"/connections/{_ID}/oauth2/start", connect.ask_oauth2),
    ("POST", f"/connections/{_ID}/oauth2/start", connect.start_oauth2),
    ("GET", "/oauth2/callback", connect.finish_oauth2),
    ("GET", f"/mcp/{_ID}", mcp.show_mcp),
    ("PATCH", f"/mcp/{_ID}", mcp.change_mcp),
    ("POST", f"/mcp/{_ID}/rotate", mcp.rotate_mcp),
    ("GET", f"/projects/{_ID}", resources.list_projects),
    ("GET", f"/flows/{_ID}", resources.list_flows),
    ("GET", f"/flow-runs/{_ID}", resources.list_flow_runs),
    ("GET", "/oauth-clients", oauth_clients.list_clients),
    ("POST", "/oauth-clients", oauth_clients.create_client),
    ("GET", "/oauth-clients/<client_id>", oauth_clients.show_client),
    ("PATCH", "/oauth-clients/<client_id>", oauth_clients.change_client),
    ("DELETE", "/oauth-clients/<client_id>", oauth_clients.delete_client),
    ("POST", "/oauth-clients/<client_id>/rotate", oauth_clients.rotate_client),
)


def api_routes(prefix: str) -> list[Route]:
    """The routes under this prefix; a view's endpoint is its name with ``api_`` in front."""
    return [
        Route(f"{prefix}{path}", f"api_{view.__name__}", (method,), view, guards_itself=True)
        for method, path, view in TABLE
    ]
