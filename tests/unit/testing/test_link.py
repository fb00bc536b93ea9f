"""The fixture `link_tenant`: a project for each tenant in the stand-in, whatever key the app has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import get_state
from flask_activepieces.errors import SetupError
from flask_activepieces.integrations import Integration
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.link import link_tenant
from tests.conftest import MakeApp

LinkTenant = Callable[..., Integration]


@pytest.fixture(params=["the app's key", "no key"])
def app(request: pytest.FixtureRequest, make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Flask:
    config: dict[str, Any] = {"ACTIVEPIECES_BASE_URL": activepieces_server.url}
    if request.param != "no key":
        config["ACTIVEPIECES_API_KEY"] = activepieces_server.api_key
    return make_app(**config)


def test_each_tenant_has_its_own_project(link_tenant: LinkTenant, activepieces_server: ActivepiecesServer) -> None:
    acme, globex = link_tenant("acme"), link_tenant("globex")

    projects = {row["id"] for row in activepieces_server.state.store.all("project")}
    assert acme.tenant_id == "acme"
    assert len({acme.project_id, globex.project_id, activepieces_server.project_id} & projects) == 3


def test_an_organization_has_its_own_project(link_tenant: LinkTenant) -> None:
    assert link_tenant("acme").project_id != link_tenant("acme", organization_id="labs").project_id


def test_the_app_calls_activepieces_for_the_tenant(app: Flask, link_tenant: LinkTenant) -> None:
    integration = link_tenant("acme")

    with app.app_context():
        assert list(get_state().tenants.flows.list(integration)) == []


def test_a_second_link_is_the_same(link_tenant: LinkTenant) -> None:
    first, second = link_tenant("acme"), link_tenant("acme")

    assert (first.id, first.project_id) == (second.id, second.project_id)


def test_the_community_edition_is_linked_with_a_password(make_app: MakeApp) -> None:
    with ActivepiecesServer(edition="ce") as server:
        app = make_app(ACTIVEPIECES_BASE_URL=server.url)

        assert link_tenant(app, server, "acme").project_id == server.project_id


def test_an_app_with_another_server_is_refused(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> None:
    app = make_app()

    with pytest.raises(SetupError, match=r"uses https://cloud\.activepieces\.com.*set ACTIVEPIECES_BASE_URL"):
        link_tenant(app, activepieces_server, "acme")
