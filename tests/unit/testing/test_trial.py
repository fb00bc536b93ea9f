"""A trial: an app, linked with the stand-in, and its database untouched."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import requests
from flask import Flask
from marshmallow import Schema, fields
from werkzeug.wrappers import Response

from flask_activepieces import Activepieces, FlaskLoginHost, Piece, auth
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import EmailPassword
from flask_activepieces.errors import SetupError
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.trial import PortInUse, Trial, run_trial
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.hosts import SmallHost
from tests.support.pages import Page
from tests.support.storage import row_counts


def declare(activepieces: Activepieces) -> None:
    @activepieces.action("shout", scope="tasks:write", description="Shouts")
    def shout(data: Any) -> Any:
        return {}


PIECE = Piece(name="@acme/piece-acme", title="Acme", auth=[auth.OAuth2(asks_for_address=True)])


def connect(trial: Trial, name: str = "alice") -> str:
    """Sign in, and approve on the consent page; returns the page of the stand-in."""
    browser = requests.Session()
    browser.get(f"{trial.url}/login", params={"as": name}, timeout=9)
    consent = browser.get(trial.consent_url, timeout=9)
    assert consent.status_code == 200, consent.text
    form = Page(Response(consent.text)).form("decision")  # type: ignore[arg-type]  # what a browser reads of it
    answer = browser.post(f"{trial.url}{form.action}", data=form.values | {"decision": "approve"}, timeout=9)
    return answer.text


def connections(trial: Trial) -> list[str]:
    client = ActivepiecesClient(trial.activepieces_url, credential=EmailPassword(trial.email, trial.password))
    project = client.projects.find(trial.tenant_id)
    assert project is not None
    return [connection.status for connection in client.connections.list(project.id)]


@pytest.mark.parametrize("options", [{}, {"piece": PIECE, "declare": declare}], ids=["no piece", "a piece"])
def test_consent_ends_in_a_connection_that_works(make_app: MakeApp, options: dict[str, Any]) -> None:
    app = make_app(clock=time.time, **options)

    with run_trial(app, tenant_id="acme") as trial:
        page = connect(trial)
        assert connections(trial) == ["ACTIVE"]

    assert "Connected:" in page


def test_pages_of_the_app_may_show_the_builder(app: Flask) -> None:
    with run_trial(app, tenant_id="acme") as trial:
        policy = requests.get(f"{trial.activepieces_url}/embed", timeout=9).headers["Content-Security-Policy"]

    assert policy.endswith(f"frame-ancestors {trial.url}")


def test_nothing_is_left_behind(app: Flask) -> None:
    state, config = get_state(app), dict(app.config)
    folders = set(Path(gettempdir()).glob("flask-activepieces-*"))

    with run_trial(app, tenant_id="acme"):
        assert get_state(app) is not state

    assert row_counts(app) == {}
    assert get_state(app) is state
    assert {name: app.config[name] for name in config} == config
    assert set(Path(gettempdir()).glob("flask-activepieces-*")) == folders


def test_events_of_the_app_are_not_stored_in_its_database(make_app: MakeApp) -> None:
    triggers: list[Any] = []

    def with_trigger(activepieces: Activepieces) -> None:
        declare(activepieces)
        schema = Schema.from_dict({"id": fields.Integer()})
        options: dict[str, Any] = {"payload": schema, "samples": lambda: [], "description": "Starts when done"}
        triggers.append(activepieces.trigger("done", scope="tasks:read", **options))

    app = make_app(clock=time.time, piece=PIECE, declare=with_trigger)

    with run_trial(app, tenant_id="acme"), app.app_context():
        triggers[0].emit({"id": 1}, tenant_id="acme")
        app.extensions["sqlalchemy"].session.commit()

    assert row_counts(app) == {}


def test_a_real_integration_stays_as_it_is(
    make_app: MakeApp, activepieces_server: ActivepiecesServer, tmp_path: Path
) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=activepieces_server.url)
    app.instance_path = str(tmp_path / "instance")
    project_id = activepieces_server.project_id
    ApiUser.named(app, "alice").links(apiKey=activepieces_server.api_key, projectId=project_id)
    before = row_counts(app)

    with run_trial(app, tenant_id="acme"):
        pass

    assert row_counts(app) == before
    with pytest.raises(SetupError, match="Leave out --keep"), run_trial(app, tenant_id="acme", keep=True):
        pass
    assert row_counts(app) == before


def test_an_app_without_our_tables_can_be_tried(make_app: MakeApp) -> None:
    """Before the first migration."""
    app = make_app()
    db = app.extensions["sqlalchemy"]
    with app.app_context():
        db.drop_all()

    with run_trial(app, tenant_id="acme") as trial:
        assert requests.get(trial.consent_url, allow_redirects=False, timeout=9).status_code == 302


def test_an_app_for_a_public_address_runs_on_this_machine(make_app: MakeApp) -> None:
    app = make_app(
        clock=time.time,
        ACTIVEPIECES_PUBLIC_URL="https://app.example.com",
        ACTIVEPIECES_REDIS_URL="redis://127.0.0.1:9/0",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_DOMAIN="app.example.com",
    )

    with run_trial(app, tenant_id="acme") as trial:
        connect(trial)
        assert connections(trial) == ["ACTIVE"]

    assert app.config["SESSION_COOKIE_SECURE"] is True


def test_an_app_that_trusts_only_its_public_host_runs_on_this_machine(make_app: MakeApp) -> None:
    config = {
        "ACTIVEPIECES_PUBLIC_URL": "https://app.example.com",
        "TRUSTED_HOSTS": ["app.example.com"],
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "REMEMBER_COOKIE_NAME": "__Secure-remember",
    }
    app = make_app(clock=time.time, **config)

    with run_trial(app, tenant_id="acme") as trial:
        connect(trial)
        assert connections(trial) == ["ACTIVE"]
        # Browsers accept a cookie with such a prefix over https only.
        assert (app.config["SESSION_COOKIE_NAME"], app.config["REMEMBER_COOKIE_NAME"]) == ("session", "remember")

    assert {name: app.config[name] for name in config} == config


def test_what_is_kept_is_found_again(app: Flask, tmp_path: Path) -> None:
    app.instance_path = str(tmp_path / "instance")
    with run_trial(app, tenant_id="acme", keep=True) as first:
        pass
    counts = row_counts(app)
    assert (counts["oauth_clients"], counts["integrations"]) == (1, 1)

    with run_trial(app, tenant_id="acme", keep=True) as second:
        assert second.client_id == first.client_id

    counts = row_counts(app)
    assert (counts["oauth_clients"], counts["integrations"]) == (1, 1)


def test_without_scopes_the_remedy_is_named(tmp_path: Path, make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SCOPES={})

    with pytest.raises(SetupError, match="ACTIVEPIECES_SCOPES is empty"), run_trial(app, tenant_id="acme"):
        pass


def test_a_piece_without_oauth_has_no_consent_page(make_app: MakeApp) -> None:
    piece = Piece(name="@acme/piece-acme", title="Acme", auth=[auth.SecretText()])
    app = make_app(piece=piece, declare=declare)

    with pytest.raises(SetupError, match=r"Add auth\.OAuth2\(\)"), run_trial(app, tenant_id="acme"):
        pass

    assert row_counts(app) == {}


@pytest.mark.parametrize("which", ["port", "activepieces_port"])
def test_a_port_in_use_is_reported(app: Flask, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse) as caught, run_trial(app, tenant_id="acme", **{which: port}):
            pass

    assert caught.value.port == port


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (FlaskLoginHost(single_tenant=True), "default"),
        (FlaskLoginHost(tenant_attribute="company_id"), None),
        (SmallHost(), None),
    ],
)
def test_only_a_host_with_one_tenant_has_a_default(host: Any, expected: str | None) -> None:
    assert getattr(host, "only_tenant", None) == expected
