"""The default host: what it reads from users of any class."""

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
    """A user object with the attributes that the test passes."""

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


def one_tenant() -> FlaskLoginHost:
    return FlaskLoginHost(single_tenant=True)


def many_tenants(**options: Any) -> FlaskLoginHost:
    return FlaskLoginHost(tenant_attribute="tenant_id", **options)


def principal_of(user: User) -> Principal:
    principal = many_tenants().principal_of(user)
    assert principal is not None
    return principal


def test_it_implements_the_abstract_methods() -> None:
    host: Host = one_tenant()

    assert host


# The tenant of a user


def test_an_app_has_a_single_tenant_only_if_the_developer_says_so() -> None:
    with pytest.raises(SetupError, match=r"single_tenant=True.*tenant_attribute=.*principal_of"):
        FlaskLoginHost()


def test_a_subclass_that_determines_the_tenant_needs_no_arguments() -> None:
    class Companies(FlaskLoginHost):
        def principal_of(self, user: Any) -> Principal:
            return Principal(user.get_id(), "acme", "Bob")

    assert Companies().principal_of(User()) == Principal("1", "acme", "Bob")


def test_any_other_subclass_needs_an_argument_for_the_tenant() -> None:
    class Teams(FlaskLoginHost):
        def workspaces(self, principal: Principal) -> list[Workspace]:
            return []

    with pytest.raises(SetupError, match="which tenant"):
        Teams()


def test_a_single_tenant_and_a_tenant_attribute_exclude_each_other() -> None:
    with pytest.raises(SetupError, match="not both"):
        FlaskLoginHost(single_tenant=True, tenant_attribute="company_id")


def test_a_missing_tenant_attribute_is_reported_by_name() -> None:
    """A misspelt attribute must not turn the app into a single tenant."""
    host = FlaskLoginHost(tenant_attribute="company_id")

    with pytest.raises(SetupError, match="User has no attribute 'company_id'"):
        host.principal_of(User(tenant_id="acme"))


class Company:
    """A related object. Customers choose its name, so two may have the same name."""

    def __str__(self) -> str:
        return "Acme"


@pytest.mark.parametrize("value", [Company(), object(), True, ["acme"], b"acme"])
def test_an_attribute_that_is_not_an_id_is_reported_by_name(value: object) -> None:
    """``company`` instead of ``company_id``: the ``str`` of two objects may be equal."""
    by_tenant = FlaskLoginHost(tenant_attribute="company")
    by_organization = FlaskLoginHost(single_tenant=True, organization_attribute="company")

    for host in (by_tenant, by_organization):
        with pytest.raises(SetupError, match=r"User\.company .* not an id"):
            host.principal_of(User(company=value))


def test_a_missing_organization_attribute_is_reported_by_name() -> None:
    host = FlaskLoginHost(single_tenant=True, organization_attribute="team_id")

    with pytest.raises(SetupError, match="'team_id'"):
        host.principal_of(User())


def test_a_user_whose_tenant_is_none_has_no_principal(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    user = User(id=5, tenant_id=None)
    with_users(app, user)

    with app.test_request_context():
        login_user(user)
        signed_in = many_tenants().current_principal()
        loaded = many_tenants().load_principal("5", "default")

    assert signed_in is None
    assert loaded is None
    assert "User 5 is treated as signed out, because tenant_id is None" in caplog.text


#: The attributes of a user, and the principal in a single tenant.
USERS = [
    ({"id": 41}, Principal("41", "default", "41")),
    ({"id": UUID(int=7)}, Principal(str(UUID(int=7)), "default", str(UUID(int=7)))),
    ({"tenant_id": "acme"}, Principal("1", "default", "1")),
    ({"organization_id": 3}, Principal("1", "default", "1")),
    ({"email": "b@x.test"}, Principal("1", "default", "b@x.test")),
    ({"email": "b@x.test", "name": "Bob"}, Principal("1", "default", "Bob")),
    ({"name": "Bob", "display_name": "Bobby"}, Principal("1", "default", "Bobby")),
    ({"display_name": lambda: "Bobby"}, Principal("1", "default", "Bobby")),
    ({"name": "", "email": None}, Principal("1", "default", "1")),
]


@pytest.mark.parametrize(("attributes", "principal"), USERS)
def test_the_principal_of_a_user_in_a_single_tenant(attributes: dict[str, Any], principal: Principal) -> None:
    assert one_tenant().principal_of(User(**attributes)) == principal


#: The arguments of the host, and the principal.
MEMBERS = [
    ({"company_id": 7, "team_id": None}, Principal("1", "7", "1")),
    ({"company_id": 0, "team_id": 3}, Principal("1", "0", "1", "3")),
    ({"company_id": UUID(int=9), "team_id": None}, Principal("1", str(UUID(int=9)), "1")),
    ({"company_id": lambda: "acme", "team_id": lambda: "labs"}, Principal("1", "acme", "1", "labs")),
]


@pytest.mark.parametrize(("attributes", "principal"), MEMBERS)
def test_tenant_and_organization_are_read_from_the_named_attributes(
    attributes: dict[str, Any], principal: Principal
) -> None:
    host = FlaskLoginHost(tenant_attribute="company_id", organization_attribute="team_id")

    assert host.principal_of(User(**attributes)) == principal


# The signed-in user


def test_without_a_session_no_one_is_signed_in(app: Flask) -> None:
    with_users(app)

    with app.test_request_context():
        assert one_tenant().current_principal() is None


def test_a_custom_anonymous_user_is_not_signed_in(app: Flask) -> None:
    class Guest(AnonymousUserMixin):  # type: ignore[misc]  # Flask-Login has no types
        tenant_id = "acme"

    with_users(app).anonymous_user = Guest

    with app.test_request_context():
        assert one_tenant().current_principal() is None


def test_the_signed_in_user_is_the_principal(app: Flask) -> None:
    user = User(id=5, tenant_id="acme", name="Bob")
    with_users(app, user)

    with app.test_request_context():
        login_user(user)

        assert many_tenants().current_principal() == Principal("5", "acme", "Bob")


def test_a_user_object_that_is_falsy_is_still_signed_in(app: Flask) -> None:
    """A model may define ``__len__``, for example for its notes, and be empty."""

    class Empty(User):
        def __len__(self) -> int:
            return 0

    user = Empty(id=5)
    with_users(app, user)

    with app.test_request_context():
        login_user(user)

        assert one_tenant().current_principal() == Principal("5", "default", "5")


@pytest.mark.parametrize(
    ("is_authenticated", "signed_in"),
    [(True, True), (1, True), (lambda: True, True), (False, False), (0, False), (lambda: False, False)],
)
def test_is_authenticated_is_read_as_in_flask_login(app: Flask, is_authenticated: Any, signed_in: bool) -> None:
    """Flask-Login's UserMixin returns the value of is_active unchanged."""
    user = User(is_authenticated=is_authenticated)
    with_users(app, user)

    with app.test_request_context():
        login_user(user)

        assert (one_tenant().current_principal() is not None) is signed_in


# The user of a token


@pytest.mark.parametrize(
    ("user", "user_id", "tenant_id", "found"),
    [
        (User(id=5, tenant_id="acme"), "5", "acme", True),
        (User(id=5, tenant_id="acme"), "6", "acme", False),
        (User(id=5, tenant_id="acme"), "5", "globex", False),
        (User(id=5, tenant_id="acme", is_active=False), "5", "acme", False),
        (User(id=5, tenant_id="acme", is_active="no"), "5", "acme", False),
    ],
)
def test_a_user_is_loaded_if_active_and_in_that_tenant(
    app: Flask, user: User, user_id: str, tenant_id: str, found: bool
) -> None:
    with_users(app, user)

    with app.app_context():
        principal = many_tenants().load_principal(user_id, tenant_id)

    assert (principal is not None) is found


# Permissions


class WithMethods(User):
    """A model with methods instead of attributes."""

    def is_admin(self) -> bool:
        return bool(vars(self)["admin"])

    def is_active(self) -> bool:  # type: ignore[override]
        return bool(vars(self)["active"])


@pytest.mark.parametrize("permission", ["view", "edit", "admin"])
@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        (User(tenant_id=7), False),
        (User(tenant_id=7, is_admin=False), False),
        (User(tenant_id=7, is_admin=True), True),
        (User(tenant_id=7, is_admin=1), False),
        (User(tenant_id=7, is_admin="no"), False),
        (WithMethods(tenant_id=7, admin=False), False),
        (WithMethods(tenant_id=7, admin=True), True),
    ],
)
def test_only_true_makes_an_admin(app: Flask, permission: Any, user: User, allowed: bool) -> None:
    with_users(app, user)

    with app.app_context():
        assert many_tenants().allows(principal_of(user), permission) is allowed


@pytest.mark.parametrize(
    ("admin", "allowed"),
    [
        ("is_owner", True),
        ("is_staff", False),
        (lambda user: user.role == "owner", True),
        (lambda user: user.role, False),
    ],
)
def test_the_app_can_define_who_is_an_admin(app: Flask, admin: Any, allowed: bool) -> None:
    user = User(tenant_id=7, is_owner=True, is_admin=False, role="owner")
    with_users(app, user)

    with app.app_context():
        assert many_tenants(admin=admin).allows(principal_of(user), "admin") is allowed


@pytest.mark.parametrize("active", [True, False])
def test_is_active_may_be_a_method(app: Flask, active: bool) -> None:
    with_users(app, WithMethods(tenant_id="acme", active=active))

    with app.app_context():
        assert (many_tenants().load_principal("1", "acme") is not None) is active


def test_a_deleted_user_has_no_permissions(app: Flask) -> None:
    with_users(app)

    with app.app_context():
        assert not one_tenant().allows(Principal("5", "acme", "Bob"), "view")


# Workspaces


@pytest.mark.parametrize(
    ("attributes", "workspace"),
    [
        ({"tenant_id": 7}, Workspace("7", "7")),
        ({"tenant_id": 7, "tenant_name": "Acme"}, Workspace("7", "Acme")),
        ({"tenant_id": 7, "tenant_name": ""}, Workspace("7", "7")),
        ({"tenant_id": 7, "tenant_name": lambda: "Acme"}, Workspace("7", "Acme")),
    ],
)
def test_the_only_workspace_is_the_users_tenant(app: Flask, attributes: dict[str, Any], workspace: Workspace) -> None:
    user = User(**attributes)
    with_users(app, user)

    with app.app_context():
        assert many_tenants().workspaces(principal_of(user)) == [workspace]


# The login page


@pytest.mark.parametrize(
    ("login_view", "expected"),
    [
        ("sign_in", "/sign-in?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx"),
        ("/login", "/login?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx"),
        ("https://id.example.com/", "https://id.example.com/?next=%2Foauth%2Fauthorize%3Frequest_id%3Dx"),
    ],
)
def test_the_login_url_is_the_apps_own(app: Flask, login_view: str, expected: str) -> None:
    with_users(app).login_view = login_view
    app.add_url_rule("/sign-in", "sign_in", lambda: "")

    with app.test_request_context():
        url = one_tenant().login_url("/oauth/authorize?request_id=x")

    assert url == expected


def test_without_a_login_view_the_error_names_the_setting(app: Flask) -> None:
    with_users(app)

    with app.test_request_context(), pytest.raises(SetupError, match=r"login_manager\.login_view"):
        one_tenant().login_url("/")


def test_without_a_user_loader_the_error_names_the_remedy(app: Flask) -> None:
    LoginManager(app)

    with app.app_context(), pytest.raises(SetupError, match="user_loader"):
        one_tenant().load_user("1")


ASKED: list[Callable[[FlaskLoginHost], object]] = [
    lambda host: host.current_principal(),
    lambda host: host.login_url("/"),
    lambda host: host.load_user("1"),
    lambda host: host.load_principal("1", "default"),
    lambda host: host.allows(Principal("1", "default", "x"), "view"),
    lambda host: host.workspaces(Principal("1", "default", "x")),
]


@pytest.mark.parametrize("ask", ASKED)
def test_without_flask_login_the_error_names_the_remedy(app: Flask, ask: Callable[[FlaskLoginHost], object]) -> None:
    with app.test_request_context(), pytest.raises(SetupError, match=r"login_manager\.init_app"):
        ask(one_tenant())


def test_a_single_method_can_be_overridden(app: Flask) -> None:
    class Teams(FlaskLoginHost):
        def workspaces(self, principal: Principal) -> list[Workspace]:
            return [Workspace("a", "A"), Workspace("b", "B")]

    with_users(app, User())

    with app.app_context():
        host: Host = Teams(single_tenant=True)
        assert [w.name for w in host.workspaces(Principal("1", "default", "x"))] == ["A", "B"]


@pytest.mark.parametrize(("configured", "version"), [(None, None), ("2.1", "2.1"), (3, "3")])
def test_the_version_is_read_from_the_configuration(app: Flask, configured: object, version: str | None) -> None:
    app.config["VERSION"] = configured

    with app.app_context():
        assert one_tenant().version() == version


def test_by_default_no_one_may_see_a_new_mcp_token() -> None:
    assert one_tenant().may_see_mcp_token(Principal("1", "default", "x")) is False


def test_by_default_there_is_no_reconnect_url() -> None:
    assert one_tenant().reconnect_url("an-integration", "a-connection") is None
