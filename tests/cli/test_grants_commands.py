"""``flask activepieces grants …``"""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cli.conftest import Run, RunJson
from tests.support import hosts
from tests.support.actors import Person, Program
from tests.support.storage import row_counts, rows_of


@pytest.fixture
def other(app: Flask) -> Program:
    return Program.registered(app)


@pytest.fixture(autouse=True)
def _some_grants(program: Program, other: Program, alice: Person, bob: Person, carol: Person) -> None:
    program.connects(bob, scope=["profile:read"])
    program.connects(carol)
    other.connects(alice, workspace="acme-labs")


def test_all_grants_are_listed(run: Run, run_json: RunJson, program: Program) -> None:
    listed = run_json("grants", "list", "--json")
    table = run("grants", "list").stdout.splitlines()

    assert [grant["user_id"] for grant in listed] == ["bob", "alice", "carol"]
    grant = listed[0]
    assert grant.pop("id")
    assert grant == {
        "client_id": program.client_id,
        "tenant_id": "acme",
        "user_id": "bob",
        "organization_id": None,
        "workspace_name": "Acme",
        "scope": "profile:read",
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:00Z",
    }
    assert table[0].split() == ["id", "client_id", "tenant_id", "user_id", "scope", "created_at"]
    assert len(table) == 4


@pytest.mark.parametrize(
    ("options", "users"),
    [
        (("--tenant", "acme"), ["bob"]),
        (("--user", "alice"), ["alice"]),
        (("--tenant", "globex", "--user", "carol"), ["carol"]),
        (("--tenant", "globex", "--user", "bob"), []),
    ],
)
def test_grants_are_filtered(run_json: RunJson, options: tuple[str, ...], users: list[str]) -> None:
    assert [grant["user_id"] for grant in run_json("grants", "list", *options, "--json")] == users


def test_the_grants_of_one_client_are_listed(run_json: RunJson, program: Program) -> None:
    listed = run_json("grants", "list", "--client", program.client_id, "--json")

    assert [grant["user_id"] for grant in listed] == ["bob", "carol"]


def test_an_empty_list_says_so(run: Run) -> None:
    assert run("grants", "list", "--user", "no-one").stdout == "There are no grants.\n"


def test_revoke_invalidates_codes_of_the_grant(
    app: Flask, run: Run, run_json: RunJson, program: Program, bob: Person
) -> None:
    code = bob.allows(program.question(prompt="consent"))
    (grant,) = run_json("grants", "list", "--user", "bob", "--json")

    result = run("grants", "revoke", grant["id"])

    assert (result.exit_code, result.stdout) == (0, f"Revoked grant {grant['id']}.\n")
    assert program.redeems(code).status_code == 400
    assert row_counts(app)["grants"] == 2
    last = rows_of(app, "audit_events")[-1]
    assert (last["name"], last["grant_id"]) == ("grant.revoked", grant["id"])


@pytest.mark.parametrize("grant_id", ["no-such-grant", "é", "x" * 300])
def test_an_unknown_grant_is_reported_in_one_line(app: Flask, run: Run, grant_id: str) -> None:
    result = run("grants", "revoke", grant_id)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: Grant {grant_id!r} not found.\n"
    assert row_counts(app)["grants"] == 3


# check: grants of former users


@pytest.fixture
def delete_bob(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(hosts.PEOPLE, "bob")


def test_check_reports_nothing_if_all_users_exist(run: Run) -> None:
    result = run("grants", "check")

    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.usefixtures("delete_bob")
def test_check_finds_grants_of_deleted_users_and_changes_nothing(app: Flask, run: Run) -> None:
    result = run("grants", "check")

    assert result.exit_code == 1
    assert result.stdout.endswith("user bob is not (or no longer) in acme\n")
    assert len(result.stdout.splitlines()) == 1
    assert row_counts(app)["grants"] == 3


@pytest.mark.usefixtures("delete_bob")
def test_check_can_revoke_these_grants(app: Flask, run: Run, program: Program) -> None:
    result = run("grants", "check", "--revoke")

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Revoked 1 grant.")
    assert sorted(row["user_id"] for row in rows_of(app, "grants")) == ["alice", "carol"]
    assert run("grants", "check").exit_code == 0


def test_check_finds_users_who_left_a_tenant(app: Flask, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice still exists, and is still in Acme."""
    monkeypatch.setitem(hosts.PEOPLE, "alice", hosts.Someone(("acme",), is_admin=True))

    result = run("grants", "check", "--revoke")

    assert "user alice is not (or no longer) in acme-labs" in result.stdout
    assert sorted(row["user_id"] for row in rows_of(app, "grants")) == ["bob", "carol"]
