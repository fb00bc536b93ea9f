"""The fixture `sign_in`: a user of Flask-Login is signed in, and who cannot be is refused with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, current_user, fresh_login_required

from flask_activepieces.errors import SetupError

SignIn = Callable[[str | int], FlaskClient]


@dataclass
class User(UserMixin):  # type: ignore[misc]
    id: str
    is_active: bool = True


USERS = {"1": User("1"), "2": User("2", is_active=False)}


def account() -> str:
    """A page for users who have just signed in."""
    return str(current_user.id)


@pytest.fixture
def app() -> Flask:
    """An app with Flask-Login and a page."""
    app = Flask("host")
    app.config["SECRET_KEY"] = "a secret key for tests only"
    login_manager = LoginManager(app)
    login_manager.user_loader(USERS.get)

    app.add_url_rule("/account", view_func=fresh_login_required(account))

    return app


def test_the_user_is_signed_in(app: Flask, sign_in: SignIn) -> None:
    assert app.test_client().get("/account").status_code == 401
    assert sign_in("1").get("/account").text == "1"


def test_an_integer_id_is_passed_as_a_string(sign_in: SignIn) -> None:
    assert sign_in(1).get("/account").text == "1"


def test_strong_session_protection_keeps_the_user_signed_in(app: Flask, sign_in: SignIn) -> None:
    app.config["SESSION_PROTECTION"] = "strong"
    browser = sign_in("1")

    assert [browser.get("/account").text for _ in range(2)] == ["1", "1"]


def test_clients_do_not_share_a_session(app: Flask, sign_in: SignIn) -> None:
    signed_in, other = sign_in("1"), app.test_client()

    assert other.get("/account").status_code == 401
    assert signed_in.get("/account").status_code == 200


def test_an_unknown_user_is_refused(sign_in: SignIn) -> None:
    with pytest.raises(SetupError, match="finds no user 3. Add the user"):
        sign_in("3")


def test_an_inactive_user_is_refused(sign_in: SignIn) -> None:
    with pytest.raises(SetupError, match="User 2 is not active"):
        sign_in("2")


def test_another_login_needs_a_fixture_of_the_app(app: Flask, sign_in: SignIn) -> None:
    del app.login_manager  # type: ignore[attr-defined]  # Flask-Login sets it

    with pytest.raises(SetupError, match="override the fixture sign_in"):
        sign_in("1")
