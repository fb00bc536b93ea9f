"""The routes of the automation area, by the page that they belong to: a page that is switched off has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...config.settings import Settings
from ..routes import Route
from . import overview, setup, workspaces

_GET = ("GET",)
_POST = ("POST",)

_ROUTES: Mapping[str, Sequence[Route]] = {
    "overview": (Route("", "automation", _GET, overview.automation),),
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
    return [route._replace(rule=f"{settings.automation_prefix}{route.rule}") for route in routes]
