"""Tasklane's page with the builder, in the cases in which there is no builder to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import StrictUndefined

from example_app import create_app
from example_app.activepieces import activepieces
from flask_activepieces.integrations import SetupRequest
from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Person
from tests.example_app.conftest import SECRET_KEY, close
from tests.support.pages import Page

LOGGER = "example_app.builder"


@pytest.fixture
def app(tmp_path: Path, activepieces_server: ActivepiecesServer) -> Iterator[Flask]:
    """Tasklane with the key and the signing key of a platform; no company is linked with it yet."""
    key_id, pem = activepieces_server.add_signing_key()
    app = create_app(
        {
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'tasklane.db'}",
            "SECRET_KEY": SECRET_KEY,
            "ACTIVEPIECES_BASE_URL": activepieces_server.url,
            "ACTIVEPIECES_API_KEY": activepieces_server.api_key,
            "ACTIVEPIECES_SIGNING_KEY_ID": key_id,
            "ACTIVEPIECES_SIGNING_KEY": pem,
        }
    )
    app.jinja_env.undefined = StrictUndefined
    yield app
    close(app)


def link_globex(app: Flask, **credentials: str) -> None:
    with app.app_context():
        activepieces.integrations.set_up(SetupRequest(tenant_id="globex", **credentials), user_id="3")


def builder_page(app: Flask) -> Page:
    """The page as the admin of Globex sees it."""
    return Person(app, "admin@globex.test").get_page("/builder")


def test_a_company_that_is_not_linked_is_led_to_the_automation_area(app: Flask) -> None:
    page = builder_page(app)

    assert page.status == 200
    assert "Link Globex with Activepieces first" in page.text
    assert page.links["Automation"] == "/automation"


def test_the_builder_of_a_linked_company_is_shown(app: Flask) -> None:
    link_globex(app)

    page = builder_page(app)

    assert page.status == 200
    assert "The builder is loading" in page.text


def test_a_company_elsewhere_reads_where_its_builder_is(
    app: Flask, activepieces_server: ActivepiecesServer, caplog: pytest.LogCaptureFixture
) -> None:
    link_globex(app, api_key=activepieces_server.api_key, project_id=activepieces_server.project_id)

    page = builder_page(app)

    assert page.status == 409
    assert "The builder cannot be shown for this company. Open Activepieces itself." in page.text
    assert "embedding" not in page.text
    assert [record.name for record in caplog.records if "cannot be shown" in record.message] == [LOGGER]


def test_a_failure_of_activepieces_is_not_shown_as_it_is(
    app: Flask, activepieces_server: ActivepiecesServer, caplog: pytest.LogCaptureFixture
) -> None:
    link_globex(app)
    activepieces_server.faults.fail("*", "*", 500, times=None)

    page = builder_page(app)

    assert page.status == 503
    assert "Activepieces is not available at the moment. Please try again in a few minutes." in page.text
    assert "failed" not in page.text
    assert "500" not in page.text
    assert [record.name for record in caplog.records if "could not be shown" in record.message] == [LOGGER]
