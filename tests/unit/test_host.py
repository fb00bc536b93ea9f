"""The default host: what it reads from the app's users, whatever these look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask_login import AnonymousUserMixin, LoginManager, login_user

from flask_activepieces import FlaskLoginHost, Host, Principal, Workspace
from flask_activepieces.errors import SetupError


class User:
    """A user object as some app may have it: with whatever attributes the test says."""

    is_authenticated = True
    is_active = True

    def __init__(self, **attributes: Any) -> None:
        vars(self).update({"id": 1} | attributes)

    def get_id(self) -> str:
        return str(vars(self)["id"])


Login = Callable[..., None]


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret key for tests"
    return app


def with_users(app: Flask, *users: User) -> LoginManager:
    manager = LoginManager(app)
    by_id = {user.get_id(): user for user in users}
    manager.user_loader(by_id.get)
    return manager


def principal_of(user: User) -> Principal:
    return FlaskLoginHost().principal_of(user)


def test_it_answers_the_five_questions() -> None:
    host: Host = FlaskLoginHost()

    assert host


#: What a user has, and the principal that it makes.
USERS = [
    ({"id": 41}, Principal("41", "default", "41")),
    ({"id": UUID(int=7)}, Principal(str(UUID(int=7)), "default", str(UUID(int=7)))),
    ({"tenant_id": 7}, Principal("1", "7", "1")),
    ({"tenant_id": 0}, Principal("1", "0", "1")),
    ({"tenant_id": None}, Principal("1", "default", "1")),
    ({"tenant_id": UUID(int=9)}, Principal("1", str(UUID(int=9)), "1")),
    ({"organization_id": 3}, Principal("1", "default", "1", "3")),
    ({"organization_id": None}, Principal("1", "default", "1", None)),
    ({"email": "b@x.test"}, Principal("1", "default", "b@x.test")),
    ({"email": "b@x.test", "name": "Bob"}, Principal("1", "default", "Bob")),
    ({"name": "Bob", "display_name": "Bobby"}, Principal("1", "default", "Bobby")),
    ({"name": "", "email": None}, Principal("1", "default", "1")),
]


@pytest.mark.parametrize(("attributes", "principal"), USERS)
def test_a_user_makes_a_principal(attributes: dict[str, Any], principal: Principal) -> None:
    assert principal_of(User(**attributes)) == principal


# Who is signed in


def test_nobody_is_signed_in(app: Flask) -> None:
    with_users(app)

    with app.test_request_context():
        assert FlaskLoginHost().current_principal() is None


def test_an_anonymous_user_of_the_apps_own_is_nobody(app: Flask) -> None:
    class Guest(AnonymousUserMixin):  # type: ignore[misc]  # Flask-Login has no types
        tenant_id = "acme"

    with_users(app).anonymous_user = Guest

    with app.test_request_context():
        assert FlaskLoginHost().current_principal() is None


def test_the_signed_in_user_is_the_principal(app: Flask) -> None:
    user = User(id=5, tenant_id="acme", name="Bob")
    with_users(app, user)

    with app.test_request_context():
        login_user(user)

        assert FlaskLoginHost().current_principal() == Principal("5", "acme", "Bob")


def test_a_user_whose_truth_is_in_question_is_still_signed_in(app: Flask) -> None:
    """A model may have a length, of its notes say, and be "empty"."""

    class Empty(User):
        def __len__(self) -> int:
            return 0

    user = Empty(id=5)
    with_users(app, user)

    with app.test_request_context():
        login_user(user)

        assert FlaskLoginHost().current_principal() == Principal("5", "default", "5")


# Whom a token speaks for


@pytest.mark.parametrize(
    ("user", "user_id", "tenant_id", "found"),
    [
        (User(id=5, tenant_id="acme"), "5", "acme", True),
        (User(id=5, tenant_id="acme"), "6", "acme", False),
        (User(id=5, tenant_id="acme"), "5", "globex", False),
        (User(id=5), "5", "default", True),
        (User(id=5, is_active=False), "5", "default", False),
    ],
)
def test_a_user_is_loaded_if_active_and_in_that_tenant(
    app: Flask, user: User, user_id: str, tenant_id: str, found: bool
) -> None:
    with_users(app, user)

    with app.app_context():
        principal = FlaskLoginHost().load_principal(user_id, tenant_id)

    assert (principal is not None) is found


# What they may do


@pytest.mark.parametrize("permission", ["view", "edit", "admin"])
@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({}, False),
        ({"is_admin": False}, False),
        ({"is_admin": True}, True),
        ({"is_admin": 1}, True),
    ],
)
def test_permissions_go_by_is_admin(
    app: Flask, permission: Any, attributes: dict[str, Any], allowed: bool
) -> None:
    user = User(**attributes)
    with_users(app, user)

    with app.app_context():
        assert FlaskLoginHost().allows(principal_of(user), permission) is allowed


def test_a_user_who_is_gone_may_nothing(app: Flask) -> None:
    with_users(app)

    with app.app_context():
        assert not FlaskLoginHost().allows(Principal("5", "acme", "Bob"), "view")


# What they may share


@pytest.mark.parametrize(
    ("attributes", "workspace"),
    [
        ({}, Workspace("default", "default")),
        ({"tenant_id": 7}, Workspace("7", "7")),
        ({"tenant_id": 7, "tenant_name": "Acme"}, Workspace("7", "Acme")),
        ({"tenant_id": 7, "tenant_name": ""}, Workspace("7", "7")),
        ({"tenant_id": 7, "organization_id": 3}, Workspace("7", "7", "3")),
    ],
)
def test_the_one_workspace_is_the_users_own_tenant(
    app: Flask, attributes: dict[str, Any], workspace: Workspace
) -> None:
    user = User(**attributes)
    with_users(app, user)

    with app.app_context():
        assert FlaskLoginHost().workspaces(principal_of(user)) == [workspace]


# Where to sign in


@pytest.mark.parametrize(
    ("login_view", "expected"),
    [
        ("sign_in", "/sign-in?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx"),
        ("/login", "/login?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx"),
        (
            "https://id.example.com/",
            "https://id.example.com/?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx",
        ),
    ],
)
def test_the_login_url_is_the_apps_own(app: Flask, login_view: str, expected: str) -> None:
    with_users(app).login_view = login_view
    app.add_url_rule("/sign-in", "sign_in", lambda: "")

    with app.test_request_context():
        url = FlaskLoginHost().login_url("/oauth/authorize?request_id=x")

    assert url == expected


def test_without_a_login_view_the_error_says_what_to_set(app: Flask) -> None:
    with_users(app)

    with app.test_request_context(), pytest.raises(SetupError, match=r"login_manager\.login_view"):
        FlaskLoginHost().login_url("/")


def test_without_a_user_loader_the_error_says_what_to_add(app: Flask) -> None:
    LoginManager(app)

    with app.app_context(), pytest.raises(SetupError, match="user_loader"):
        FlaskLoginHost().load_user("1")


ASKED: list[Callable[[FlaskLoginHost], object]] = [
    lambda host: host.current_principal(),
    lambda host: host.login_url("/"),
    lambda host: host.load_user("1"),
    lambda host: host.load_principal("1", "default"),
    lambda host: host.allows(Principal("1", "default", "x"), "view"),
    lambda host: host.workspaces(Principal("1", "default", "x")),
]


@pytest.mark.parametrize("ask", ASKED)
def test_without_flask_login_the_error_says_what_to_call(
    app: Flask, ask: Callable[[FlaskLoginHost], object]
) -> None:
    with app.test_request_context(), pytest.raises(SetupError, match=r"login_manager\.init_app"):
        ask(FlaskLoginHost())


def test_one_question_can_be_answered_differently(app: Flask) -> None:
    class Teams(FlaskLoginHost):
        def workspaces(self, principal: Principal) -> list[Workspace]:
            return [Workspace("a", "A"), Workspace("b", "B")]

    with_users(app, User())

    with app.app_context():
        host: Host = Teams()
        assert [w.name for w in host.workspaces(principal_of(User()))] == ["A", "B"]


@pytest.mark.parametrize(("configured", "told"), [(None, None), ("2.1", "2.1"), (3, "3")])
def test_the_version_is_what_the_app_says_of_itself(
    app: Flask, configured: object, told: str | None
) -> None:
    app.config["VERSION"] = configured

    with app.app_context():
        assert FlaskLoginHost().version() == told


def test_a_new_mcp_token_is_shown_to_nobody_unless_the_app_says_so() -> None:
    assert FlaskLoginHost().reveals_mcp_token(Principal("1", "default", "x")) is False


def test_an_app_has_no_page_to_renew_a_connection_unless_it_says_so() -> None:
    assert FlaskLoginHost().reconnect_url("an-integration", "a-connection") is None
