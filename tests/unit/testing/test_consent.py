"""The fixture `give_consent`: it opens the consent page that users see, and says why there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_activepieces.errors import InvalidInput
from flask_activepieces.testing.consent import give_consent
from tests.conftest import MakeApp
from tests.support.actors import Person
from tests.support.storage import rows_of

GiveConsent = Callable[..., FlaskClient]


def test_the_client_acts_for_the_user(bob: Person, give_consent: GiveConsent) -> None:
    whoami = give_consent(bob.browser).get("/api/whoami").get_json()

    assert (whoami["user_id"], whoami["tenant_id"]) == ("bob", "acme")
    assert whoami["scopes"] == ["profile:read", "tasks:read", "tasks:write"]


def test_only_the_requested_scopes_are_approved(bob: Person, give_consent: GiveConsent) -> None:
    client = give_consent(bob.browser, scope="profile:read")

    assert client.get("/api/whoami").status_code == 200
    assert client.post("/api/tasks").status_code == 403


def test_the_user_chooses_a_workspace_by_its_name(alice: Person, give_consent: GiveConsent) -> None:
    client = give_consent(alice.browser, workspace="Acme-Labs")

    assert client.get("/api/whoami").get_json()["tenant_id"] == "acme-labs"


def test_a_workspace_of_others_is_not_offered(alice: Person, give_consent: GiveConsent) -> None:
    with pytest.raises(AssertionError, match="offers no workspace 'Globex', but these: Acme, Acme-Labs"):
        give_consent(alice.browser, workspace="Globex")


def test_each_consent_is_for_a_new_client(app: Flask, bob: Person, give_consent: GiveConsent) -> None:
    for _ in range(2):
        give_consent(bob.browser)

    assert len(rows_of(app, "oauth_clients")) == len(rows_of(app, "grants")) == 2


def test_someone_who_is_signed_out_sees_no_consent_page(stranger: Person, give_consent: GiveConsent) -> None:
    with pytest.raises(AssertionError, match="leads to /login.*Is the user signed in?"):
        give_consent(stranger.browser)


def test_an_unknown_scope_is_rejected(bob: Person, give_consent: GiveConsent) -> None:
    with pytest.raises(InvalidInput):
        give_consent(bob.browser, scope="nope")


def test_a_page_without_the_form_fails_with_its_text(make_app: MakeApp) -> None:
    def close(app: Flask) -> None:
        app.before_request(lambda: ("Down for maintenance.", 503))

    app = make_app(first=close)

    with pytest.raises(AssertionError, match=r"status 503\.\nDown for maintenance"):
        give_consent(app, app.test_client())


class TestTheAppsOwnConsentPage:
    """`ACTIVEPIECES_CONSENT_URL`: the fixture answers as the page's script does."""

    @pytest.fixture
    def app(self, make_app: MakeApp) -> Flask:
        return make_app(ACTIVEPIECES_CONSENT_URL="/settings/consent")

    def test_the_request_is_found_in_its_url(self, bob: Person, give_consent: GiveConsent) -> None:
        assert give_consent(bob.browser).get("/api/whoami").get_json()["user_id"] == "bob"

    def test_someone_who_is_signed_out_cannot_answer(self, stranger: Person, give_consent: GiveConsent) -> None:
        with pytest.raises(AssertionError, match="Sign in, and open the request again"):
            give_consent(stranger.browser)
