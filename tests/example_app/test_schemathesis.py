"""The JSON API of the example app is as its OpenAPI document says, whatever is sent to it.

schemathesis makes the calls from the document: good ones, and ones with something wrong in them. Activepieces is the
stand-in, and the ids in paths are those of things that are there, or nearly everything would be 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from example_app import create_app
from example_app.models import db
from flask_activepieces.config import Settings
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.http_server import HttpServer
from flask_activepieces.views.openapi import openapi_document
from tests.example_app.actors import Person
from tests.support.acme import acme_pieces
from tests.support.actors import answer_of
from tests.support.manager import API, PIECE

pytest_plugins = ["schemathesis.pytest.plugin"]

SECRET_KEY = "a key for tests, not for you"
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.ignored_auth,
]


@dataclass
class Linked:
    """Tasklane linked with an Activepieces, and an admin who is signed in."""

    site: str
    connections: requests.Session
    admin: Person
    setup: dict[str, str]
    _things: dict[str, str] = field(default_factory=dict)

    def things(self) -> dict[str, str]:
        """The ids of what is there, by the names that paths have for them."""
        if not self._things:
            self._things = self._made()
        return self._things

    def note(self, method: str, status: int) -> None:
        """After a change, perhaps nothing of that is there any more."""
        if method != "GET" and status < 300:
            self._things = {}

    def _made(self) -> dict[str, str]:
        browser = self.admin.browser
        made = answer_of(browser.post(f"{API}/setup", json=self.setup), 201)
        integration = made["integrationTenantId"]
        browser.patch(f"{API}/setup/{integration}", json={"enabled": True})
        new = {"accessToken": "ok-mine", "connectionName": "Mine", "pieceName": PIECE}
        body = new | {"integrationId": integration}
        connection = answer_of(browser.post(f"{API}/connection", json=body), 201)
        return {"integration_id": integration, "connection_id": connection["id"]}

    @property
    def cookies(self) -> dict[str, str]:
        """The admin's session."""
        cookie = self.admin.browser.get_cookie("tasklane")
        assert cookie is not None
        return {"tasklane": cookie.value}


@contextmanager
def kept_open(app: Flask) -> Iterator[tuple[str, requests.Session]]:
    """The app's address, and connections to it that stay open: a thousand requests take half the time."""
    server = HttpServer(app)
    with requests.Session() as connections:
        connections.trust_env = False  # a proxy of this machine has no business on its loopback
        yield f"http://127.0.0.1:{server.port}", connections
    server.close()


# Without a parameter, schemathesis gives all its tests one name, and pytest-xdist would run the first of them only.
@pytest.fixture(scope="module", params=["0.85.2"])
def linked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Linked]:
    database = tmp_path_factory.mktemp("schemathesis") / "tasklane.db"
    pieces = acme_pieces("https://auth.acme.test")
    with ActivepiecesServer(version=request.param, pieces=pieces) as server:
        app = create_app(
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
                "SECRET_KEY": SECRET_KEY,
                "ACTIVEPIECES_BASE_URL": server.url,
            }
        )
        setup = {
            "apiKey": server.api_key,
            "userToken": server.user_token(),
            "projectId": server.project_id,
        }
        ada = Person(app, "admin@acme.test")
        with kept_open(app) as (site, connections):
            yield Linked(site, connections, ada, setup)
        with app.app_context():
            db.engine.dispose()


api = schemathesis.openapi.from_dict(
    openapi_document(
        Settings.from_app_config({"SECRET_KEY": SECRET_KEY}), session_cookie="tasklane"
    )
)


# Else it would leave out the session, find that it is there all the same, and call that a fault.
api.config.generation.update(with_security_parameters=False)
api.config.phases.coverage.unexpected_methods = {"put"}


@api.parametrize()
@settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: Any, linked: Linked) -> None:
    there = linked.things()
    case.path_parameters.update(
        {name: there[name] for name in case.path_parameters if name in there}
    )

    response = case.call_and_validate(
        base_url=linked.site, session=linked.connections, cookies=linked.cookies, checks=CHECKS
    )

    linked.note(case.method, response.status_code)
