"""``flask activepieces audit``: filters, output and exit codes."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.cli.conftest import Run, RunJson
from tests.support.actors import Person, Program
from tests.support.clock import StoppedClock
from tests.support.storage import database_away


@pytest.fixture(autouse=True)
def _some_events(app: Flask, clock: StoppedClock, bob: Person, carol: Person) -> None:
    """A global client is registered; Bob approves it an hour later, and Carol after a day."""
    program = Program.registered(app)
    clock.advance(hours=1)
    program.connects(bob, scope=["profile:read"])
    clock.advance(hours=23)
    program.connects(carol, scope=["profile:read"])


def test_the_newest_events_of_all_tenants_are_listed_first(run: Run, run_json: RunJson) -> None:
    listed = run_json("audit", "--json")
    table = run("audit").stdout.splitlines()

    assert [(event["name"], event["tenant_id"], event["user_id"]) for event in listed] == [
        ("grant.approved", "globex", "carol"),
        ("grant.approved", "acme", "bob"),
        ("client.created", None, None),
    ]
    assert listed[1]["at"] == "2027-01-15T09:00:00Z"
    assert listed[1]["detail"] == {"client": "Program", "scope": "profile:read"}
    assert listed[1]["client_id"] and listed[1]["grant_id"]
    assert table[0].split() == ["at", "name", "tenant_id", "user_id", "client_id", "detail"]
    assert table[2].endswith("client: Program, scope: profile:read")
    assert len(table) == 4


@pytest.mark.parametrize(
    ("options", "users"),
    [
        (("--tenant", "acme"), ["bob"]),
        (("--tenant", "nowhere"), []),
        (("--user", "carol"), ["carol"]),
        (("--event", "client.created"), [None]),
        (("--event", "client.created", "--event", "grant.approved"), ["carol", "bob", None]),
        (("--event", "grant.revoked"), []),
        (("--since", "2027-01-16"), ["carol"]),
        (("--since", "2027-01-15T09:00:00Z"), ["carol", "bob"]),
        (("--since", "2027-01-15T09:00:01Z"), ["carol"]),
        (("--limit", "2"), ["carol", "bob"]),
        (("--tenant", "acme", "--since", "2027-01-16"), []),
    ],
)
def test_events_are_filtered(run_json: RunJson, options: tuple[str, ...], users: list[str | None]) -> None:
    assert [event["user_id"] for event in run_json("audit", *options, "--json")] == users


def test_an_empty_list_says_so(run: Run) -> None:
    assert run("audit", "--tenant", "nowhere").stdout == "There are no events.\n"


@pytest.mark.parametrize(
    "options",
    [("--event", "grant.aproved"), ("--since", "yesterday"), ("--limit", "0"), ("--tenant", "")],
    ids=" ".join,
)
def test_wrong_usage_is_2(run: Run, options: tuple[str, ...]) -> None:
    result = run("audit", *options, "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "usage"


def test_an_unreachable_database_is_3(app: Flask, run: Run) -> None:
    with database_away(app):
        assert run("audit").exit_code == 3


def test_names_that_other_people_chose_cannot_control_the_terminal(app: Flask, run: Run) -> None:
    run("client", "create", "--name", "A\u202eB", "--redirect-uri", "https://a.test/", "--scope", "tasks:read")

    assert "\u202e" not in run("audit").stdout
