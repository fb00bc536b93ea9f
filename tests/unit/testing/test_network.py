"""Tests of an app never call a real Activepieces, whatever its configuration."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client import ActivepiecesClient, ConnectionPool, Retries, Timeout
from flask_activepieces.api_client.errors import ConnectionFailed
from flask_activepieces.api_client.network import NetworkRefused
from flask_activepieces.testing import ActivepiecesServer

pytest_plugins = ["pytester"]

AT_ONCE = Timeout(connect=0.05, read=0.05, total=0.2)
ONCE = ConnectionPool(retries=Retries(attempts=1))


def client(url: str) -> ActivepiecesClient:
    return ActivepiecesClient(url, api_key="sk-key", timeout=AT_ONCE, pool=ONCE)


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.activepieces.com",
        "https://activepieces.example.com/api",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.example.com",
        "http://activepieces:8080",
    ],
)
def test_a_call_to_another_machine_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(NetworkRefused) as caught:
        client(url).connections.list("a-project")

    message = str(caught.value)
    assert url.removesuffix("/api") in message
    assert "activepieces_server" in message
    assert "@pytest.mark.activepieces_network" in message
    assert "sk-key" not in message


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
def test_loopback_may_be_called(url: str) -> None:
    with pytest.raises(ConnectionFailed):
        client(url).connections.list("a-project")


def test_the_stand_in_may_be_called(activepieces_server: ActivepiecesServer) -> None:
    server = activepieces_server
    client = ActivepiecesClient(server.url, api_key=server.api_key)

    assert list(client.connections.list(server.project_id)) == []


@pytest.mark.activepieces_network
def test_a_marked_test_may_call_other_machines() -> None:
    """The host name is reserved (RFC 6761), so no machine is called even here."""
    with pytest.raises(ConnectionFailed):
        client("https://activepieces.invalid").connections.list("a-project")


APP = """
    import pytest
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy
    from flask_activepieces import Activepieces, Host, Principal, Workspace

    class Ada(Host):
        def current_principal(self):
            return Principal("1", "acme", "Ada")
        def load_principal(self, user_id, tenant_id):
            return self.current_principal()
        def allows(self, principal, permission):
            return True
        def login_url(self, next_url):
            return "/login"
        def workspaces(self, principal):
            return [Workspace("acme", "Acme")]

    @pytest.fixture
    def browser(tmp_path):
        app = Flask("shop")
        app.config.update(SECRET_KEY="0123456789abcdef01234567",
                          SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'x.db'}")
        db = SQLAlchemy(app)
        Activepieces(Ada()).init_app(app)
        with app.app_context():
            db.create_all()
        yield app.test_client()
        with app.app_context():
            db.engine.dispose()

    def test_setting_up(browser):
        body = {"apiKey": "sk-key", "projectId": "p"}
        answer = browser.post("/api/integration/activepieces/setup", json=body)
        assert answer.status_code == 201, answer.text
"""


def test_an_app_without_a_base_url_does_not_call_the_cloud(pytester: pytest.Pytester) -> None:
    """The app does not handle the error like an unreachable Activepieces."""
    pytester.makepyfile(APP)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:schemathesis")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*NetworkRefused: This test would call * at https://cloud.activepieces.com.*"])
