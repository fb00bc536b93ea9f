"""The JSON API for the embedded builder."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from flask import Flask

from flask_activepieces import Activepieces, Principal, Workspace
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.test_signals_and_audit import recorded_signals
from tests.support.actors import answer_of
from tests.support.api_user import ApiUser
from tests.support.clock import StoppedClock
from tests.support.hosts import SmallHost
from tests.support.storage import rows_of


@pytest.fixture
def app(make_app: MakeApp, activepieces_server: ActivepiecesServer, clock: StoppedClock) -> Flask:
    """An app with a signing key."""
    clock.now = activepieces_server.state.clock()
    key_id, pem = activepieces_server.add_signing_key()
    return make_app(
        ACTIVEPIECES_BASE_URL=activepieces_server.url,
        ACTIVEPIECES_API_KEY=activepieces_server.api_key,
        ACTIVEPIECES_SIGNING_KEY=pem,
        ACTIVEPIECES_SIGNING_KEY_ID=key_id,
        ACTIVEPIECES_EMBED_SDK_URL=activepieces_server.embed_sdk_url,
    )


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    return ApiUser.named(app, "alice")


@pytest.fixture
def integration_id(alice: ApiUser) -> str:
    return alice.links()


def test_a_user_gets_a_token_for_the_builder(
    alice: ApiUser, integration_id: str, activepieces_server: ActivepiecesServer
) -> None:
    answer = alice.posts(f"/embedding/{integration_id}")

    body = answer_of(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"instanceUrl", "sdkUrl", "token", "expiresAt"}
    assert body["instanceUrl"] == activepieces_server.url
    assert body["sdkUrl"] == f"{activepieces_server.url}/sdk/embed.js"
    session = ActivepiecesClient(activepieces_server.url, activepieces_server.api_key).embedding.exchange(
        body["token"]
    )
    assert (session.first_name, session.last_name, session.external_id) == ("Alice", "Acme", "acme/alice")


def test_getting_and_losing_access_are_events(app: Flask, alice: ApiUser, integration_id: str) -> None:
    with recorded_signals(app) as received:
        token = answer_of(alice.posts(f"/embedding/{integration_id}"))["token"]
        settings = app.config
        client = ActivepiecesClient(settings["ACTIVEPIECES_BASE_URL"], settings["ACTIVEPIECES_API_KEY"])
        client.embedding.exchange(token)
        with app.app_context():
            Activepieces().revoke_user("alice", tenant_id="acme")

    names = ["user.provisioned", "user.deprovisioned"]
    events = [event for event in received if event.name in names]
    rows = [row for row in rows_of(app, "audit_events") if row["name"] in names]
    assert [event.name for event in events] == [row["name"] for row in rows] == names
    for event, row in zip(events, rows, strict=True):
        assert (event.tenant_id, event.user_id) == (row["tenant_id"], row["user_id"]) == ("acme", "alice")
        assert set(event.detail) == {"integration_id", "project_id"}
        assert json.loads(row["detail"]) == dict(event.detail)


def test_a_user_without_permission_gets_none(app: Flask, integration_id: str) -> None:
    assert ApiUser.named(app, "bob").posts(f"/embedding/{integration_id}").status_code == 403


def test_attack_on_the_builder_of_another_tenant(app: Flask, integration_id: str) -> None:
    answer = ApiUser.named(app, "carol").posts(f"/embedding/{integration_id}")

    assert answer.status_code == 404
    assert answer_of(answer, 404)["code"] == "not_found"


class HostThatRemoves(SmallHost):
    """Ends the access of Alice while her request is being answered."""

    removes = False

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return None if self.removes else super().load_principal(user_id, tenant_id)

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        if self.removes:
            Activepieces().revoke_user(principal.user_id, tenant_id=principal.tenant_id)
        return super().workspaces(principal)


def test_a_user_whose_access_ends_during_the_request_is_not_let_in_again(
    make_app: MakeApp, app: Flask, activepieces_server: ActivepiecesServer
) -> None:
    """Otherwise nothing would remove them any more."""
    settings = {name: value for name, value in app.config.items() if name.startswith("ACTIVEPIECES_")}
    host = HostThatRemoves()
    app = make_app(host=host, **settings)
    alice = ApiUser.named(app, "alice")
    integration_id = alice.links()
    client = ActivepiecesClient(activepieces_server.url, activepieces_server.api_key)
    client.embedding.exchange(answer_of(alice.posts(f"/embedding/{integration_id}"))["token"])
    host.removes = True

    answer = alice.posts(f"/embedding/{integration_id}")

    assert answer_of(answer, 404)["code"] == "not_found"
    user = client.users.find("acme/alice")
    assert user is not None and user.status == "INACTIVE"


def test_a_signed_out_visitor_gets_none(app: Flask, integration_id: str) -> None:
    assert ApiUser.named(app).posts(f"/embedding/{integration_id}").status_code == 401


def test_attack_from_another_site(alice: ApiUser, integration_id: str) -> None:
    answer = alice.person.browser.post(
        f"/api/integration/activepieces/embedding/{integration_id}", headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403


def test_a_project_that_cannot_be_embedded_is_a_problem(
    make_app: MakeApp, activepieces_server: ActivepiecesServer
) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=activepieces_server.url, ACTIVEPIECES_API_KEY=activepieces_server.api_key)
    alice = ApiUser.named(app, "alice")
    integration_id = alice.links()

    answer = alice.posts(f"/embedding/{integration_id}")

    assert answer.status_code == 409
    assert "ACTIVEPIECES" not in answer.text
