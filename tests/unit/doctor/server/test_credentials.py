"""The credentials of the app and its tenants."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.doctor.server.credentials import check_credentials
from flask_activepieces.doctor.subject import Subject
from flask_activepieces.state import get_state
from flask_activepieces.storage.tables import integrations
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.access.signing_keys import new_pair
from tests.support.api_user import OWN_PIECE
from tests.support.clock import StoppedClock
from tests.support.doctor import codes, only
from tests.unit.doctor.server.conftest import Link

DAY = 86_400
PEM = new_pair()[0]


@pytest.fixture
def with_user(activepieces_server: ActivepiecesServer) -> dict[str, str]:
    """The setup of an integration with a key and a user."""
    server = activepieces_server
    user = {"email": server.email, "password": server.password}
    return {"apiKey": server.api_key, "projectId": server.project_id, **user}


def revoke_keys(server: ActivepiecesServer) -> None:
    for key in server.state.store.all("api_key"):
        server.state.store.drop("api_key", key["id"])


def test_a_key_and_a_user_are_not_reported(link: Link, with_user: dict[str, str]) -> None:
    assert codes(check_credentials(Subject(app=link(with_user)))) == []


def test_a_key_without_a_user_is_found(subject: Subject) -> None:
    finding = only(check_credentials(subject), "user-missing")

    assert subject.integrations[0].id in finding.seen


def test_a_signing_key_replaces_the_user(link: Link, activepieces_server: ActivepiecesServer) -> None:
    key = {"ACTIVEPIECES_API_KEY": activepieces_server.api_key}
    assert codes(check_credentials(Subject(app=link({}, **key)))) == ["user-missing"]

    signing = {"ACTIVEPIECES_SIGNING_KEY": PEM, "ACTIVEPIECES_SIGNING_KEY_ID": "k"}
    assert codes(check_credentials(Subject(app=link({}, **key, **signing)))) == []


def test_a_rejected_key_of_a_tenant_is_found(
    link: Link, with_user: dict[str, str], activepieces_server: ActivepiecesServer
) -> None:
    app = link(with_user)
    revoke_keys(activepieces_server)

    finding = only(check_credentials(Subject(app=app)), "credential-rejected")

    assert finding.tenant_id == "acme"
    assert finding.seen.startswith("The API key of integration")


def test_a_rejected_key_of_the_app_is_found_once(link: Link, activepieces_server: ActivepiecesServer) -> None:
    signing = {"ACTIVEPIECES_SIGNING_KEY": PEM, "ACTIVEPIECES_SIGNING_KEY_ID": "k"}
    app = link({}, ACTIVEPIECES_API_KEY=activepieces_server.api_key, **signing)
    revoke_keys(activepieces_server)

    finding = only(check_credentials(Subject(app=app)), "credential-rejected")

    assert "does not accept ACTIVEPIECES_API_KEY" in finding.seen


def test_a_wrong_password_is_found(
    link: Link, with_user: dict[str, str], activepieces_server: ActivepiecesServer
) -> None:
    app = link(with_user)
    store = activepieces_server.state.store
    identity = store.first("identity", email=activepieces_server.email)
    assert identity is not None
    store.change("identity", identity["id"], password="", tokenVersion="changed")

    assert (
        "The e-mail and password of integration"
        in only(check_credentials(Subject(app=app)), "credential-rejected").seen
    )


def test_a_missing_key_of_the_app_is_found(
    link: Link, make_app: object, activepieces_server: ActivepiecesServer
) -> None:
    app = link({}, ACTIVEPIECES_API_KEY=activepieces_server.api_key)
    (integration,) = get_state(app).tenants.integrations.list_all()
    keyless = link({"apiKey": activepieces_server.api_key, "projectId": integration.project_id})
    table = integrations
    get_state(keyless).database.write(update(table).values(encrypted_credentials=None, credential_hint=None))

    found = codes(check_credentials(Subject(app=keyless)))

    assert "credential-missing" in found


def test_a_project_that_was_deleted_is_found(
    link: Link, with_user: dict[str, str], activepieces_server: ActivepiecesServer
) -> None:
    client = ActivepiecesClient(activepieces_server.url, activepieces_server.api_key)
    project = client.projects.create("Another")
    app = link(with_user | {"projectId": project.id})
    client.projects.delete(project.id)

    assert set(codes(check_credentials(Subject(app=app)))) == {"project-missing"}


def test_a_user_token_that_expires_soon_is_found(
    link: Link, activepieces_server: ActivepiecesServer, clock: StoppedClock
) -> None:
    token = {"userToken": activepieces_server.user_token(), "projectId": activepieces_server.project_id}
    app = link(token)
    clock.now = time.time() + 3 * DAY
    assert codes(check_credentials(Subject(app=app))) == []

    clock.now = time.time() + 6 * DAY

    assert "The user token of integration" in only(check_credentials(Subject(app=app)), "user-token-expires").seen


def test_a_plan_that_lacks_a_feature_is_found(
    link: Link, with_user: dict[str, str], activepieces_server: ActivepiecesServer
) -> None:
    signing = {"ACTIVEPIECES_SIGNING_KEY": PEM, "ACTIVEPIECES_SIGNING_KEY_ID": "k"}
    app = link(with_user, **signing)
    activepieces_server.state.plan.discard("embeddingEnabled")

    assert "does not include embedding" in only(check_credentials(Subject(app=app)), "plan").seen


@pytest.fixture
def community() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(edition="ce", pieces=[OWN_PIECE]) as server:
        yield server


def test_a_key_for_the_community_edition_is_found(link: Link, community: ActivepiecesServer) -> None:
    user = {"email": community.email, "password": community.password, "projectId": community.project_id}
    server = {"ACTIVEPIECES_BASE_URL": community.url}
    assert codes(check_credentials(Subject(app=link(user, **server)))) == []

    finding = only(
        check_credentials(Subject(app=link(user, ACTIVEPIECES_API_KEY="sk-1", **server))), "credential-kind"
    )

    assert finding.seen.startswith("ACTIVEPIECES_API_KEY is for the Enterprise Edition")
