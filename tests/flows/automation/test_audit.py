"""The audit log: words, names, filters, pages, CSV."""

from __future__ import annotations

import csv
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from sqlalchemy import insert

from flask_activepieces import signals
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.web.automation.audit_words import KINDS, event_names
from tests.support.actors import Program
from tests.support.api_user import ApiUser
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.clock import START, StoppedClock
from tests.support.storage import engine_of, statements_of

DAY = 86_400


def add_events(app: Flask, *events: dict[str, Any]) -> None:
    """Store events of Acme."""
    default = {"tenant_id": "acme", "user_id": "alice", "detail": "{}", "at": START}
    empty = dict.fromkeys(("client_id", "grant_id", "family_id"))
    with engine_of(app).begin() as conn:
        conn.execute(insert(tables.audit_events), [{**empty, **default, **event} for event in events])


def lines(person: AreaUser, **query: str) -> list[list[str]]:
    response = person.browser.get(f"{AREA}/audit.csv", query_string=query)
    assert response.status_code == 200
    assert response.mimetype == "text/csv"
    return list(csv.reader(response.text.removeprefix("\ufeff").splitlines()))


def test_an_empty_log_says_what_it_is_for(alice: AreaUser) -> None:
    page = alice.visits("/audit")

    assert "Nothing happened yet" in page.text
    assert "Download as CSV" not in page.links


def test_changes_are_listed_with_names(app: Flask, admin: AreaUser, clock: StoppedClock) -> None:
    clock.advance(hours=3)
    program = Program.registered(app, "--tenant", "acme")
    program.connects(area_user(app, "bob"))

    page = admin.visits("/audit")

    assert "Workspace connected to Activepieces Alice 3 hours ago" in page.text
    assert "OAuth client “Program” registered the system just now" in page.text
    assert "Access allowed to “Program” Bob just now" in page.text


def test_every_event_is_said_in_words(app: Flask, alice: AreaUser) -> None:
    detail = {
        "display_name": "Our key",
        "flow": "Welcome",
        "name": "A token",
        "version": "1.0.0",
        "client": "Program",
        "count": "3",
    }
    add_events(app, *({"name": name, "detail": json.dumps(detail)} for name in signals.BY_NAME))

    page = alice.visits("/audit")

    assert page.text.count(" Alice ") >= len(signals.BY_NAME), "all are on the page"
    raw = {form for name in signals.BY_NAME for form in (name, name.replace("_", " ").replace(".", ": "))}
    assert [form for form in raw if form in page.text] == []
    assert "%(" not in page.text
    assert "unknown" not in page.text.replace("“unknown”", "")


def test_every_event_is_in_one_part_of_the_filter() -> None:
    listed = [name for kind in KINDS for name in event_names(kind)]

    assert sorted(listed) == sorted(signals.BY_NAME)


def test_someone_who_is_gone_is_a_former_user(app: Flask, alice: AreaUser) -> None:
    add_events(app, {"name": "mcp.changed", "user_id": "zoe"})

    page = alice.visits("/audit")

    assert "MCP server changed a former user" in page.text
    assert "zoe" not in page.text


def test_in_the_csv_the_system_is_not_a_former_user(app: Flask, alice: AreaUser) -> None:
    add_events(app, {"name": "mcp.changed", "user_id": "zoe"}, {"name": "mcp.token_rotated", "user_id": None})

    assert sorted(line[1:] for line in lines(alice)[1:]) == [
        ["MCP server changed", "a former user"],
        ["New token for the MCP server", "the system"],
    ]


def test_a_new_connection_is_told_from_a_changed_one(admin: AreaUser) -> None:
    saved = ApiUser(admin).saves("Our key")
    ApiUser(admin).saves("Our key")
    admin.presses(admin.visits(f"/connections/{saved['id']}"), "/rename", name="Their key")

    page = admin.visits("/audit", kind="connections")

    assert "Connection “Our key” added" in page.text
    assert "Connection “Our key” reconnected" in page.text
    assert "Connection “Their key” changed" in page.text


def test_days_begin_in_the_time_zone_of_the_host(app: Flask, alice: AreaUser) -> None:
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Tokyo"
    Babel(app)
    # 8:00 on the 15th, when it is 17:00 in Tokyo; ten hours later, it is the 16th there.
    add_events(app, {"name": "mcp.changed"}, {"name": "mcp.token_rotated", "at": START + 10 * 3600})

    today, tomorrow = (alice.visits("/audit", since=day, until=day).text for day in ("2027-01-15", "2027-01-16"))

    assert "MCP server changed" in today and "New token" not in today
    assert "New token" in tomorrow and "MCP server changed" not in tomorrow


def test_an_event_of_a_newer_version_is_shown_as_it_is(app: Flask, alice: AreaUser) -> None:
    add_events(app, {"name": "moon.landed_softly"})

    assert "moon: landed softly" in alice.visits("/audit").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"mcp", "flow", "old"}),
        ({"kind": "flows"}, {"flow"}),
        ({"kind": "setup"}, {"mcp", "old"}),
        ({"kind": "clients"}, set()),
        ({"kind": "unknown"}, {"mcp", "flow", "old"}),
        ({"since": "2027-01-15"}, {"mcp", "flow"}),
        ({"until": "2027-01-14"}, {"old"}),
        ({"since": "2027-01-14", "until": "2027-01-14"}, {"old"}),
    ],
)
def test_the_log_is_filtered(app: Flask, alice: AreaUser, query: dict[str, str], shown: set[str]) -> None:
    add_events(
        app,
        {"name": "mcp.changed"},
        {"name": "flow.enabled", "detail": '{"flow": "Welcome"}'},
        {"name": "integration.updated", "at": START - DAY},
    )
    words = {"mcp": "MCP server changed", "flow": "Welcome", "old": "Project or server of Activepieces changed"}

    page = alice.visits("/audit", **query)

    assert {name for name, text in words.items() if text in page.text} == shown
    assert {name for name, text in words.items() if any(text in line[1] for line in lines(alice, **query))} == shown
    assert ("Nothing found" in page.text) is (not shown)


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "9999-12-31", "nul\0"])
def test_an_invalid_day_is_named(alice: AreaUser, day: str) -> None:
    page = alice.visits("/audit", until=day)

    assert page.status == 422
    assert "Enter a date, such as 2026-11-30." in page.text
    assert alice.visits("/audit.csv", until=day).status == 422


def test_another_tenants_events_are_not_shown(app: Flask, admin: AreaUser, carol: AreaUser) -> None:
    assert "Nothing happened yet" in carol.visits("/audit").text
    assert len(lines(carol)) == 1


@pytest.mark.parametrize("path", ["/audit", "/audit.csv"])
def test_the_log_is_for_admins(bob: AreaUser, path: str) -> None:
    assert bob.visits(path).status == 403


def test_the_csv_has_names_and_exact_times(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> None:
    header, line = lines(admin)

    assert header == ["Time (UTC)", "What", "Who"]
    assert line == ["2027-01-15T08:00:00Z", "Workspace connected to Activepieces", "Alice"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\nx", "＝1", "＠x"])
def test_the_csv_contains_no_formula(app: Flask, alice: AreaUser, name: str) -> None:
    """A spreadsheet would run it (OWASP: CSV injection)."""
    add_events(app, {"name": name})

    ((_, what, _),) = lines(alice)[1:]

    assert not re.match(r"[=+\-@\t\r\n＝＠]", what)


def test_ten_thousand_events_are_paged_in_constant_statements(app: Flask, alice: AreaUser) -> None:
    add_events(app, {"name": "mcp.changed"})
    with statements_of(app) as one:
        alice.visits("/audit")
    add_events(app, *({"name": "mcp.changed", "at": START - number // 3} for number in range(9_999)))
    url, counts, pages = f"{AREA}/audit", set[int](), 0
    for _ in range(5):
        with statements_of(app) as statements:
            page = alice.sees(url)
        counts.add(len(statements))
        url, pages = page.links["Next"], pages + 1

    assert counts == {len(one)}
    assert len(lines(alice)) == 10_001
    assert alice.sees(page.links["Previous"]).status == 200
