"""The pages of the area: their links, and who may open them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from ....config.settings import AUTOMATION_PAGES
from ....errors import DeclarationError
from ....host.interface import NavigationItem, Permission, Principal
from ....integrations.store import Integration
from ....messages import Message
from ....state import State
from ...pages.i18n import gettext


@dataclass(frozen=True, kw_only=True)
class AreaPage:
    """A page in the navigation."""

    label: str
    endpoint: str
    permission: Permission
    #: Whether it shows what is in Activepieces, so that the workspace must be linked.
    needs_link: bool = True
    #: Whether it exists for a workspace whose project other tenants share, too.
    for_shared_project: bool = True
    #: Whether the app must have a piece.
    needs_piece: bool = False
    #: Whether agents must find the app's actions at the MCP endpoint.
    needs_endpoint: bool = False
    #: Whether the app must be able to embed the builder.
    needs_builder: bool = False


_PAGES = {
    "overview": AreaPage(label=Message("Overview"), endpoint="automation", permission="view", needs_link=False),
    "connections": AreaPage(label=Message("Connections"), endpoint="automation_connections", permission="view"),
    "flows": AreaPage(
        label=Message("Flows"), endpoint="automation_flows", permission="view", for_shared_project=False
    ),
    "builder": AreaPage(
        label=Message("Builder"),
        endpoint="automation_builder",
        permission="view",
        for_shared_project=False,
        needs_builder=True,
    ),
    "deliveries": AreaPage(
        label=Message("Event deliveries"),
        endpoint="automation_deliveries",
        permission="admin",
        needs_link=False,
        needs_piece=True,
    ),
    "mcp": AreaPage(
        label=Message("AI access (MCP)"), endpoint="automation_mcp", permission="view", for_shared_project=False
    ),
    "agents": AreaPage(
        label=Message("AI agents"),
        endpoint="automation_agents",
        permission="view",
        needs_link=False,
        needs_endpoint=True,
    ),
    "piece": AreaPage(label=Message("App piece"), endpoint="automation_piece", permission="admin", needs_piece=True),
    "clients": AreaPage(label=Message("OAuth clients"), endpoint="clients", permission="admin", needs_link=False),
    "audit": AreaPage(label=Message("Audit log"), endpoint="automation_audit", permission="admin", needs_link=False),
    "setup": AreaPage(label=Message("Settings"), endpoint="automation_setup", permission="admin", needs_link=False),
}


def open_pages(state: State, integration: Integration | None, allows: Callable[[Permission], bool]) -> Sequence[str]:
    """The pages that the user may open in a workspace with this integration."""
    return [
        name
        for name in AUTOMATION_PAGES
        if name not in state.settings.disabled_pages
        and _exists(state, _PAGES[name], integration)
        and allows(_PAGES[name].permission)
    ]


def endpoint_of(page: str) -> str:
    """The endpoint that the link to a page leads to; that of the workspace switcher for any other name."""
    return _PAGES[page].endpoint if page in _PAGES else "automation_workspaces"


def navigation(
    state: State, principal: Principal, pages: Sequence[str], *, current: str | None = None
) -> Sequence[NavigationItem]:
    """The links to these pages."""
    items = [
        NavigationItem(
            name, gettext(_PAGES[name].label), url_for(f"activepieces.{endpoint_of(name)}"), name == current
        )
        for name in pages
    ]
    return state.host.navigation(principal, items)


def _exists(state: State, page: AreaPage, integration: Integration | None) -> bool:
    if page.needs_piece and not state.piece.title:
        return False
    if page.needs_endpoint and not _serves_mcp(state):
        return False
    if integration is None:
        return not page.needs_link
    if page.needs_builder and not state.tenants.embedding.is_set_up_for(integration):
        return False
    return page.for_shared_project or not state.tenants.integrations.shares_project(integration)


def _serves_mcp(state: State) -> bool:
    try:
        return state.serves_mcp()
    except DeclarationError:
        return False  # it stands in the log since the start
