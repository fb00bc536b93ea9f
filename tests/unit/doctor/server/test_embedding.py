"""The embedded builder."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from flask_activepieces.doctor.server.embedding import check_embedding, check_origin
from flask_activepieces.doctor.subject import Subject
from flask_activepieces.host.interface import Principal
from flask_activepieces.state import get_state
from flask_activepieces.storage.tables import provisioned_users
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.access.signing_keys import new_pair
from tests.support.doctor import PUBLIC, codes, only
from tests.support.raw_server import raw_server
from tests.unit.doctor.server.conftest import Link

HOUR = 3600


@pytest.fixture
def signing(activepieces_server: ActivepiecesServer) -> dict[str, Any]:
    """The settings of an app that embeds the builder."""
    key_id, pem = activepieces_server.add_signing_key()
    return {
        "ACTIVEPIECES_API_KEY": activepieces_server.api_key,
        "ACTIVEPIECES_SIGNING_KEY": pem,
        "ACTIVEPIECES_SIGNING_KEY_ID": key_id,
    }


@pytest.fixture
def app(link: Link, signing: dict[str, Any]) -> Flask:
    """An app that embeds the builder."""
    return link({}, **signing)


def test_an_app_without_a_signing_key_is_not_checked(
    subject: Subject, activepieces_server: ActivepiecesServer
) -> None:
    activepieces_server.calls.clear()

    assert codes(check_embedding(subject)) == []

    assert activepieces_server.calls == []


def test_a_site_that_may_not_embed_the_builder_is_found(app: Flask) -> None:
    finding = only(check_embedding(Subject(app=app)), "embed-origin")

    assert "may be shown on pages of 'self'" in finding.seen
    get_state(app).tenants.embedding.allow_origins()
    assert codes(check_embedding(Subject(app=app))) == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, []),
        ({"Content-Security-Policy": "default-src 'none'"}, []),
        ({"Content-Security-Policy": f"frame-ancestors 'self' {PUBLIC.upper()}; base-uri 'none'"}, []),
        ({"Content-Security-Policy": "frame-ancestors *"}, []),
        ({"Content-Security-Policy": "frame-ancestors https://other.example"}, ["embed-origin"]),
        ({"Content-Security-Policy": "frame-ancestors"}, ["embed-origin"]),
    ],
)
def test_the_policy_of_the_server_decides(policy: dict[str, str], expected: list[str]) -> None:
    with raw_server(lambda request: request.answer(200, b"<html>", kind="text/html", **policy)) as server:
        assert codes(check_origin(f"{PUBLIC}/crm", server.url)) == expected


def test_a_signing_key_without_an_api_key_is_found(link: Link, signing: dict[str, Any]) -> None:
    without = signing | {"ACTIVEPIECES_API_KEY": None, "ACTIVEPIECES_PUBLIC_URL": None}

    assert only(check_embedding(Subject(app=link(**without))), "embed-api-key")


def test_a_signing_key_that_the_server_knows_leaves_nothing_behind(
    app: Flask, activepieces_server: ActivepiecesServer
) -> None:
    get_state(app).tenants.embedding.allow_origins()
    store = activepieces_server.state.store
    before = {kind: len(store.all(kind)) for kind in ("user", "project", "project_member")}

    assert codes(check_embedding(Subject(app=app))) == []

    assert {kind: len(store.all(kind)) for kind in before} == before


@pytest.mark.parametrize(
    ("is_other_key", "seen"), [(True, "invalid signature"), (False, "signing key not found signingKeyId=an-id")]
)
def test_a_signing_key_that_the_server_does_not_know_is_found(
    link: Link, signing: dict[str, Any], is_other_key: bool, seen: str
) -> None:
    changed = {"SIGNING_KEY": new_pair()[0]} if is_other_key else {"SIGNING_KEY_ID": "an-id"}
    settings = signing | {f"ACTIVEPIECES_{name}": value for name, value in changed.items()}
    subject = Subject(app=link({}, **settings))
    subject.state.tenants.embedding.allow_origins()

    assert seen in only(check_embedding(subject), "embed-signing-key").seen


def test_a_server_that_does_not_answer_says_nothing_about_the_key(
    app: Flask, activepieces_server: ActivepiecesServer
) -> None:
    get_state(app).tenants.embedding.allow_origins()
    activepieces_server.faults.fail("GET", "/flags", 503, times=None)

    assert codes(check_embedding(Subject(app=app))) == []


def test_users_who_are_still_members_are_found(app: Flask) -> None:
    state = get_state(app)
    get_state(app).tenants.embedding.allow_origins()
    (integration,) = state.tenants.integrations.list_all()
    with app.app_context():
        state.tenants.embedding.builder(integration, Principal("alice", "acme", "Alice"))
    state.database.write(update(provisioned_users).values(removal_due_at=state.now() - HOUR))

    assert "Users to be removed from Activepieces: 1" in only(check_embedding(Subject(app=app)), "embed-members").seen
    assert codes(check_embedding(Subject(app=app, tenant_id="globex"))) == []
