"""The list of OAuth clients, editing, suspending, who connected one; see also tests/flows/test_client_pages.py."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Program, answer_of
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.clock import START, StoppedClock
from tests.support.pages import Form, Page
from tests.support.pieces import make_piece_app
from tests.support.storage import engine_of, row_counts, rows_of, statements_of


@pytest.fixture
def program(app: Flask) -> Program:
    """A client of Acme."""
    return Program.registered(app, "--tenant", "acme")


def page_of(program: Program) -> str:
    return f"/clients/{program.client_id}"


# The list


def test_the_list_shows_users_and_last_use(
    app: Flask, alice: AreaUser, program: Program, clock: StoppedClock
) -> None:
    unused = alice.visits("/clients")
    program.connects(area_user(app, "bob"))
    program.connects(alice)
    clock.advance(hours=2)

    page = alice.visits("/clients")

    assert "Not used yet 0 Never" in unused.text
    assert "Program In use 2 2 hours ago" in page.text


def test_users_of_another_tenant_are_not_counted(app: Flask, alice: AreaUser, carol: AreaUser) -> None:
    shared = Program.registered(app)
    shared.connects(carol)
    own = Program.registered(app, "--tenant", "acme", "--name", "Own")
    own.connects(alice)

    page = alice.visits("/clients")

    assert "Own In use 1" in page.text
    assert "Program" not in page.links


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["100%", "Alpha", "Beta"]),
        ({"order": "newest"}, ["Beta", "Alpha", "100%"]),
        ({"search": "alp"}, ["Alpha"]),
        ({"search": "%"}, ["100%"]),
        ({"search": "_"}, []),
    ],
)
def test_the_list_is_searched_and_sorted(
    app: Flask, alice: AreaUser, clock: StoppedClock, query: dict[str, str], shown: list[str]
) -> None:
    for name in ("100%", "Alpha", "Beta"):
        Program.registered(app, "--tenant", "acme", "--name", name)
        clock.advance(60)

    page = alice.visits("/clients", **query)

    assert [name for name in page.links if name in ("100%", "Alpha", "Beta")] == shown
    assert ("Nothing found" in page.text) is (not shown)


def test_two_hundred_clients_are_paged_in_constant_statements(app: Flask, alice: AreaUser) -> None:
    Program.registered(app, "--tenant", "acme", "--name", "client 0")
    with statements_of(app) as one:
        alice.visits("/clients")
    (first,) = rows_of(app, "oauth_clients")
    with engine_of(app).begin() as conn:
        rows = [{**first, "client_id": f"{number:032}", "name": f"client {number}"} for number in range(1, 200)]
        conn.execute(insert(tables.oauth_clients), rows)
    seen, url, pages = list[str](), f"{AREA}/clients", 0
    while url:
        with statements_of(app) as statements:
            page = alice.sees(url)
        assert len(statements) == len(one)
        seen += [name for name in page.links if name.startswith("client ")]
        url, pages = page.links.get("Next", ""), pages + 1

    assert (len(seen), len(set(seen)), pages) == (200, 200, 8)
    assert seen == sorted(seen)


LONG_NAME, LONG_DESCRIPTION = "N" * 120, f"{'word ' * 99}word"


def titles_of(page: Page) -> set[str | None]:
    """The texts that show when a person points at something."""
    return {attributes.get("title") for _, attributes in page.tags}


@pytest.mark.parametrize("path", ["/automation/clients", "/oauth/connected-apps"])
def test_long_texts_of_a_client_are_cut_with_the_whole_in_the_title(app: Flask, alice: AreaUser, path: str) -> None:
    options = ("--tenant", "acme", "--name", LONG_NAME, "--description", LONG_DESCRIPTION)
    Program.registered(app, *options).connects(alice)

    page = alice.sees(path)

    assert f" {LONG_NAME[:59]}… " in page.text
    assert LONG_DESCRIPTION not in page.text
    assert {LONG_NAME, LONG_DESCRIPTION} <= titles_of(page)


def test_the_page_of_a_client_has_its_whole_texts(app: Flask, alice: AreaUser) -> None:
    program = Program.registered(app, "--tenant", "acme", "--name", LONG_NAME, "--description", LONG_DESCRIPTION)

    text = alice.visits(page_of(program)).text

    assert LONG_NAME in text and LONG_DESCRIPTION in text


# New


def test_a_preset_is_applied_at_once(alice: AreaUser) -> None:
    page = alice.visits("/clients/new")

    form = alice.sees(page.links["Activepieces"]).form("redirect_uris")

    assert form.values["name"] == "Activepieces"
    assert "/redirect" in form.values["redirect_uris"]


def current_tab(page: Page) -> str:
    """The address of the current platform."""
    (tab,) = [attributes for _, attributes in page.tags if attributes.get("aria-current") == "true"]
    return tab["href"] or ""


def test_a_preset_is_kept_after_a_mistake_and_a_reload(alice: AreaUser) -> None:
    form = alice.visits("/clients/new", preset="make").form("redirect_uris")

    refused = alice.submits(form, name="", scope=["tasks:read"])
    reloaded = alice.sees(refused.form("redirect_uris").action)

    assert refused.status == 422
    assert current_tab(refused) == current_tab(reloaded) == "/automation/clients/new?preset=make"
    assert reloaded.form("redirect_uris").values["name"] == "Make"


def test_the_preset_is_for_the_activepieces_of_the_workspace(admin: AreaUser, server: ActivepiecesServer) -> None:
    form = admin.visits("/clients/new", preset="activepieces").form("redirect_uris")

    assert form.values["redirect_uris"] == f"{server.url}/redirect"


def test_the_scopes_of_the_piece_are_ticked(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app)
    alice = area_user(app, "alice")

    form = alice.visits("/clients/new", preset="activepieces").form("redirect_uris")
    other = alice.visits("/clients/new", preset="zapier").form("redirect_uris")

    assert sorted(form.values["scope"]) == ["tasks:read", "tasks:write"]
    assert "scope" not in other.values


# Editing


def test_a_client_is_edited(app: Flask, alice: AreaUser, program: Program) -> None:
    form = alice.visits(f"{page_of(program)}/edit").form("redirect_uris")

    page = alice.submits(
        form,
        name="Another name",
        description="What it does",
        redirect_uris="https://one.test/\r\nhttps://two.test/",
        scope=["tasks:read"],
        require_pkce=[],
    )

    assert "The client was saved." in page.text
    (row,) = rows_of(app, "oauth_clients")
    assert (row["name"], row["description"]) == ("Another name", "What it does")
    assert (row["redirect_uris"], row["scope"]) == ("https://one.test/ https://two.test/", "tasks:read")
    assert not row["require_pkce"]


def test_the_form_has_the_stored_values(alice: AreaUser, app: Flask, program: Program) -> None:
    before = rows_of(app, "oauth_clients")
    form = alice.visits(f"{page_of(program)}/edit").form("redirect_uris")

    alice.submits(form)

    assert "public" not in form.names
    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": " "}, "A name is required"),
        ({"redirect_uris": ""}, "At least one redirect URI is required"),
        ({"scope": []}, "Permissions: Choose at least one permission."),
    ],
)
def test_an_invalid_change_is_explained(
    app: Flask, alice: AreaUser, program: Program, changes: dict[str, Any], message: str
) -> None:
    before = rows_of(app, "oauth_clients")

    page = alice.submits(alice.visits(f"{page_of(program)}/edit").form("redirect_uris"), **changes)

    assert page.status == 422
    assert message in page.text
    assert rows_of(app, "oauth_clients") == before


def test_the_addresses_of_a_client_without_a_consent_page_cannot_be_changed(app: Flask, alice: AreaUser) -> None:
    """With another address, the admin would receive codes of users who never saw the page."""
    marked = Program.registered(app, "--tenant", "acme", "--remember-consent")
    form = alice.visits(f"{page_of(marked)}/edit").form("redirect_uris")

    page = alice.submits(form, redirect_uris="https://admin.test/")

    assert page.status == 422
    assert "only an operator can change its redirect URIs" in page.text
    assert rows_of(app, "oauth_clients")[0]["redirect_uris"] == marked.redirect_uri


# Two admins at the same time


def edit_form(person: AreaUser, program: Program) -> Form:
    return person.visits(f"{page_of(program)}/edit").form("redirect_uris")


def test_a_change_of_someone_else_is_not_lost(app: Flask, alice: AreaUser, program: Program) -> None:
    form = edit_form(alice, program)
    alice.submits(edit_form(alice, program), name="Renamed", require_pkce=[])
    before = rows_of(app, "oauth_clients")

    page = alice.submits(form, description="What it does")

    assert page.status == 422
    assert "Someone else has changed this client since you opened this page." in page.text
    assert "Name: It is now: Renamed" in page.text
    assert "Description: It is empty now." in page.text
    assert page.form("redirect_uris").values["description"] == "What it does"
    assert rows_of(app, "oauth_clients") == before


def test_a_change_of_someone_else_is_shown_in_each_field(alice: AreaUser, program: Program) -> None:
    changes = {
        "name": "Renamed",
        "description": "What it does",
        "logo_uri": "https://acme.test/logo.png",
        "redirect_uris": "https://acme.test/",
        "scope": ["tasks:read"],
        "require_pkce": [],
    }
    form = edit_form(alice, program)
    alice.submits(edit_form(alice, program), **changes)

    page = alice.submits(form, description="Mine")

    shown = {attributes.get("id") for _, attributes in page.tags}
    # A field that is added to the form needs a line here, and in what the page says.
    assert form.names - {"page_token", "csrf_token", "version"} == set(changes)
    assert {f"{name}-error" for name in changes} <= shown
    assert "Logo: It is now: https://acme.test/logo.png" in page.text
    assert "PKCE: It is now: Optional" in page.text


def test_a_change_of_someone_else_can_be_replaced(app: Flask, alice: AreaUser, program: Program) -> None:
    form = edit_form(alice, program)
    alice.submits(edit_form(alice, program), name="Renamed")

    page = alice.submits(alice.submits(form, name="Mine").form("redirect_uris"))

    assert "The client was saved." in page.text
    assert rows_of(app, "oauth_clients")[0]["name"] == "Mine"


def test_a_mistake_does_not_hide_that_someone_else_changed_the_client(
    app: Flask, alice: AreaUser, program: Program
) -> None:
    form = edit_form(alice, program)
    alice.submits(edit_form(alice, program), name="Renamed")
    corrected = alice.submits(form, redirect_uris="http://insecure.test/").form("redirect_uris")

    page = alice.submits(corrected, redirect_uris="https://secure.test/")

    assert page.status == 422
    assert "Someone else has changed this client" in page.text
    assert rows_of(app, "oauth_clients")[0]["name"] == "Renamed"


def test_the_same_change_twice_is_no_conflict(alice: AreaUser, program: Program) -> None:
    form = edit_form(alice, program)

    pages = [alice.submits(form, name="Renamed") for _ in range(2)]

    assert all("The client was saved." in page.text for page in pages)


def test_a_client_that_someone_else_deleted_is_not_found(alice: AreaUser, program: Program) -> None:
    form = edit_form(alice, program)
    alice.presses(alice.visits(f"{page_of(program)}/delete"), "/delete")

    assert alice.submits(form, name="Renamed").status == 404


# Suspending


def test_a_client_is_suspended_and_resumed(app: Flask, alice: AreaUser, program: Program) -> None:
    token = program.connects(area_user(app, "bob"))["refresh_token"]

    suspended = alice.presses(alice.visits(page_of(program)), "/switch")
    refused = program.refreshes(token)
    resumed = alice.presses(suspended, "/switch")

    assert "The client is suspended: it gets no new tokens." in suspended.text
    assert refused.status_code in (401, 503)
    assert "The client gets tokens again." in resumed.text
    assert answer_of(program.refreshes(token))
    assert row_counts(app)["grants"] == 1


# Who connected it


def test_the_users_are_named(app: Flask, alice: AreaUser, program: Program, clock: StoppedClock) -> None:
    nobody = alice.visits(page_of(program))
    program.connects(area_user(app, "bob"))
    clock.advance(days=3)

    page = alice.visits(page_of(program))

    assert "Nobody has connected it yet." in nobody.text
    assert "Bob connected 3 days ago" in page.text


def test_many_users_are_paged_in_constant_statements(app: Flask, alice: AreaUser, program: Program) -> None:
    program.connects(area_user(app, "bob"))
    with statements_of(app) as one:
        alice.visits(page_of(program))
    (grant,) = rows_of(app, "grants")
    with engine_of(app).begin() as conn:
        rows = [
            {**grant, "id": f"grant-{number:016}", "user_id": f"gone-{number}", "created_at": START - number}
            for number in range(1, 200)
        ]
        conn.execute(insert(tables.grants), rows)

    with statements_of(app) as statements:
        first = alice.visits(page_of(program))
    second = alice.sees(first.links["Next"])

    assert len(statements) == len(one)
    assert first.text.count("a former user") == 24
    assert second.text.count("a former user") == 25
    assert "gone-" not in first.text
