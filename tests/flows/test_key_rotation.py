"""Key rotation: adding a key disturbs no one, and removing a key invalidates what it signed."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.error_assertions import assert_error_page
from tests.support.hosts import SECRET_KEY
from tests.support.pages import Form

OLD, NEW = "the old key, long enough for all", "the new key, long enough for all"
EC_KEY = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()

Restart = Callable[..., tuple[Program, Person]]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The small host before any rotation."""
    return make_app(ACTIVEPIECES_SECRET_KEYS=[OLD])


@pytest.fixture
def restart(make_app: MakeApp, program: Program, bob: Person) -> Restart:
    """Restart the app with other keys, with the same program and the same browser of Bob."""

    def restarted(**config: Any) -> tuple[Program, Person]:
        app = make_app(tables=False, **config)
        bob.browser.application = app
        return replace(program, app=app), bob

    return restarted


ROTATED = {"ACTIVEPIECES_SECRET_KEYS": [NEW, OLD]}
OLD_KEY_REMOVED = {"ACTIVEPIECES_SECRET_KEYS": [NEW]}


def open_consent(program: Program, person: Person) -> Form:
    return person.sees(program.question(prompt="consent")).form("decision")


def assert_refused(response: TestResponse, status: int, error: str, description: str) -> None:
    body = answer_of(response, status)
    assert body["error"] == error
    assert description in body["error_description"]


def header_of(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    header: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


# Adding a key


def test_a_code_from_before_the_rotation_can_be_redeemed(program: Program, bob: Person, restart: Restart) -> None:
    code = bob.allows(program.question())

    after, _ = restart(**ROTATED)

    assert after.redeems(code).status_code == 200


def test_a_token_family_continues_and_moves_to_the_new_key(program: Program, bob: Person, restart: Restart) -> None:
    pair = program.connects(bob)

    after, _ = restart(**ROTATED)
    second = answer_of(after.refreshes(pair["refresh_token"]))
    later, _ = restart(**OLD_KEY_REMOVED)

    assert after.calls(pair["access_token"]).status_code == 200
    assert later.calls(second["access_token"]).status_code == 200
    assert later.refreshes(second["refresh_token"]).status_code == 200


def test_a_lost_response_is_repeated_after_the_rotation(program: Program, bob: Person, restart: Restart) -> None:
    """The repeated response is signed with the new key and has the same generation."""
    pair = program.connects(bob)
    lost = answer_of(program.refreshes(pair["refresh_token"]))

    after, _ = restart(**ROTATED)
    again = answer_of(after.refreshes(pair["refresh_token"]))

    assert again["refresh_token"].rpartition(".")[0] == lost["refresh_token"].rpartition(".")[0]
    assert after.refreshes(lost["refresh_token"]).status_code == 200


def test_token_theft_is_detected_after_the_rotation(program: Program, bob: Person, restart: Restart) -> None:
    first = program.connects(bob)["refresh_token"]
    second = answer_of(program.refreshes(first))["refresh_token"]
    third = answer_of(program.refreshes(second))["refresh_token"]

    after, _ = restart(**ROTATED)

    assert_refused(after.refreshes(first), 400, "invalid_grant", "used before")
    assert_refused(after.refreshes(third), 400, "invalid_grant", "revoked")


def test_an_open_consent_form_can_be_sent_after_the_rotation(program: Program, bob: Person, restart: Restart) -> None:
    form = open_consent(program, bob)

    _, person = restart(**ROTATED)

    assert person.sends(form, decision="approve").status_code == 303


def test_a_request_pending_during_a_login_is_found_again(
    app: Flask, program: Program, bob: Person, restart: Restart
) -> None:
    bob.opens("/logout")
    login = bob.opens(program.question()).location

    _, person = restart(**ROTATED)

    assert person.sees(f"{login}&as=bob").form("decision")


def test_an_open_disconnect_form_can_be_sent_after_the_rotation(
    program: Program, bob: Person, restart: Restart
) -> None:
    program.connects(bob)
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")

    _, person = restart(**ROTATED)

    assert person.sends(form).status_code == 303


def test_workers_with_the_old_keys_refuse_new_tokens(program: Program, bob: Person, restart: Restart) -> None:
    """This is why `keys rotate` says to configure all workers at the same time."""
    restart(**ROTATED)
    pair = restart(**ROTATED)[0].connects(bob)

    assert program.calls(pair["access_token"]).status_code == 401


def test_flasks_fallback_keys_count_as_old_keys(make_app: MakeApp) -> None:
    """Flask's SECRET_KEY_FALLBACKS, where ACTIVEPIECES_SECRET_KEYS is not used."""
    before = make_app(SECRET_KEY=OLD)
    program = Program.registered(before)
    pair = program.connects(Person(before, "bob"))

    rotated = make_app(tables=False, SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD])
    removed = make_app(tables=False, SECRET_KEY=NEW)

    assert replace(program, app=removed).calls(pair["access_token"]).status_code == 401
    after = replace(program, app=rotated)
    assert after.calls(pair["access_token"]).status_code == 200
    assert after.refreshes(pair["refresh_token"]).status_code == 200


def test_the_setting_can_replace_flasks_secret_key(make_app: MakeApp) -> None:
    """As `keys rotate` says: put SECRET_KEY behind the new key."""
    before = make_app()
    program = Program.registered(before)
    pair = program.connects(Person(before, "bob"))

    after = make_app(tables=False, ACTIVEPIECES_SECRET_KEYS=json.dumps([NEW, SECRET_KEY]))

    assert replace(program, app=after).refreshes(pair["refresh_token"]).status_code == 200


# Removing the old key


def test_a_code_of_a_removed_key_is_not_valid(program: Program, bob: Person, restart: Restart) -> None:
    code = bob.allows(program.question())

    after, _ = restart(**OLD_KEY_REMOVED)

    assert_refused(after.redeems(code), 400, "invalid_grant", "not valid")


def test_tokens_of_a_removed_key_are_not_valid(program: Program, bob: Person, restart: Restart) -> None:
    """invalid_grant is the right error here: no retry can succeed."""
    pair = program.connects(bob)

    after, _ = restart(**OLD_KEY_REMOVED)

    assert_refused(after.calls(pair["access_token"]), 401, "invalid_token", "not valid here")
    assert_refused(after.refreshes(pair["refresh_token"]), 400, "invalid_grant", "not valid")
    assert answer_of(after.introspects(pair["access_token"])) == {"active": False}
    assert after.revokes(pair["refresh_token"]).status_code == 200


def test_tokens_are_valid_again_when_the_key_is_restored(program: Program, bob: Person, restart: Restart) -> None:
    """Removing a key by mistake is harmless: its tokens are refused, not revoked."""
    pair = program.connects(bob)
    after, _ = restart(**OLD_KEY_REMOVED)
    after.refreshes(pair["refresh_token"])

    restored, _ = restart(**ROTATED)

    assert restored.refreshes(pair["refresh_token"]).status_code == 200


def test_a_remembered_approval_survives_the_removal_of_the_key(
    trusted: Program, bob: Person, restart: Restart
) -> None:
    """The grant is a database row, not a signature."""
    trusted.connects(bob)

    _, person = restart(**OLD_KEY_REMOVED)

    assert person.opens(trusted.question()).location.startswith(f"{trusted.redirect_uri}?code=")


def test_a_form_of_a_removed_key_is_out_of_date(program: Program, bob: Person, restart: Restart) -> None:
    form = open_consent(program, bob)

    _, person = restart(**OLD_KEY_REMOVED)

    page = assert_error_page(person.sends(form, decision="approve"), 400)
    assert "Nothing was changed" in page.text


# From HS256, which needs no key file, to a key pair whose tokens other services can verify


def test_tokens_from_before_the_change_of_algorithm_stay_valid(
    program: Program, bob: Person, restart: Restart
) -> None:
    pair = program.connects(bob)

    after, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[EC_KEY])
    second = answer_of(after.refreshes(pair["refresh_token"]))

    assert header_of(pair["access_token"])["alg"] == "HS256"
    assert header_of(second["access_token"])["alg"] == "ES256"
    assert after.calls(pair["access_token"]).status_code == 200
    assert after.calls(second["access_token"]).status_code == 200


def test_tokens_of_the_new_key_pair_can_be_verified_by_other_services(bob: Person, restart: Restart) -> None:
    after, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[EC_KEY])
    token = after.connects(bob)["access_token"]
    published = answer_of(after.app.test_client().get("/oauth/jwks.json"))

    verified = jwt.decode(token, KeySet.import_key_set(cast(Any, published)), algorithms=["ES256"])

    assert verified.claims["sub"] == "bob"
    assert len(published["keys"]) == 1
    assert "d" not in published["keys"][0]


def test_an_old_private_key_verifies_tokens_while_it_is_configured(bob: Person, restart: Restart) -> None:
    next_key = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()
    first, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[EC_KEY])
    token = first.connects(bob)["access_token"]

    with_both, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[next_key, EC_KEY])
    with_one, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[next_key])

    assert with_both.calls(token).status_code == 200
    assert len(answer_of(with_both.app.test_client().get("/oauth/jwks.json"))["keys"]) == 2
    assert_refused(with_one.calls(token), 401, "invalid_token", "not valid here")


def test_returning_to_hs256_invalidates_access_tokens_but_not_refresh_tokens(bob: Person, restart: Restart) -> None:
    first, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD], ACTIVEPIECES_JWT_KEYS=[EC_KEY])
    pair = first.connects(bob)

    back, _ = restart(ACTIVEPIECES_SECRET_KEYS=[OLD])

    assert back.calls(pair["access_token"]).status_code == 401
    assert back.refreshes(pair["refresh_token"]).status_code == 200
