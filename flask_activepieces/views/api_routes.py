"""The routes of the JSON API: method, path, and the view by its file and name."""

from __future__ import annotations

from .route import Later, Route

TABLE = (
    ("GET", "/openapi.json", "openapi", "openapi_json"),
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
