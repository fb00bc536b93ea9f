"""The secret keys, and what they encrypted."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import update

from flask_activepieces.crypto.keyring import Encryptor, KeyRing
from flask_activepieces.doctor.app.keys import MAX_AGE, check_key_strength, check_stored_secrets
from flask_activepieces.integrations.credentials import PURPOSE
from flask_activepieces.state import State, get_state
from flask_activepieces.storage.tables import integrations
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.clock import StoppedClock
from tests.support.doctor import codes, only

NEW, OLD = secrets.token_hex(32), secrets.token_hex(32)


@pytest.fixture
def state(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> State:
    """An app with an integration, whose key is encrypted with the newest key."""
    app = make_app(ACTIVEPIECES_BASE_URL=activepieces_server.url, ACTIVEPIECES_SECRET_KEYS=[NEW, OLD])
    key, project = activepieces_server.api_key, activepieces_server.project_id
    ApiUser.named(app, "alice").links(apiKey=key, projectId=project)
    return get_state(app)


def encrypt_with(state: State, key: str) -> None:
    (integration,) = state.tenants.integrations.list_all()
    encrypted = Encryptor(KeyRing([key]), PURPOSE).encrypt({"api_key": "sk-1"}, context=integration.id)
    values: dict[str, Any] = {"encrypted_credentials": encrypted}
    state.database.write(update(integrations).where(integrations.c.id == integration.id).values(**values))


def test_a_key_that_can_be_guessed_is_found(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SECRET_KEYS=[NEW, "abcdefgh" * 4])

    finding = only(check_key_strength(get_state(app)), "key-weak")

    assert finding.seen == "Secret key 2 can be guessed, because it repeats a short part."


def test_the_finding_does_not_show_the_key(make_app: MakeApp) -> None:
    app = make_app(SECRET_KEY="short but 16 chars")

    finding = only(check_key_strength(get_state(app)), "key-weak")

    assert "short but" not in str(finding)


def test_good_keys_are_not_reported(state: State) -> None:
    assert codes(check_key_strength(state)) == []
    assert codes(check_stored_secrets(state, None)) == []


def test_credentials_under_an_older_key_are_found(state: State) -> None:
    encrypt_with(state, OLD)
    (integration,) = state.tenants.integrations.list_all()

    finding = only(check_stored_secrets(state, None), "keys-reencrypt")

    assert finding.seen == f"Not encrypted with the newest secret key: integration {integration.id}."
    assert codes(check_stored_secrets(state, "globex")) == []


def test_credentials_that_no_key_decrypts_are_found(state: State) -> None:
    encrypt_with(state, secrets.token_hex(32))

    finding = only(check_stored_secrets(state, "acme"), "secrets-unreadable")

    assert finding.tenant_id == "acme"


def test_a_key_in_use_for_more_than_a_year_is_found(state: State, clock: StoppedClock) -> None:
    """Encrypting notes the real time."""
    (integration,) = state.tenants.integrations.list_all()
    encrypted = Encryptor(state.settings.secret_keys, PURPOSE).key_of(
        str(integration.encrypted_credentials), context=integration.id
    )
    assert encrypted is not None
    clock.now = encrypted[1] + MAX_AGE
    assert codes(check_stored_secrets(state, None)) == []

    clock.advance(1)

    assert codes(check_stored_secrets(state, None)) == ["key-old"]
