"""Removing a tenant leaves nothing usable for a later tenant with the same id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from flask_activepieces import Activepieces
from flask_activepieces.errors import Unavailable
from flask_activepieces.integrations.tenant_removal import RemovedTenant
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import Person, Program, answer_of
from tests.support.api_user import OWN_PIECE, ApiUser
from tests.support.storage import database_away, engine_of, row_counts, rows_of

NOTHING = RemovedTenant(grants=0, clients=0, integrations=0)


@pytest.fixture(scope="module")
def upstream() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(pieces=[*acme_pieces("https://acme.example"), OWN_PIECE]) as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, upstream: ActivepiecesServer) -> Flask:
    return make_app(ACTIVEPIECES_BASE_URL=upstream.url, ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name)


@pytest.fixture
def api_user(app: Flask, upstream: ActivepiecesServer) -> ApiUser:
    """An admin of Acme, which has an integration."""
    api_user = ApiUser.named(app, "alice")
    api_user.links(apiKey=upstream.api_key, projectId=upstream.project_id)
    return api_user


def remove(app: Flask, tenant_id: str = "acme") -> RemovedTenant:
    with app.app_context():
        return Activepieces().remove_tenant(tenant_id)


def get_client_credentials_token(program: Program) -> str:
    answer = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    return str(answer["access_token"])


def test_removing_a_tenant_revokes_every_token(app: Flask, bob: Person) -> None:
    shared, acmes = Program.registered(app), Program.registered(app, "--tenant", "acme", "--yes")
    pairs = [(program, program.connects(bob)) for program in (shared, acmes)]
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme", "--yes")
    robots_token = get_client_credentials_token(robot)

    assert remove(app) == RemovedTenant(grants=2, clients=2, integrations=0)

    for program, pair in pairs:
        assert program.calls(pair["access_token"]).status_code == 401
        assert program.refreshes(pair["refresh_token"]).status_code in (400, 401)
    assert robot.calls(robots_token).status_code == 401


def test_a_removed_tenants_clients_get_no_new_token(app: Flask) -> None:
    """`revoke_tenant` alone would leave them registered."""
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme", "--yes")

    remove(app)

    refused = robot.posts("/oauth/token", {"grant_type": "client_credentials"})
    assert answer_of(refused, 401)["error"] == "invalid_client"


def test_codes_and_open_pages_of_a_removed_tenant_are_refused(app: Flask, bob: Person) -> None:
    acmes = Program.registered(app, "--tenant", "acme", "--yes")
    code = bob.allows(acmes.question())
    page = bob.sees(acmes.question(scope="tasks:read", prompt="consent"))

    remove(app)

    assert acmes.redeems(code).status_code in (400, 401)
    assert bob.sends(page.form("decision"), decision="approve").status_code == 400
    assert "grants" not in row_counts(app)


def test_removing_a_tenant_deletes_its_integration_and_key(app: Flask, api_user: ApiUser) -> None:
    assert remove(app).integrations == 1

    assert answer_of(api_user.gets("/setup"))["data"] == []
    assert "integrations" not in row_counts(app)


def test_removing_a_tenant_deletes_its_integrations_client(app: Flask, api_user: ApiUser, live_site: str) -> None:
    api_user.site = live_site
    (integration,) = answer_of(api_user.gets("/setup"))["data"]
    created = api_user.posts(f"/connections/{integration['id']}/connect")
    assert created.status_code == 201, created.text

    assert remove(app) == RemovedTenant(grants=1, clients=1, integrations=1)

    assert row_counts(app).keys() <= {"audit_events", "token_families", "revocations", "leases"}


@pytest.fixture
def live_site(app: Flask) -> Iterator[str]:
    from flask_activepieces.testing.http_server import HttpServer

    server = HttpServer(app)
    yield f"http://localhost:{server.port}"
    server.close()


def test_removing_a_tenant_leaves_only_audit_rows_and_revoked_families(
    app: Flask, api_user: ApiUser, bob: Person
) -> None:
    """Both stay until they are pruned."""
    Program.registered(app).connects(bob)
    Program.registered(app, "--tenant", "acme", "--yes").connects(bob)

    remove(app)

    tenant_tables = [table for table in tables.metadata.sorted_tables if "tenant_id" in table.c]
    with engine_of(app).connect() as conn:
        remaining = {
            table.name.removeprefix("activepieces_")
            for table in tenant_tables
            if conn.execute(select(table).where(table.c.tenant_id == "acme")).first()
        }
    assert remaining == {"audit_events", "token_families"}
    assert all(family["revoked_at"] is not None for family in rows_of(app, "token_families"))


def test_removing_a_tenant_leaves_other_tenants_alone(
    app: Flask, carol: Person, upstream: ActivepiecesServer
) -> None:
    globex = ApiUser.named(app, "carol")
    globex.links(apiKey=upstream.api_key, projectId=upstream.project_id)
    shared = Program.registered(app)
    globexs = Program.registered(app, "--tenant", "globex", "--yes")
    pairs = [(program, program.connects(carol)) for program in (shared, globexs)]
    remove(app)  # ``leases`` gets the row that orders the distribution of events.
    before = row_counts(app)

    assert remove(app) == NOTHING

    assert row_counts(app) == before
    assert [program.calls(pair["access_token"]).status_code for program, pair in pairs] == [200] * 2
    assert len(answer_of(globex.gets("/setup"))["data"]) == 1


def test_removing_a_tenant_twice_is_not_an_error(app: Flask, api_user: ApiUser) -> None:
    Program.registered(app, "--tenant", "acme", "--yes")
    remove(app)
    before = rows_of(app, "audit_events")

    assert remove(app) == NOTHING
    assert rows_of(app, "audit_events") == before


def test_concurrent_removals_count_everything_once(app: Flask, api_user: ApiUser) -> None:
    for _ in range(3):
        Program.registered(app, "--tenant", "acme", "--yes")

    with ThreadPoolExecutor(4) as pool:
        removed = list(pool.map(lambda _: remove(app), range(4)))

    assert sum(result.clients for result in removed) == 3
    assert sum(result.integrations for result in removed) == 1


def test_removing_a_tenant_is_all_or_nothing(app: Flask, api_user: ApiUser, bob: Person) -> None:
    program = Program.registered(app, "--tenant", "acme", "--yes")
    pair = program.connects(bob)

    with database_away(app), pytest.raises(Unavailable):
        remove(app)

    assert program.calls(pair["access_token"]).status_code == 200


def test_the_audit_records_what_was_removed_and_why(app: Flask, api_user: ApiUser, bob: Person) -> None:
    Program.registered(app, "--tenant", "acme", "--yes").connects(bob)
    before = len(rows_of(app, "audit_events"))

    remove(app)

    events = rows_of(app, "audit_events")[before:]
    assert [event["name"] for event in events] == ["grant.revoked", "integration.removed", "client.deleted"]
    assert {event["tenant_id"] for event in events} == {"acme"}
    assert json.loads(events[0]["detail"])["reason"] == "the tenant was removed"


# Command line


def test_the_cli_removes_a_tenant(app: Flask, api_user: ApiUser, bob: Person) -> None:
    Program.registered(app, "--tenant", "acme", "--yes").connects(bob)

    declined = app.test_cli_runner().invoke(args=["activepieces", "tenants", "remove", "acme"], input="n\n")
    confirmed = app.test_cli_runner().invoke(args=["activepieces", "tenants", "remove", "acme", "--yes", "--json"])
    again = app.test_cli_runner().invoke(args=["activepieces", "tenants", "remove", "acme", "--yes"])

    assert (declined.exit_code, confirmed.exit_code, again.exit_code) == (1, 0, 0)
    assert declined.stderr.endswith("\nError: Nothing was done.\n")
    assert json.loads(confirmed.stdout) == {"grants": 1, "clients": 1, "integrations": 1}
    assert again.stdout == "Removed 0 grants, 0 clients and 0 integrations of tenant acme.\n"


def test_the_cli_counts_what_it_removed(app: Flask, bob: Person) -> None:
    Program.registered(app, "--tenant", "acme", "--yes").connects(bob)

    result = app.test_cli_runner().invoke(args=["activepieces", "tenants", "remove", "acme", "--yes"])

    assert result.stdout == "Removed 1 grant, 1 client and 0 integrations of tenant acme.\n"


def test_the_cli_removes_one_integration(app: Flask, api_user: ApiUser) -> None:
    (integration,) = answer_of(api_user.gets("/setup"))["data"]
    command = ["activepieces", "integrations", "remove", integration["id"]]

    declined = app.test_cli_runner().invoke(args=command, input="n\n")
    confirmed = app.test_cli_runner().invoke(args=[*command, "--yes"])
    again = app.test_cli_runner().invoke(args=[*command, "--yes"])

    assert (declined.exit_code, confirmed.exit_code, again.exit_code) == (1, 0, 1)
    assert "acme" in declined.output
    assert f"Removed integration {integration['id']}.\n" in confirmed.stdout
    assert "not found" in again.stderr
    assert "integrations" not in row_counts(app)
