"""Pages that are switched off: no route, no link, and the JSON API agrees."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

from flask_activepieces.config.settings import AUTOMATION_PAGES
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import answer_of
from tests.support.api_user import ApiUser
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.pieces import make_piece_app

#: The address of each page, and what else it has.
PAGES = {
    "overview": ["", "/unknown"],
    "connections": [
        "/connections",
        "/connections/services",
        "/connections/add?piece=@activepieces/piece-acme-secret",
    ],
    "flows": ["/flows", "/runs"],
    "builder": ["/builder", "/builder?flow=a-flow"],
    "deliveries": ["/deliveries", "/subscriptions"],
    "mcp": ["/mcp"],
    "agents": ["/agents"],
    "piece": ["/piece"],
    "clients": ["/clients", "/clients/new"],
    "audit": ["/audit"],
    "setup": ["/setup", "/setup?change=1", "/setup/unlink"],
}


def app_with(make_app: MakeApp, server: ActivepiecesServer, *names: str) -> Flask:
    """The small host with a piece, and only these pages."""
    off = [name for name in AUTOMATION_PAGES if name not in names]
    options = {
        "ACTIVEPIECES_BASE_URL": server.url,
        "ACTIVEPIECES_DISABLED_PAGES": off,
        "ACTIVEPIECES_PUBLIC_URL": "http://localhost",
    }
    app, _ = make_piece_app(make_app, host=HostWithLabs(), **options)
    return app


def linked_admin(app: Flask, server: ActivepiecesServer) -> AreaUser:
    alice = area_user(app, "alice")
    ApiUser(alice).links(apiKey=server.api_key, projectId=server.project_id)
    return alice


def dead_links(app: Flask, page: Page) -> list[str]:
    """The addresses in a page that are none of the app."""
    targets = [*page.links.values(), *(form.action for form in page.forms)]
    adapter = app.url_map.bind("localhost")
    dead = []
    for target in targets:
        url = urlsplit(target)
        if url.netloc or not url.path:
            continue
        try:
            adapter.match(url.path)
        except (MethodNotAllowed, RequestRedirect):
            continue
        except Exception:
            dead.append(target)
    return dead


def test_every_page_is_tested_here() -> None:
    assert set(PAGES) == set(AUTOMATION_PAGES)


@pytest.mark.parametrize("name", AUTOMATION_PAGES)
def test_a_page_leads_nowhere_else_if_it_is_the_only_one(
    make_app: MakeApp, server: ActivepiecesServer, name: str
) -> None:
    app = app_with(make_app, server, name)
    for person in (area_user(app, "carol"), linked_admin(app, server)):
        for path in PAGES[name]:
            page = person.sees(AREA + path)

            assert page.status in (200, 303, 404), page.text
            assert dead_links(app, page) == []


@pytest.mark.parametrize("name", AUTOMATION_PAGES)
def test_a_page_that_is_off_has_no_route_and_no_link(
    make_app: MakeApp, server: ActivepiecesServer, name: str
) -> None:
    app = app_with(make_app, server, *(set(AUTOMATION_PAGES) - {name}))
    alice = linked_admin(app, server)

    front = alice.sees(AREA + PAGES["setup" if name == "overview" else "overview"][0])

    assert front.status == 200
    assert alice.sees(AREA + PAGES[name][0]).status == 404
    assert AREA + PAGES[name][0] not in front.links.values()
    assert dead_links(app, front) == []


def test_without_the_overview_people_get_to_the_first_page_that_there_is(
    make_app: MakeApp, server: ActivepiecesServer
) -> None:
    alice = area_user(app_with(make_app, server, "connections", "setup"), "alice")

    linked = alice.links(server)
    switched = alice.submits(alice.sees(linked.links["Switch"]).form_to("/workspace"), workspace="acme-labs")

    assert "Your workspace is connected to Activepieces." in linked.text
    assert "No connections yet" in linked.text
    assert "You now work in this workspace." in switched.text
    assert "Step 1 of 2" in switched.text


def test_the_json_api_stays_and_leads_to_no_page_that_is_off(make_app: MakeApp, server: ActivepiecesServer) -> None:
    """Pages of the app's own use it, and `Host.allows` says who may."""
    app = app_with(make_app, server, "overview")
    api = ApiUser(linked_admin(app, server))
    server.break_connection(api.saves("Broken")["externalId"])

    answer_of(api.gets("/oauth-clients"))
    result = app.test_cli_runner().invoke(args=["activepieces", "integrations", "check", "--json"])

    assert f"{server.url}/projects/{server.project_id}/connections" in result.stdout
    assert AREA not in result.stdout
