"""The routes of the JSON API."""

from __future__ import annotations

from ..routes import Route
from . import client_policy, connect, connections, integrations, mcp, oauth_clients, openapi, projects

_ID = "<integration_id>"

ROUTES = (
    ("GET", "/openapi.json", openapi.openapi_json),
    ("POST", "/setup", integrations.set_up),
    ("GET", "/setup", integrations.list_integrations),
    ("GET", f"/setup/{_ID}", integrations.get_integration),
    ("PATCH", f"/setup/{_ID}", integrations.update_integration),
    ("DELETE", f"/setup/{_ID}", integrations.delete_integration),
    ("GET", f"/status/{_ID}", integrations.get_status),
    ("GET", f"/integration-tenant/{_ID}", integrations.get_integration_settings),
    ("POST", "/connection", connections.save_connection),
    ("GET", f"/connection/{_ID}", connections.get_default_connection),
    ("DELETE", f"/connection/{_ID}", connections.delete_default_connection),
    ("GET", f"/connections/{_ID}", connections.list_connections),
    ("GET", f"/connections/{_ID}/owners", connections.list_owners),
    ("POST", f"/connections/{_ID}/replace", connections.replace_connection),
    ("GET", f"/connections/{_ID}/<connection_id>", connections.get_connection),
    ("PATCH", f"/connections/{_ID}/<connection_id>", connections.update_connection),
    ("DELETE", f"/connections/{_ID}/<connection_id>", connections.delete_connection),
    ("POST", f"/connections/{_ID}/connect", connect.connect),
    ("GET", f"/connections/{_ID}/oauth2/start", connect.confirm_oauth2),
    ("POST", f"/connections/{_ID}/oauth2/start", connect.start_oauth2),
    ("GET", "/oauth2/callback", connect.finish_oauth2),
    ("GET", f"/mcp/{_ID}", mcp.get_mcp),
    ("PATCH", f"/mcp/{_ID}", mcp.update_mcp),
    ("POST", f"/mcp/{_ID}/rotate", mcp.rotate_mcp),
    ("GET", f"/mcp/{_ID}/servers", mcp.list_mcp),
    ("GET", f"/mcp/{_ID}/platform", mcp.get_platform_mcp),
    ("PATCH", f"/mcp/{_ID}/platform", mcp.update_platform_mcp),
    ("POST", f"/mcp/{_ID}/platform/rotate", mcp.rotate_platform_mcp),
    ("POST", f"/embedding/{_ID}", projects.open_builder),
    ("GET", f"/projects/{_ID}", projects.list_projects),
    ("GET", f"/flows/{_ID}", projects.list_flows),
    ("GET", f"/flow-runs/{_ID}", projects.list_flow_runs),
    ("GET", "/oauth-clients", oauth_clients.list_clients),
    ("POST", "/oauth-clients", oauth_clients.create_client),
    ("GET", "/oauth-clients/<client_id>", oauth_clients.get_client),
    ("PATCH", "/oauth-clients/<client_id>", oauth_clients.update_client),
    ("DELETE", "/oauth-clients/<client_id>", oauth_clients.delete_client),
    ("POST", "/oauth-clients/<client_id>/rotate", oauth_clients.rotate_client),
    ("GET", "/client-policy", client_policy.get_client_policy),
    ("PUT", "/client-policy", client_policy.set_client_policy),
)


def api_routes(prefix: str) -> list[Route]:
    """The routes under this prefix; the endpoint of a view is its name after ``api_``."""
    return [
        Route(f"{prefix}{path}", f"api_{view.__name__}", (method,), view, csrf_exempt=True)
        for method, path, view in ROUTES
    ]
