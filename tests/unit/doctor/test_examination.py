"""All checks together."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_login import LoginManager
from sqlalchemy import text

from flask_activepieces import FlaskLoginHost
from flask_activepieces.doctor.examination import examine, free_findings
from flask_activepieces.doctor.subject import Subject
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.clock import StoppedClock
from tests.support.doctor import codes, only
from tests.support.storage import engine_of, row_counts, statements_of


@pytest.fixture(autouse=True)
def right_time(app: Flask, clock: StoppedClock) -> None:
    with engine_of(app).connect() as conn:
        clock.now = int(str(conn.scalar(text("SELECT strftime('%s', 'now')"))))


@pytest.fixture
def linked(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Flask:
    """An app with an integration that has a key and a user."""
    app = make_app(ACTIVEPIECES_BASE_URL=activepieces_server.url)
    server = activepieces_server
    user = {"email": server.email, "password": server.password}
    ApiUser.named(app, "alice").links(apiKey=server.api_key, projectId=server.project_id, **user)
    return app


def test_a_healthy_app_has_no_findings_and_stays_as_it_is(linked: Flask) -> None:
    before = row_counts(linked)

    assert codes(examine(Subject(app=linked))) == []

    assert row_counts(linked) == before


@pytest.mark.parametrize("host", ["app.example.com", ".example.com"])
def test_an_app_that_trusts_only_its_own_host_has_no_findings(make_app: MakeApp, host: str) -> None:
    def with_login(app: Flask) -> None:
        manager = LoginManager(app)
        manager.login_view = "login"
        manager.user_loader(lambda user_id: None)

    app = make_app(host=FlaskLoginHost(single_tenant=True), first=with_login)
    app.config["TRUSTED_HOSTS"] = [host]

    assert codes(examine(Subject(app=app))) == []


def test_a_new_app_has_no_findings(app: Flask) -> None:
    assert codes(examine(Subject(app=app))) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DROP TABLE activepieces_integrations", "tables-missing"),
        ("ALTER TABLE activepieces_integrations DROP COLUMN credential_hint", "columns-missing"),
    ],
)
def test_without_its_tables_the_data_is_not_checked(linked: Flask, statement: str, code: str) -> None:
    with engine_of(linked).begin() as conn:
        conn.execute(text(statement))

    assert codes(examine(Subject(app=linked))) == [code]


def test_a_failed_call_does_not_end_the_other_checks(linked: Flask, activepieces_server: ActivepiecesServer) -> None:
    linked.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    activepieces_server.faults.fail("GET", "/projects/*", 500, times=None)

    assert codes(examine(Subject(app=linked))) == ["cookie-samesite-strict", "activepieces-call-failed"]


def test_a_feature_that_the_plan_lacks_is_found(linked: Flask, activepieces_server: ActivepiecesServer) -> None:
    activepieces_server.faults.fail("GET", "/projects/*", 402, times=None)

    assert only(examine(Subject(app=linked)), "plan")


def test_the_other_tenants_are_left_out(linked: Flask, activepieces_server: ActivepiecesServer) -> None:
    activepieces_server.faults.fail("GET", "/projects/*", 500, times=None)

    assert codes(examine(Subject(app=linked, tenant_id="globex"))) == []
    assert codes(examine(Subject(app=linked, tenant_id="acme"))) == ["activepieces-call-failed"]


def test_the_free_checks_use_neither_database_nor_network(
    linked: Flask, activepieces_server: ActivepiecesServer
) -> None:
    activepieces_server.calls.clear()
    with statements_of(linked) as statements, linked.test_request_context():
        assert codes(free_findings(linked)) == []

    assert statements == []
    assert activepieces_server.calls == []
