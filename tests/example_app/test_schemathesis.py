"""The JSON API of the example app is as its OpenAPI document says, whatever is sent to it.

schemathesis makes the calls from the document: good ones, and ones with something wrong in them. Activepieces is the
stand-in, and the ids in paths are those of things that are there, or nearly everything would be 404.
"""

from __future__ import annotations

import json
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
from example_app.models import db
from example_app.pieces import OAUTH_MANIFEST
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.http_server import HttpServer
from flask_activepieces.web.api.openapi import openapi_document
from tests.example_app.actors import Person
from tests.support.acme import acme_pieces
from tests.support.api_user import API, PIECE

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
#: What is to be made anew after an operation: it took that away, or switched it off.
GONE_AFTER = {
    "api_update_integration": {"integration_id"},
    "api_delete_integration": {"integration_id", "own_id"},
    "api_delete_own_connection": {"own_id"},
    "api_delete_connection": {"connection_id"},
    "api_replace_connection": {"connection_id"},
    "api_delete_client": {"client_id"},
}
#: The ids in a body that the document has examples of.
IN_BODIES = {
    "sourceAppConnectionId": "connection_id",
    "targetAppConnectionId": "other_id",
}
#: They send the browser to a third party, and take what it brings back from there: tests/flows/test_connect_api.py.
NEEDS_A_THIRD_PARTY = {"api_confirm_oauth2", "api_start_oauth2", "api_finish_oauth2"}


@dataclass
class Linked:
    """Tasklane linked with an Activepieces, and an admin who is signed in."""

    site: str
    connections: requests.Session
    admin: Person
    setup: dict[str, str]
    _things: dict[str, str] = field(default_factory=dict)

    def with_what_is_there(self, case: Any) -> Any:
        """The call, with ids of what is there in its path, and in its body instead of the document's examples."""
        self._make_what_is_missing()
        there = self._things
        case.path_parameters.update(
            {name: there[name] for name in case.path_parameters if name in there}
        )
        if isinstance(case.body, dict):
            for name in case.body.keys() & IN_BODIES:
                if case.body[name] == _example(name):
                    case.body[name] = there[IN_BODIES[name]]
        return case

    def note(self, operation: str, status: int) -> None:
        """After a call that took something away."""
        for name in GONE_AFTER.get(operation, ()) if status < 300 else ():
            self._things.pop(name, None)

    def _make_what_is_missing(self) -> None:
        for name, make in (
            ("integration_id", self._integration),
            ("own_id", self._own_connection),
            ("connection_id", self._connection),
            ("other_id", self._connection),
            ("client_id", self._client),
        ):
            if name not in self._things:
                self._things[name] = make()

    def _integration(self) -> str:
        made = self._calls("POST", "/setup", self.setup)["integrationTenantId"]
        self._calls("PATCH", f"/setup/{made}", {"enabled": True})
        return str(made)

    def _own_connection(self) -> str:
        path = f"/connections/{self._things['integration_id']}/connect"
        return str(self._calls("POST", path)["id"])

    def _connection(self) -> str:
        new = {"accessToken": "ok-mine", "connectionName": token_hex(4), "pieceName": PIECE}
        return str(self._calls("POST", "/connection", new)["id"])

    def _client(self) -> str:
        new = {"name": "Mine", "scope": "tasks:read", "client_credentials": True}
        return str(self._calls("POST", "/oauth-clients", new)["client_id"])

    def _calls(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        # By the address at which Activepieces finds the app, too: it redeems a code there.
        url, cookies = self.site + API + path, self.cookies
        answer = self.connections.request(method, url, json=body, cookies=cookies)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def cookies(self) -> dict[str, str]:
        """The admin's session."""
        cookie = self.admin.browser.get_cookie("tasklane")
        assert cookie is not None
        return {"tasklane": cookie.value}


def _example(name: str) -> str:
    (example,) = api.raw_schema["components"]["schemas"]["Replace"]["properties"][name]["examples"]
    return str(example)


@contextmanager
def kept_open(app: Flask) -> Iterator[tuple[str, requests.Session]]:
    """The app's address, and connections to it that stay open: a thousand requests take half the time."""
    server = HttpServer(app)
    with requests.Session() as connections:
        connections.trust_env = False  # a proxy of this machine has no business on its loopback
        yield f"http://127.0.0.1:{server.port}", connections
    server.close()


# Without a parameter, schemathesis gives all its tests one name, and pytest-xdist would run the first of them only.
@pytest.fixture(scope="module", params=["0.85"])
def linked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Linked]:
    database = tmp_path_factory.mktemp("schemathesis") / "tasklane.db"
    tasklane = json.loads(OAUTH_MANIFEST.read_text("utf-8"))
    own = StandinPiece(tasklane["name"], auth=tasklane["auth"], version=tasklane["version"])
    pieces = (own, *acme_pieces("https://auth.acme.test"))
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


@pytest.fixture
def statuses() -> Iterator[dict[str, set[int]]]:
    """What an operation answered in one test: a good answer was among them, or nothing of it was looked at."""
    seen: dict[str, set[int]] = {}
    yield seen
    for operation, found in seen.items():
        assert operation in NEEDS_A_THIRD_PARTY or min(found) < 300, (operation, found)


api = schemathesis.openapi.from_dict(
    openapi_document(create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://", "SECRET_KEY": SECRET_KEY}))
)


# Else it would leave out the session, find that it is there all the same, and call that a fault.
api.config.generation.update(with_security_parameters=False)
api.config.phases.coverage.unexpected_methods = {"put"}


@api.parametrize()
@settings(
    max_examples=3,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(
    case: Any, linked: Linked, statuses: dict[str, set[int]]
) -> None:
    case = linked.with_what_is_there(case)
    operation = case.operation.definition.raw["operationId"]

    response = case.call_and_validate(
        base_url=linked.site, session=linked.connections, cookies=linked.cookies, checks=CHECKS
    )

    statuses.setdefault(operation, set()).add(response.status_code)
    linked.note(operation, response.status_code)
