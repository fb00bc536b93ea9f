"""The login page, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask_login import LoginManager

from flask_activepieces import FlaskLoginHost, Host, Principal
from flask_activepieces.doctor.app.login import check_login_page, check_signed_out_request, check_user_loader
from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.doctor import codes, only
from tests.support.hosts import SmallHost


def host_of(app: Flask) -> Host:
    return get_state(app).host


def with_flask_login(**attributes: object) -> Callable[[Flask], None]:
    def first(app: Flask) -> None:
        manager = LoginManager(app)
        for name, value in attributes.items():
            setattr(manager, name, value)

    return first


@pytest.mark.parametrize(
    ("login_view", "seen"),
    [(None, "set login_manager.login_view"), ("auth.login", "which no view of this app is named")],
)
def test_a_wrong_login_view_is_found(make_app: MakeApp, login_view: str | None, seen: str) -> None:
    app = make_app(host=FlaskLoginHost(single_tenant=True), first=with_flask_login(login_view=login_view))

    with app.test_request_context():
        assert seen in only(check_login_page(host_of(app)), "login-page").seen


def test_a_missing_login_manager_is_found(make_app: MakeApp) -> None:
    app = make_app(host=FlaskLoginHost(single_tenant=True))

    with app.test_request_context():
        assert "login_manager.init_app(app)" in only(check_login_page(host_of(app)), "login-page").seen
    assert "login_manager.init_app(app)" in only(check_signed_out_request(app, host_of(app)), "current-user").seen


def test_a_missing_user_loader_is_found(make_app: MakeApp) -> None:
    app = make_app(host=FlaskLoginHost(single_tenant=True), first=with_flask_login())

    assert "has no user_loader" in only(check_signed_out_request(app, host_of(app)), "current-user").seen


class EveryoneIsAda(SmallHost):
    def current_principal(self) -> Principal:
        return Principal("ada", "acme", "Ada")


def test_a_host_that_takes_strangers_for_a_user_is_found(make_app: MakeApp) -> None:
    app = make_app(host=EveryoneIsAda())

    assert "user ada of tenant acme" in only(check_signed_out_request(app, host_of(app)), "anonymous-user").seen


def test_the_check_leaves_no_one_signed_out(app: Flask, alice: Person) -> None:
    """Flask-Login keeps the user in ``g``, which a nested request context shares."""
    with app.app_context():
        assert codes(check_signed_out_request(app, host_of(app))) == []

    assert alice.opens("/oauth/connected-apps").status_code == 200


class HostWithNumbers(SmallHost):
    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return Principal(str(int(user_id)), tenant_id, "Someone")


class ForgetfulHost(SmallHost):
    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return None


@pytest.mark.parametrize(
    ("host", "seen"), [(HostWithNumbers(), "raised ValueError"), (ForgetfulHost(), "user alice of acme")]
)
def test_a_user_loader_that_does_not_know_its_users_is_found(make_app: MakeApp, host: Host, seen: str) -> None:
    app = make_app(host=host)
    Program.registered(app).connects(Person(app, "alice"))

    finding = only(check_user_loader(host, get_state(app).database, None), "user-loader")

    assert seen in finding.seen
    assert codes(check_user_loader(host, get_state(app).database, "globex")) == []


def test_a_good_user_loader_is_not_reported(app: Flask, program: Program, alice: Person) -> None:
    assert codes(check_user_loader(host_of(app), get_state(app).database, None)) == []

    program.connects(alice)

    assert codes(check_user_loader(host_of(app), get_state(app).database, None)) == []
