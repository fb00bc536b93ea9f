"""The routes of the JSON API: method, path, and the view by its file and name."""

from __future__ import annotations

from .route import Later, Route

_ID = "<integration_id>"

TABLE = (
    ("GET", "/openapi.json", "openapi", "openapi_json"),
    ("POST", "/setup", "setup_api", "set_up"),
    ("GET", "/setup", "setup_api", "list_integrations"),
    ("GET", f"/setup/{_ID}", "setup_api", "show_setup"),
    ("PATCH", f"/setup/{_ID}", "setup_api", "change_setup"),
    ("DELETE", f"/setup/{_ID}", "setup_api", "remove_setup"),
    ("GET", f"/status/{_ID}", "setup_api", "show_status"),
    ("GET", f"/integration-tenant/{_ID}", "setup_api", "show_integration"),
    ("POST", "/connection", "connections_api", "save_connection"),
    ("GET", f"/connection/{_ID}", "connections_api", "show_own_connection"),
    ("DELETE", f"/connection/{_ID}", "connections_api", "delete_own_connection"),
    ("GET", f"/connections/{_ID}", "connections_api", "list_connections"),
    ("GET", f"/connections/{_ID}/owners", "connections_api", "list_owners"),
    ("POST", f"/connections/{_ID}/replace", "connections_api", "replace_connection"),
    ("GET", f"/connections/{_ID}/<connection_id>", "connections_api", "show_connection"),
    ("PATCH", f"/connections/{_ID}/<connection_id>", "connections_api", "change_connection"),
    ("DELETE", f"/connections/{_ID}/<connection_id>", "connections_api", "delete_connection"),
    ("POST", f"/connections/{_ID}/connect", "connect_api", "connect"),
    ("GET", f"/connections/{_ID}/oauth2/start", "connect_api", "ask_oauth2"),
    ("POST", f"/connections/{_ID}/oauth2/start", "connect_api", "start_oauth2"),
    ("GET", "/oauth2/callback", "connect_api", "finish_oauth2"),
    ("GET", f"/mcp/{_ID}", "mcp_api", "show_mcp"),
    ("PATCH", f"/mcp/{_ID}", "mcp_api", "change_mcp"),
    ("POST", f"/mcp/{_ID}/rotate", "mcp_api", "rotate_mcp"),
    ("GET", f"/projects/{_ID}", "resources_api", "list_projects"),
    ("GET", f"/flows/{_ID}", "resources_api", "list_flows"),
    ("GET", f"/flow-runs/{_ID}", "resources_api", "list_flow_runs"),
    ("GET", "/oauth-clients", "clients_api", "list_clients"),
    ("POST", "/oauth-clients", "clients_api", "create_client"),
    ("GET", "/oauth-clients/<client_id>", "clients_api", "show_client"),
    ("PATCH", "/oauth-clients/<client_id>", "clients_api", "change_client"),
    ("DELETE", "/oauth-clients/<client_id>", "clients_api", "delete_client"),
    ("POST", "/oauth-clients/<client_id>/rotate", "clients_api", "rotate_client"),
)


def api_routes(prefix: str) -> list[Route]:
    """The routes under this prefix; a view's endpoint is its name with ``api_`` in front."""
    return [
        Route(f"{prefix}{path}", f"api_{view}", (method,), Later(module, view), guards_itself=True)
        for method, path, module, view in TABLE
    ]
