"""The host for Flask-Security on the page "Add it to an existing app", with the real Flask-Security."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces import Activepieces, get_state
from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.documents import DOCS
from tests.support.pages import Page

flask_security = pytest.importorskip("flask_security")
fsqla = pytest.importorskip("flask_security.models.fsqla_v3")
changeable = pytest.importorskip("flask_security.changeable")

PASSWORD = "a long password"


@dataclass
class Site:
    """An app with Flask-Security, whose user is an admin of company 7."""

    app: Flask
    datastore: Any
    user_id: int

    def sign_in(self, person: Person, url: str, password: str = PASSWORD) -> Any:
        """Sign in at Flask-Security's own form; return the response."""
        form = Page(person.browser.get(url)).form("password")
        return person.browser.post(
            form.action, data={**form.values, "email": "ada@acme.test", "password": password, "submit": "Login"}
        )


@pytest.fixture
def site(run_page: RunPage, tmp_path: Path) -> Iterator[Site]:
    host_class = run_page(DOCS / "existing-app.md")["SecurityHost"]
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=hosts.SECRET_KEY,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/app.sqlite",
        ACTIVEPIECES_SCOPES=hosts.SCOPES,
        SECURITY_PASSWORD_SALT="salt",
        SECURITY_PASSWORD_HASH="pbkdf2_sha512",
        SECURITY_PASSWORD_SINGLE_HASH=["plaintext"],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False, "test_environment": True},
        SECURITY_CHANGEABLE=True,
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
    )
    db = SQLAlchemy(app)
    fsqla.FsModels.set_db_info(db)

    class Role(db.Model, fsqla.FsRoleMixin):  # type: ignore[misc,name-defined]
        pass

    class User(db.Model, fsqla.FsUserMixin):  # type: ignore[misc,name-defined]
        company_id = db.Column(db.Integer, nullable=False)

    datastore = flask_security.SQLAlchemyUserDatastore(db, User, Role)
    flask_security.Security(app, datastore)
    Activepieces(host_class(datastore)).init_app(app)
    with app.app_context():
        db.create_all()
        hashed = flask_security.hash_password(PASSWORD)
        user = datastore.create_user(email="ada@acme.test", password=hashed, company_id=7)
        datastore.add_role_to_user(user, datastore.create_role(name="admin"))
        db.session.commit()
        site = Site(app, datastore, user.id)
    yield site
    hosts.dispose(app)


def test_a_user_signs_in_at_flask_security_and_consents(site: Site) -> None:
    program = Program.registered(site.app, scope="profile:read")
    ada = Person(site.app)

    login_page = ada.opens(program.question(scope="profile:read")).location
    consent_url = site.sign_in(ada, login_page).location
    answer = ada.sends(ada.sees(consent_url).form("decision"), decision="approve")
    token = answer_of(program.redeems(brought_back(answer)["code"]))["access_token"]

    claims = answer_of(program.introspects(token))
    assert (claims["sub"], claims["tenant_id"]) == (str(site.user_id), "7")


def test_a_role_makes_an_admin(site: Site) -> None:
    ada = Person(site.app)

    site.sign_in(ada, "/login")

    assert ada.opens("/automation/clients").status_code == 200


def test_a_new_password_keeps_the_users_connections(site: Site) -> None:
    """Flask-Security gives the user another fs_uniquifier, which ends all sessions."""
    program = Program.registered(site.app, scope="profile:read")
    ada = Person(site.app)
    site.sign_in(ada, "/login")
    program.redeems(ada.allows(program.question(scope="profile:read")))

    with site.app.app_context():
        user = site.datastore.find_user(id=site.user_id)
        before = user.fs_uniquifier
        changeable.admin_change_password(user, "another password", notify=False)
        site.datastore.commit()
        assert user.fs_uniquifier != before

    assert ada.opens("/oauth/connected-apps").status_code == 302
    site.sign_in(ada, "/login", "another password")
    assert "Program" in ada.sees("/oauth/connected-apps").text


def test_a_deactivated_user_is_no_longer_found(site: Site) -> None:
    with site.app.app_context():
        host = get_state().host
        assert host.load_principal(str(site.user_id), "7") is not None

        site.datastore.deactivate_user(site.datastore.find_user(id=site.user_id))
        site.datastore.commit()

        assert host.load_principal(str(site.user_id), "7") is None
