"""The default host in an ordinary app: a user model in the database, Flask-Login, a login form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Blueprint, Flask, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flask_activepieces import Activepieces, FlaskLoginHost, Host, current_token, require_scope
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.pages import Page

PASSWORD = "correct horse"


class Base(DeclarativeBase):
    pass


class NumberedUser(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    """A user model as in tutorials, with a tenant and an admin flag."""

    __tablename__ = "numbered_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    tenant_id: Mapped[int]
    tenant_name: Mapped[str]
    organization_id: Mapped[int]
    is_admin: Mapped[bool]


class PlainUser(UserMixin, Base):  # type: ignore[misc]
    """A user model with only a UUID and an email address."""

    __tablename__ = "plain_users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]


@dataclass
class Site:
    """The app, its user, and the principal that our extension should see."""

    app: Flask
    user: dict[str, Any]
    principal: dict[str, Any]
    workspace: str
    is_admin: bool

    def program(self) -> Program:
        return Program.registered(self.app)


def numbered() -> Site:
    user = {"id": 41, "tenant_id": 7, "tenant_name": "Acme", "organization_id": 3, "is_admin": True}
    principal = {"user_id": "41", "tenant_id": "7", "organization_id": "3"}
    host = FlaskLoginHost(tenant_attribute="tenant_id", organization_attribute="organization_id")
    app = make_app(NumberedUser, int, user, host)
    return Site(app, user, principal, "Acme", is_admin=True)


def plain() -> Site:
    user = {"id": uuid4()}
    principal = {"user_id": str(user["id"]), "tenant_id": "default", "organization_id": None}
    app = make_app(PlainUser, UUID, user, FlaskLoginHost(single_tenant=True))
    return Site(app, user, principal, "default", is_admin=False)


def make_app(model: Any, key: Any, user: dict[str, Any], host: Host) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=hosts.SECRET_KEY, SQLALCHEMY_DATABASE_URI="sqlite://", ACTIVEPIECES_SCOPES=hosts.SCOPES
    )
    db = SQLAlchemy(app, metadata=Base.metadata)
    login_manager = LoginManager(app)
    login_manager.login_view = "auth.login"
    login_manager.user_loader(lambda user_id: db.session.get(model, key(user_id)))
    Activepieces(host, clock=StoppedClock()).init_app(app)
    app.register_blueprint(auth_blueprint(db, model))
    app.add_url_rule("/api/whoami", view_func=require_scope("profile:read")(whoami))
    with app.app_context():
        db.create_all()
        db.session.add(model(email="bob@example.com", **user))
        db.session.commit()
    return app


def whoami() -> dict[str, Any]:
    return {
        "user_id": current_token.user_id,
        "tenant_id": current_token.tenant_id,
        "organization_id": current_token.organization_id,
    }


def auth_blueprint(db: SQLAlchemy, model: Any) -> Blueprint:
    blueprint = Blueprint("auth", __name__, url_prefix="/account")

    @blueprint.get("/sign-in")
    def login() -> ResponseReturnValue:
        return """<form method="post"><input name="email"><input name="password"></form>"""

    @blueprint.post("/sign-in")
    def check() -> ResponseReturnValue:
        statement = select(model).filter_by(email=request.form["email"])
        user = db.session.scalar(statement)
        if user is None or request.form["password"] != PASSWORD:
            return "No.", 403
        login_user(user)
        return redirect(request.args["next"])

    return blueprint


@pytest.fixture(params=[numbered, plain])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    site: Site = request.param()
    yield site
    hosts.dispose(site.app)


def sign_in(person: Person, url: str) -> str:
    """Open the URL signed out and sign in; return the URL that the login redirects to."""
    login_page = person.opens(url).location
    assert login_page.startswith(("/account/sign-in?next=%2Foauth%2F", "/account/sign-in?next=%2Fautomation%2F"))
    credentials = {"email": "bob@example.com", "password": PASSWORD}
    return person.browser.post(login_page, data=credentials).location


def test_a_user_signs_in_and_connects(site: Site) -> None:
    program, bob = site.program(), Person(site.app)

    page = bob.sees(sign_in(bob, program.question()))
    answer = bob.sends(page.form("decision"), decision="approve")
    pair = answer_of(program.redeems(brought_back(answer)["code"]))

    assert f"Workspace to share: {site.workspace}" in page.text
    assert "bob@example.com" in page.text
    assert answer_of(program.calls(pair["access_token"])) == site.principal


def test_the_connected_apps_page_continues_after_login(site: Site) -> None:
    bob = Person(site.app)

    next_url = sign_in(bob, "/oauth/connected-apps?disconnected=1")

    assert next_url == "/oauth/connected-apps?disconnected=1"
    assert bob.sees(next_url).status == 200


def test_the_client_pages_are_for_users_with_the_admin_flag(site: Site) -> None:
    admin_page = "/automation/clients"
    bob = Person(site.app)

    page = bob.sees(sign_in(bob, admin_page))

    assert page.status == (200 if site.is_admin else 403)


def test_the_check_finds_a_deleted_users_grants(site: Site) -> None:
    program, bob = site.program(), Person(site.app)
    page = bob.sees(sign_in(bob, program.question()))
    bob.sends(page.form("decision"), decision="approve")
    check = ["activepieces", "grants", "check"]

    before = site.app.test_cli_runner().invoke(args=check)
    with site.app.app_context():
        db: SQLAlchemy = site.app.extensions["sqlalchemy"]
        model = NumberedUser if site.is_admin else PlainUser
        db.session.delete(db.session.get(model, site.user["id"]))
        db.session.commit()
    after = site.app.test_cli_runner().invoke(args=check)

    assert (before.exit_code, after.exit_code) == (0, 1)
    assert f"user {site.principal['user_id']} is not" in after.stdout


def test_a_wrong_password_does_not_sign_in(site: Site) -> None:
    bob = Person(site.app)
    login_page = bob.opens(site.program().question()).location
    credentials = {"email": "bob@example.com", "password": "wrong"}

    assert bob.browser.post(login_page, data=credentials).status_code == 403
    assert Page(bob.opens(login_page)).forms
