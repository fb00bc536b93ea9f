"""``flask activepieces integrations …``, and re-encrypting the credentials of tenants."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask

from flask_activepieces.signals import connection_failed
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.api_user import ApiUser
from tests.support.hosts import SECRET_KEY
from tests.support.storage import rows_of


@pytest.fixture(scope="module")
def served() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(pieces=acme_pieces("https://acme.example")) as server:
        yield server


@pytest.fixture
def upstream(served: ActivepiecesServer) -> Iterator[ActivepiecesServer]:
    """The stand-in, without faults."""
    yield served
    served.faults.clear()


@pytest.fixture
def app(make_app: MakeApp, upstream: ActivepiecesServer) -> Flask:
    return make_app(ACTIVEPIECES_BASE_URL=upstream.url)


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """An admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def linked(alice: ApiUser, upstream: ActivepiecesServer) -> str:
    """Acme's integration."""
    return alice.links(apiKey=upstream.api_key, projectId=upstream.project_id)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["activepieces", *arguments])


def printed_json(result: Result, exit_code: int = 0) -> list[dict[str, object]]:
    assert result.exit_code == exit_code, result.output
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def test_without_integrations_the_list_says_so(app: Flask) -> None:
    assert run(app, "integrations", "list").stdout == "No tenant is connected to Activepieces.\n"
    assert printed_json(run(app, "integrations", "list", "--json")) == []


def test_the_list_shows_four_characters_of_a_key(app: Flask, upstream: ActivepiecesServer, linked: str) -> None:
    (row,) = printed_json(run(app, "integrations", "list", "--json"))

    assert (row["id"], row["tenant_id"]) == (linked, "acme")
    assert row["credential"] == f"sk-…{upstream.api_key[-4:]}"
    for output in (run(app, "integrations", "list").output, json.dumps(row)):
        assert upstream.api_key not in output


def test_the_list_of_one_tenant(app: Flask, linked: str) -> None:
    assert len(printed_json(run(app, "integrations", "list", "--tenant", "acme", "--json"))) == 1
    assert printed_json(run(app, "integrations", "list", "--tenant", "globex", "--json")) == []


def test_a_check_of_working_connections_prints_nothing_and_exits_with_0(
    app: Flask, alice: ApiUser, linked: str
) -> None:
    alice.saves()

    result = run(app, "integrations", "check")

    assert (result.exit_code, result.stdout) == (0, "Checked 1 integration: all connections work.\n")


def test_a_check_without_enabled_integrations_says_so(app: Flask) -> None:
    result = run(app, "integrations", "check")

    assert (result.exit_code, result.stdout) == (0, "There are no enabled integrations to check.\n")


def test_a_check_names_broken_connections_and_exits_with_1(
    app: Flask, alice: ApiUser, upstream: ActivepiecesServer, linked: str
) -> None:
    connection = alice.saves("Slack of sales")
    upstream.state.store.change("app_connection", str(connection["id"]), status="ERROR")

    (finding,) = printed_json(run(app, "integrations", "check", "--json"), exit_code=1)
    again = run(app, "integrations", "check")
    upstream.state.store.drop("app_connection", str(connection["id"]))

    assert (finding["integration_id"], finding["connection_id"]) == (linked, connection["id"])
    assert finding["is_new"] is True
    assert "Slack of sales" in str(finding["problem"])
    assert "reconnect at http" in str(finding["what_to_do"])
    assert again.exit_code == 1
    assert "Slack of sales" in again.stdout
    names = [row["name"] for row in rows_of(app, "audit_events")]
    assert names.count("connection.failed") == 1


def test_a_check_reports_a_connection_without_a_value(
    app: Flask, alice: ApiUser, upstream: ActivepiecesServer, linked: str
) -> None:
    connection = alice.saves("Slack of sales")
    upstream.state.store.change("app_connection", str(connection["id"]), status="MISSING")

    (finding,) = printed_json(run(app, "integrations", "check", "--json"), exit_code=1)
    upstream.state.store.drop("app_connection", str(connection["id"]))

    assert finding["status"] == "MISSING"
    assert "was never given a value" in str(finding["problem"])


def test_an_unreachable_activepieces_is_reported(app: Flask, upstream: ActivepiecesServer, linked: str) -> None:
    upstream.faults.fail("GET", "/app-connections", 401)

    (finding,) = printed_json(run(app, "integrations", "check", "--json"), exit_code=1)

    assert "401" in str(finding["problem"])
    assert upstream.api_key not in json.dumps(finding)


def test_a_check_continues_after_an_integration_that_cannot_be_checked(
    app: Flask, alice: ApiUser, upstream: ActivepiecesServer, linked: str
) -> None:
    """Its tenant removes it while another integration is being checked."""
    carol = ApiUser.named(app, "carol")
    removed = carol.links(apiKey=upstream.api_key, projectId=upstream.project_id)
    connection = str(alice.saves()["id"])
    upstream.state.store.change("app_connection", connection, status="ERROR")

    def remove(*_: object, **__: object) -> None:
        carol.deletes(f"/setup/{removed}")

    with connection_failed.connected_to(remove, app):
        found = printed_json(run(app, "integrations", "check", "--json"), exit_code=1)
    upstream.state.store.drop("app_connection", connection)

    assert [finding["integration_id"] for finding in found] == [linked, removed]
    assert "not found" in str(found[1]["problem"])


def test_a_name_cannot_control_the_terminal(
    app: Flask, alice: ApiUser, upstream: ActivepiecesServer, linked: str
) -> None:
    """Names come from Activepieces, where anyone in the project can choose them."""
    connection = str(alice.saves()["id"])
    name = "\x1b[2Jgone\x1b]52;c;cm0gLXJm\x07 \N{RIGHT-TO-LEFT OVERRIDE}right\x9b\r\n"
    upstream.state.store.change("app_connection", connection, status="ERROR", displayName=name)

    shown = app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"], color=True)
    upstream.state.store.drop("app_connection", connection)

    assert "gone" in shown.output
    assert all(line.isprintable() for line in shown.output.split("\n"))


def test_a_disabled_integration_is_not_checked(
    app: Flask, alice: ApiUser, upstream: ActivepiecesServer, linked: str
) -> None:
    alice.patches(f"/setup/{linked}", {"enabled": False})
    upstream.faults.fail("GET", "/app-connections", 500, times=None)

    assert printed_json(run(app, "integrations", "check", "--json")) == []


def test_credentials_of_tenants_are_reencrypted(make_app: MakeApp, app: Flask, linked: str) -> None:
    newest = "the newest secret key of this app"
    (before,) = rows_of(app, "integrations")
    options = {"ACTIVEPIECES_BASE_URL": app.config["ACTIVEPIECES_BASE_URL"], "tables": False}
    both = make_app(ACTIVEPIECES_SECRET_KEYS=[newest, SECRET_KEY], **options)

    result = run(both, "keys", "reencrypt")

    assert (result.exit_code, result.stdout) == (0, "All credentials are encrypted with the newest key.\n")
    (after,) = rows_of(app, "integrations")
    assert after["encrypted_credentials"] != before["encrypted_credentials"]
    only_new_key = make_app(ACTIVEPIECES_SECRET_KEYS=[newest], **options)
    assert printed_json(run(only_new_key, "integrations", "check", "--json")) == []


def test_credentials_that_cannot_be_decrypted_are_reported(make_app: MakeApp, app: Flask, linked: str) -> None:
    without_old_key = make_app(
        ACTIVEPIECES_SECRET_KEYS=["another secret key of this app"],
        ACTIVEPIECES_BASE_URL=app.config["ACTIVEPIECES_BASE_URL"],
        tables=False,
    )

    result = run(without_old_key, "keys", "reencrypt")
    (finding,) = printed_json(run(without_old_key, "integrations", "check", "--json"), exit_code=1)

    assert result.exit_code == 1
    assert f"{linked} of tenant acme" in result.stderr
    assert "secret keys" in str(finding["problem"])
    with app.app_context():
        assert get_state().tenants.integrations.list_all()


def test_a_tenant_with_an_integration_is_known_to_client_create(app: Flask, linked: str) -> None:
    arguments = ("--name", "X", "--redirect-uri", "https://x.test/", "--scope", "tasks:read")

    assert linked
    assert run(app, "client", "create", *arguments, "--tenant", "acme").exit_code == 0
