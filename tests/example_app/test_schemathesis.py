"""The JSON API of the example app conforms to its OpenAPI document for valid and invalid requests.

schemathesis generates the requests from the document. Activepieces is the stand-in. Paths contain ids of existing
resources, since random ids would nearly always give a 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import pytest
import requests
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from example_app import create_app
from example_app.activepieces import PIECE as TASKLANE
from example_app.models import db
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.http_server import HttpServer
from flask_activepieces.web.api.openapi import openapi_document
from tests.example_app.actors import Person
from tests.support.acme import acme_pieces
from tests.support.api_user import API, PIECE

pytest_plugins = ["schemathesis.pytest.plugin"]
pytestmark = pytest.mark.long

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
#: The resources that an operation deletes or disables, so that they must be created again.
DELETED_BY = {
    "api_update_integration": {"integration_id"},
    "api_delete_integration": {"integration_id", "own_id"},
    "api_delete_own_connection": {"own_id"},
    "api_delete_connection": {"connection_id"},
    "api_replace_connection": {"connection_id"},
    "api_delete_client": {"client_id"},
}
#: The ids in request bodies, which have examples in the document.
BODY_IDS = {"sourceAppConnectionId": "connection_id", "targetAppConnectionId": "other_id"}
#: They require a third party; tests/flows/test_connect_api.py covers them.
REQUIRE_THIRD_PARTY = {"api_confirm_oauth2", "api_start_oauth2", "api_finish_oauth2"}


@dataclass
class LinkedTasklane:
    """Tasklane, linked with Activepieces, and its signed-in admin."""

    site: str
    session: requests.Session
    admin: Person
    setup: dict[str, str]
    _ids: dict[str, str] = field(default_factory=dict)

    def with_existing_ids(self, case: Any) -> Any:
        """Replace the ids in the path, and example ids in the body, with those of existing resources."""
        self._create_missing()
        case.path_parameters.update({name: self._ids[name] for name in case.path_parameters if name in self._ids})
        if isinstance(case.body, dict):
            for name in case.body.keys() & BODY_IDS:
                if case.body[name] == _example(name):
                    case.body[name] = self._ids[BODY_IDS[name]]
        return case

    def forget_deleted(self, operation: str, status: int) -> None:
        """Forget the ids that a successful call invalidated."""
        for name in DELETED_BY.get(operation, ()) if status < 300 else ():
            self._ids.pop(name, None)

    def _create_missing(self) -> None:
        for name, create in (
            ("integration_id", self._integration),
            ("own_id", self._own_connection),
            ("connection_id", self._connection),
            ("other_id", self._connection),
            ("client_id", self._client),
        ):
            if name not in self._ids:
                self._ids[name] = create()

    def _integration(self) -> str:
        integration_id = self._call("POST", "/setup", self.setup)["integrationTenantId"]
        self._call("PATCH", f"/setup/{integration_id}", {"enabled": True})
        return str(integration_id)

    def _own_connection(self) -> str:
        path = f"/connections/{self._ids['integration_id']}/connect"
        return str(self._call("POST", path)["id"])

    def _connection(self) -> str:
        new = {"accessToken": "ok-mine", "connectionName": token_hex(4), "pieceName": PIECE}
        return str(self._call("POST", "/connection", new)["id"])

    def _client(self) -> str:
        new = {"name": "Mine", "scope": "tasks:read", "client_credentials": True}
        return str(self._call("POST", "/oauth-clients", new)["client_id"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url, cookies = self.site + API + path, self.cookies
        response = self.session.request(method, url, json=body, cookies=cookies)
        assert response.ok, response.text
        return response.json()

    @property
    def cookies(self) -> dict[str, str]:
        """The admin's session cookie."""
        cookie = self.admin.browser.get_cookie("tasklane")
        assert cookie is not None
        return {"tasklane": cookie.value}


def _example(name: str) -> str:
    (example,) = api.raw_schema["components"]["schemas"]["Replacement"]["properties"][name]["examples"]
    return str(example)


@contextmanager
def serve(app: Flask) -> Iterator[tuple[str, requests.Session]]:
    """Serve the app; yields its address, and a session, which halves the time of a thousand requests."""
    server = HttpServer(app)
    with requests.Session() as session:
        session.trust_env = False  # ignore proxies in the environment
        yield f"http://127.0.0.1:{server.port}", session
    server.close()


# Without a parameter, all tests have the same name, and pytest-xdist would run only the first of them.
@pytest.fixture(scope="module", params=["0.85"])
def linked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedTasklane]:
    database = tmp_path_factory.mktemp("schemathesis") / "tasklane.db"
    address = {"type": "SHORT_TEXT", "displayName": "Address", "required": True}
    auth = {
        "type": "OAUTH2",
        "displayName": "Sign in",
        "required": True,
        "authUrl": "{base_url}/oauth/authorize",
        "tokenUrl": "{base_url}/oauth/token",
        "scope": ["profile:read", "tasks:read", "tasks:write"],
        "pkce": True,
        "pkceMethod": "S256",
        "props": {"base_url": address},
    }
    own = StandinPiece(TASKLANE.name, auth=auth)
    pieces = (own, *acme_pieces("https://auth.acme.test"))
    with ActivepiecesServer(version=request.param, pieces=pieces) as server:
        key_id, signing_key = server.add_signing_key()
        app = create_app(
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
                "SECRET_KEY": SECRET_KEY,
                "ACTIVEPIECES_BASE_URL": server.url,
                "ACTIVEPIECES_API_KEY": server.api_key,
                "ACTIVEPIECES_SIGNING_KEY": signing_key,
                "ACTIVEPIECES_SIGNING_KEY_ID": key_id,
            }
        )
        # A project with this external id can also be embedded.
        project = ActivepiecesClient(server.url, server.api_key).projects.create("Acme", external_id="acme")
        setup = {"apiKey": server.api_key, "userToken": server.user_token(), "projectId": project.id}
        ada = Person(app, "admin@acme.test")
        with serve(app) as (site, session):
            yield LinkedTasklane(site, session, ada, setup)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def statuses() -> Iterator[dict[str, set[int]]]:
    """The statuses of each operation in one test; at least one must be a success, or the test would prove little."""
    by_operation: dict[str, set[int]] = {}
    yield by_operation
    for operation, received in by_operation.items():
        assert operation in REQUIRE_THIRD_PARTY or min(received) < 300, (operation, received)


api = schemathesis.openapi.from_dict(
    openapi_document(create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://", "SECRET_KEY": SECRET_KEY}))
)


# Otherwise schemathesis would omit the session cookie, although each request sends it, and report a failure.
api.config.generation.update(with_security_parameters=False)
api.config.phases.coverage.unexpected_methods = {"put"}


@api.parametrize()
@settings(max_examples=3, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_response_conforms_to_the_document(
    case: Any, linked: LinkedTasklane, statuses: dict[str, set[int]]
) -> None:
    case = linked.with_existing_ids(case)
    operation = case.operation.definition.raw["operationId"]

    response = case.call_and_validate(
        base_url=linked.site, session=linked.session, cookies=linked.cookies, checks=CHECKS
    )

    statuses.setdefault(operation, set()).add(response.status_code)
    linked.forget_deleted(operation, response.status_code)
