"""The pages of the area: their links, and who may open them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from ....config.settings import AUTOMATION_PAGES
from ....host.interface import NavigationItem, Permission, Principal
from ....messages import Message
from ....state import State
from ...pages.i18n import gettext


@dataclass(frozen=True, kw_only=True)
class AreaPage:
    """A page in the navigation."""

    label: str
    endpoint: str
    permission: Permission


_PAGES = {
    "overview": AreaPage(label=Message("Overview"), endpoint="automation", permission="view"),
    "connections": AreaPage(label=Message("Connections"), endpoint="automation_connections", permission="view"),
    "setup": AreaPage(label=Message("Settings"), endpoint="automation_setup", permission="admin"),
}


def enabled_pages(state: State) -> Sequence[str]:
    """The pages that this app has."""
    without_piece = () if state.piece.title else ("piece", "deliveries")
    hidden = {*state.settings.disabled_pages, *without_piece}
    return [name for name in AUTOMATION_PAGES if name not in hidden]


def navigation(
    state: State, principal: Principal, allows: Callable[[Permission], bool], *, current: str | None = None
) -> Sequence[NavigationItem]:
    """The links to the pages that the user may open."""
    items = [
        NavigationItem(name, gettext(page.label), url_for(f"activepieces.{page.endpoint}"), name == current)
        for name, page in _PAGES.items()
        if name in enabled_pages(state) and allows(page.permission)
    ]
    return state.host.navigation(principal, items)
