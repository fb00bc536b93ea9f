"""The routes of the automation area, by the page that they belong to: a page that is switched off has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue

from ...config.settings import Settings
from ..pages.rendering import see_other
from ..routes import NAME, Route
from . import audit, builder, client_forms, clients, deliveries, flows, mcp, overview, piece, setup, workspaces
from .agents import page as agents
from .connections import adding, pages

_GET = ("GET",)
_POST = ("POST",)
_CONNECTION = "/connections/<connection_id>"

_ROUTES: Mapping[str, Sequence[Route]] = {
    "overview": (Route("", "automation", _GET, overview.automation),),
    "connections": (
        Route("/connections", "automation_connections", _GET, pages.automation_connections),
        Route("/connections/one-click", "automation_connect", _POST, adding.automation_connect),
        Route("/connections/services", "automation_choose_piece", _GET, adding.automation_choose_piece),
        Route("/connections/add", "automation_add_connection", _GET + _POST, adding.automation_add_connection),
        Route(f"{_CONNECTION}", "automation_connection", _GET, pages.automation_connection),
        Route(f"{_CONNECTION}/rename", "automation_rename_connection", _POST, pages.automation_rename_connection),
        Route(f"{_CONNECTION}/reconnect", "automation_reconnect", _GET + _POST, adding.automation_reconnect),
        Route(
            f"{_CONNECTION}/replace",
            "automation_replace_connection",
            _GET + _POST,
            pages.automation_replace_connection,
        ),
        Route(
            f"{_CONNECTION}/delete", "automation_delete_connection", _GET + _POST, pages.automation_delete_connection
        ),
    ),
    "flows": (
        Route("/flows", "automation_flows", _GET, flows.automation_flows),
        Route("/flows/<flow_id>/switch", "automation_switch_flow", _POST, flows.automation_switch_flow),
        Route("/runs", "automation_runs", _GET, flows.automation_runs),
        Route("/runs/<run_id>/retry", "automation_retry_run", _POST, flows.automation_retry_run),
    ),
    "builder": (Route("/builder", "automation_builder", _GET, builder.automation_builder),),
    "deliveries": (
        Route("/deliveries", "automation_deliveries", _GET, deliveries.automation_deliveries),
        Route("/deliveries/replay", "automation_replay_failed", _POST, deliveries.automation_replay_failed),
        Route("/deliveries/<delivery_id>", "automation_delivery", _GET, deliveries.automation_delivery),
        Route("/deliveries/<delivery_id>/replay", "automation_replay", _POST, deliveries.automation_replay),
        Route("/subscriptions", "automation_subscriptions", _GET, deliveries.automation_subscriptions),
        Route("/subscriptions/<subscription_id>/pause", "automation_pause", _POST, deliveries.automation_pause),
    ),
    "mcp": (
        Route("/mcp", "automation_mcp", _GET, mcp.automation_mcp),
        Route("/mcp/change", "automation_change_mcp", _POST, mcp.automation_change_mcp),
        Route("/mcp/rotate", "automation_rotate_mcp", _POST, mcp.automation_rotate_mcp),
        Route("/mcp/platform", "automation_platform_mcp", _GET, mcp.automation_platform_mcp),
        Route("/mcp/platform/change", "automation_change_platform_mcp", _POST, mcp.automation_change_platform_mcp),
        Route("/mcp/platform/rotate", "automation_rotate_platform_mcp", _POST, mcp.automation_rotate_platform_mcp),
    ),
    "agents": (
        Route("/agents", "automation_agents", _GET, agents.automation_agents),
        Route("/agents/policy", "automation_agent_policy", _POST, agents.automation_agent_policy),
        Route("/agents/step", "automation_agent_step", _POST, agents.automation_agent_step),
    ),
    "piece": (
        Route("/piece", "automation_piece", _GET, piece.automation_piece),
        Route("/piece/install", "automation_install_piece", _POST, piece.automation_install_piece),
    ),
    "clients": (
        Route("/clients", "clients", _GET, clients.clients),
        Route("/clients/new", "client_new", _GET + _POST, client_forms.client_new),
        Route("/clients/<client_id>", "client_show", _GET, clients.client_show),
        Route("/clients/<client_id>/edit", "client_edit", _GET + _POST, client_forms.client_edit),
        Route("/clients/<client_id>/rotate", "client_rotate", _POST, clients.client_rotate),
        Route("/clients/<client_id>/switch", "client_switch", _POST, clients.client_switch),
        Route("/clients/<client_id>/delete", "client_delete", _GET + _POST, clients.client_delete),
    ),
    "audit": (
        Route("/audit", "automation_audit", _GET, audit.automation_audit),
        Route("/audit.csv", "automation_audit_csv", _GET, audit.automation_audit_csv),
    ),
    "setup": (
        Route("/setup", "automation_setup", _GET, setup.automation_setup),
        Route("/setup/link", "automation_link", _POST, setup.automation_link),
        Route("/setup/project", "automation_choose_project", _POST, setup.automation_choose_project),
        Route("/setup/switch", "automation_switch", _POST, setup.automation_switch),
        Route("/setup/unlink", "automation_unlink", _GET + _POST, setup.automation_unlink),
    ),
}
_WORKSPACES = Route("/workspace", "automation_workspaces", _GET + _POST, workspaces.automation_workspaces)


def automation_routes(settings: Settings) -> list[Route]:
    """The routes of the pages that this app has."""
    enabled = [routes for name, routes in _ROUTES.items() if name not in settings.disabled_pages]
    routes = [*(route for each in enabled for route in each), *([_WORKSPACES] if enabled else [])]
    routes += [_way_back(route, routes) for route in routes if route.methods == _POST]
    return [route._replace(rule=f"{settings.automation_prefix}{route.rule}") for route in routes]


def _way_back(button: Route, routes: Sequence[Route]) -> Route:
    """From the address of a button, which accepts POST only, to the nearest page above it.

    People open such an address again: it is the address of the page that shows what was wrong with a form.
    """
    pages = [route for route in routes if "GET" in route.methods and button.rule.startswith(f"{route.rule}/")]
    page = max(pages, key=lambda route: len(route.rule))

    def to_page(**path: str) -> ResponseReturnValue:
        values: dict[str, Any] = {name: value for name, value in path.items() if f"<{name}>" in page.rule}
        return see_other(url_for(f"{NAME}.{page.endpoint}", **values))

    return Route(button.rule, f"{button.endpoint}_again", _GET, to_page)
