"""The pages on which a tenant's admin registers OAuth clients, gives them new secrets and deletes them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_not_frameable
from tests.support.pages import Form, Page
from tests.support.storage import database_away, row_counts, rows_of

LIST = "/oauth/clients"
NEW = "/oauth/clients/new"
SECRET = re.compile(r"fas_[0-9a-f]{64}")
TYPED = {
    "name": "Flow maker",
    "description": "Makes flows",
    "redirect_uris": "https://maker.test/one\r\nhttps://maker.test/two",
    "scope": ["profile:read", "tasks:read"],
}


@pytest.fixture
def theirs(app: Flask) -> Program:
    """A client of Acme's own."""
    return Program.registered(app, "--tenant", "acme")


def new_form(person: Person, query: str = "") -> Form:
    return person.sees(NEW + query).form("redirect_uris")


def creates(person: Person, **changes: Any) -> TestResponse:
    """What the browser shows in the end."""
    return presses(person, new_form(person), **(TYPED | changes))


def presses(person: Person, form: Form, **changes: Any) -> TestResponse:
    """What the browser shows after the form's redirect."""
    return person.browser.post(form.action, data=form.values | changes, follow_redirects=True)


def secret_on(page: Page) -> str:
    found: list[str] = SECRET.findall(page.text)
    assert len(found) == 1
    return found[0]


# Who may


@pytest.mark.parametrize("path", [LIST, NEW, LIST + "/some-id"])
def test_a_stranger_signs_in_first(stranger: Person, path: str) -> None:
    sent = stranger.opens(path)

    assert sent.status_code == 302
    assert sent.location.startswith("/login?next=%2Foauth%2Fclients")


@pytest.mark.parametrize("path", [LIST, NEW, LIST + "/some-id"])
def test_only_an_admin_may(bob: Person, path: str) -> None:
    page = assert_error_page(bob.opens(path), 403)

    assert "Ask an admin" in page.text


@pytest.mark.parametrize("action", ["new", "{id}/rotate", "{id}/delete"])
def test_only_an_admin_may_change_anything(
    app: Flask, bob: Person, theirs: Program, action: str
) -> None:
    before = rows_of(app, "oauth_clients")

    assert_error_page(bob.browser.post(f"{LIST}/{action.format(id=theirs.client_id)}"), 403)

    assert rows_of(app, "oauth_clients") == before


# The list


def test_without_clients_the_list_says_how_to_make_one(alice: Person) -> None:
    page = alice.sees(LIST)

    assert page.status == 200
    assert "No OAuth clients yet" in page.text
    assert page.links["New client"] == NEW


def test_the_list_has_the_tenants_own_clients_and_no_others(
    app: Flask, alice: Person, theirs: Program
) -> None:
    foreign = Program.registered(app, "--tenant", "globex")
    for_all = Program.registered(app)

    page = alice.sees(LIST)

    assert theirs.client_id in page.text
    assert foreign.client_id not in page.text
    assert for_all.client_id not in page.text
    assert_not_frameable(page.response)


# A new one


def test_no_admin_lets_a_client_skip_the_consent_page(app: Flask, alice: Person) -> None:
    creates(alice, remember_consent="1")
    (row,) = rows_of(app, "oauth_clients")

    assert not row["remember_consent"]
    assert "Consent page Shown each time" in alice.sees(f"{LIST}/{row['client_id']}").text


def test_the_page_says_that_an_operator_lets_a_client_skip_the_consent_page(
    app: Flask, alice: Person
) -> None:
    marked = Program.registered(app, "--tenant", "acme", "--remember-consent")

    assert "set by an operator" in alice.sees(f"{LIST}/{marked.client_id}").text


def test_a_new_client_is_shown_with_its_secret_once(app: Flask, alice: Person) -> None:
    made = Page(creates(alice))
    (row,) = rows_of(app, "oauth_clients")
    again = alice.sees(f"{LIST}/{row['client_id']}")

    assert made.status == 200
    assert secret_on(made)
    for words in (row["client_id"], "http://localhost/oauth/authorize", "https://maker.test/two"):
        assert words in made.text
        assert words in again.text
    assert not SECRET.search(again.text)
    assert made.response.headers["Cache-Control"] == "no-store"


def test_a_reload_after_creating_a_client_makes_no_second_one(app: Flask, alice: Person) -> None:
    sent = alice.sends(new_form(alice), **TYPED)
    (row,) = rows_of(app, "oauth_clients")

    shown, reloaded = alice.sees(sent.location), alice.sees(sent.location)

    assert (sent.status_code, sent.location) == (303, f"{LIST}/{row['client_id']}")
    assert secret_on(shown)
    assert not SECRET.search(reloaded.text)
    assert row_counts(app)["oauth_clients"] == 1


def test_a_reload_after_a_rotation_rotates_no_second_time(
    app: Flask, alice: Person, theirs: Program
) -> None:
    sent = alice.sends(alice.sees(f"{LIST}/{theirs.client_id}").form_to("/rotate"))
    before = rows_of(app, "oauth_clients")

    shown, reloaded = alice.sees(sent.location), alice.sees(sent.location)

    assert (sent.status_code, sent.location) == (303, f"{LIST}/{theirs.client_id}")
    assert secret_on(shown)
    assert not SECRET.search(reloaded.text)
    assert rows_of(app, "oauth_clients") == before


def test_a_secret_on_its_way_to_its_page_can_be_read_nowhere(app: Flask, alice: Person) -> None:
    sent = alice.sends(new_form(alice), **TYPED)

    (cookie,) = sent.headers.getlist("Set-Cookie")
    assert not SECRET.search(f"{sent.headers} {sent.text}")
    for words in ("HttpOnly", "SameSite=Lax", "Max-Age=300", f"Path={sent.location}"):
        assert words in cookie
    assert secret_on(alice.sees(sent.location))


def brought(person: Person, location: str) -> str:
    """The cookie that the page of this address would show the secret of."""
    cookie = person.browser.get_cookie("activepieces_new_secret", path=location)
    assert cookie is not None
    return cookie.value


@pytest.mark.parametrize("seconds", [299, 300])
def test_a_secret_waits_for_five_minutes(alice: Person, clock: StoppedClock, seconds: int) -> None:
    sent = alice.sends(new_form(alice), **TYPED)
    note = brought(alice, sent.location)
    clock.advance(seconds)
    alice.browser.set_cookie("activepieces_new_secret", note, path=sent.location)

    assert bool(SECRET.search(alice.sees(sent.location).text)) is (seconds < 300)


def test_a_secret_is_shown_on_the_page_of_its_client_only(alice: Person, theirs: Program) -> None:
    sent = alice.sends(new_form(alice), **TYPED)
    other = f"{LIST}/{theirs.client_id}"
    for value in (brought(alice, sent.location), "", "x", "é"):
        alice.browser.set_cookie("activepieces_new_secret", value, path=other)

        page = alice.sees(other)

        assert page.status == 200
        assert not SECRET.search(page.text)


def test_a_secret_that_was_rotated_meanwhile_is_not_shown(
    app: Flask, alice: Person, theirs: Program
) -> None:
    sent = alice.sends(alice.sees(f"{LIST}/{theirs.client_id}").form_to("/rotate"))
    app.test_cli_runner().invoke(args=["activepieces", "client", "rotate", theirs.client_id])

    assert not SECRET.search(alice.sees(sent.location).text)


def test_a_new_client_belongs_to_the_admins_tenant(app: Flask, alice: Person) -> None:
    creates(alice, tenant_id="globex", require_pkce="1")

    (row,) = rows_of(app, "oauth_clients")
    assert row["tenant_id"] == "acme"
    assert row["name"] == "Flow maker"
    assert row["scope"] == "profile:read tasks:read"
    assert row["grant_types"] == "authorization_code refresh_token"
    assert row["require_pkce"] == 1
    assert row["secret_hash"]


def test_a_new_client_works(app: Flask, alice: Person, bob: Person) -> None:
    page = Page(creates(alice, redirect_uris="https://program.test/callback", require_pkce="1"))
    (row,) = rows_of(app, "oauth_clients")
    program = Program(app, row["client_id"], secret_on(page))

    code = bob.allows(program.question(scope="profile:read"))

    assert program.redeems(code).status_code == 200


def test_pkce_is_asked_for_unless_the_admin_unticks_it(app: Flask, alice: Person) -> None:
    assert new_form(alice).values["require_pkce"] == ["1"]

    creates(alice, require_pkce=[])

    assert rows_of(app, "oauth_clients")[0]["require_pkce"] == 0


def test_a_public_client_has_no_secret(app: Flask, alice: Person) -> None:
    page = Page(creates(alice, public="1", require_pkce="1"))

    (row,) = rows_of(app, "oauth_clients")
    assert row["secret_hash"] is None
    assert not SECRET.search(page.text)
    assert not [form for form in page.forms if form.action.endswith("/rotate")]


def test_a_platforms_addresses_are_filled_in(app: Flask, alice: Person) -> None:
    form = new_form(alice, "?preset=activepieces")

    page = Page(presses(alice, form, scope=["profile:read"]))

    assert page.status == 200, page.text
    (row,) = rows_of(app, "oauth_clients")
    assert row["name"] == "Activepieces"
    assert row["redirect_uris"] == "https://cloud.activepieces.com/redirect"
    assert row["require_pkce"] == 0


def test_an_address_of_ones_own_is_added_to_a_platforms(app: Flask, alice: Person) -> None:
    form = new_form(alice, "?preset=activepieces")
    typed = form.values["redirect_uris"] + "\nhttps://ap.example.com/redirect"

    alice.sends(form, scope=["profile:read"], redirect_uris=typed)

    (row,) = rows_of(app, "oauth_clients")
    assert "https://cloud.activepieces.com/redirect" in row["redirect_uris"]
    assert "https://ap.example.com/redirect" in row["redirect_uris"]


def test_an_unknown_platform_fills_in_nothing(alice: Person) -> None:
    form = new_form(alice, "?preset=%3Cb%3E")

    assert form.values["name"] == ""
    assert form.values["require_pkce"] == ["1"]


#: What is typed, and the words about it.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": "  "}, "a client needs a name"),
    ({"name": "n" * 121}, "at most 120 characters"),
    ({"description": "d" * 501}, "at most 500 characters"),
    ({"redirect_uris": ""}, "at least one redirect URI is needed"),
    ({"redirect_uris": "http://maker.test/"}, "it must use https"),
    ({"redirect_uris": "javascript:alert(1)"}, "its scheme must be https"),
    ({"redirect_uris": "https://maker.test/#x"}, "it must have no fragment"),
    ({"scope": []}, "at least one scope is needed"),
    ({"scope": ["everything"]}, "there is no scope 'everything'"),
    ({"public": "1", "require_pkce": []}, "a public client cannot do without PKCE"),
]


@pytest.mark.parametrize(("changes", "words"), MISTAKES)
def test_a_mistake_is_named_and_what_was_typed_is_kept(
    app: Flask, alice: Person, changes: dict[str, Any], words: str
) -> None:
    page = Page(creates(alice, **changes))

    form = page.form("redirect_uris")
    typed = TYPED | changes
    assert page.status == 422
    assert words in page.text
    assert form.values["name"] == typed["name"]
    assert form.values["redirect_uris"].split() == typed["redirect_uris"].split()
    if changes.get("scope") != ["everything"]:
        assert sorted(form.values.get("scope", [])) == sorted(typed["scope"])
    assert row_counts(app) == {}


def test_several_mistakes_are_told_together(alice: Person) -> None:
    page = Page(creates(alice, name="", redirect_uris="", scope=[]))

    for words in ("needs a name", "redirect URI is needed", "scope is needed"):
        assert words in page.text


# A new secret


def test_a_rotation_shows_the_new_secret_and_leaves_the_old_one_working(
    app: Flask, alice: Person, bob: Person, theirs: Program
) -> None:
    token = theirs.connects(bob)["refresh_token"]
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/rotate")

    page = Page(presses(alice, form))

    new = Program(app, theirs.client_id, secret_on(page))
    second = answer_of(new.refreshes(token))["refresh_token"]
    assert theirs.refreshes(second).status_code == 200
    assert not SECRET.search(alice.sees(f"{LIST}/{theirs.client_id}").text)


def test_a_second_rotation_ends_the_first_secret(
    app: Flask, alice: Person, theirs: Program
) -> None:
    page = f"{LIST}/{theirs.client_id}"
    for _ in range(2):
        alice.sends(alice.sees(page).form_to("/rotate"))

    refused = theirs.posts("/oauth/token", {"grant_type": "client_credentials"})

    assert answer_of(refused, 401)["error"] == "invalid_client"


def test_of_two_clicks_only_the_first_rotates(
    app: Flask, alice: Person, bob: Person, theirs: Program
) -> None:
    """The second would end the secret that the platform uses, and hide the one that the first has made."""
    token = theirs.connects(bob)["refresh_token"]
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/rotate")
    first = secret_on(Page(presses(alice, form)))
    before = rows_of(app, "oauth_clients")

    second = Page(alice.sends(form))

    assert second.status == 422
    assert "rotated since you opened this page" in second.text
    assert not SECRET.search(second.text)
    assert rows_of(app, "oauth_clients") == before
    for secret in theirs.client_secret, first:
        token = answer_of(Program(app, theirs.client_id, secret).refreshes(token))["refresh_token"]


@pytest.mark.parametrize("mark", ["", "é", "0" * 64])
def test_a_rotation_says_which_secret_it_replaces(
    app: Flask, alice: Person, theirs: Program, mark: str
) -> None:
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/rotate")
    before = rows_of(app, "oauth_clients")

    assert alice.sends(form, secret_version=mark).status_code == 422

    assert rows_of(app, "oauth_clients") == before


def test_a_page_shows_nothing_of_the_secrets_hash(
    app: Flask, alice: Person, theirs: Program
) -> None:
    (row,) = rows_of(app, "oauth_clients")

    assert row["secret_hash"] not in alice.sees(f"{LIST}/{theirs.client_id}").text


def test_a_public_client_has_no_secret_to_rotate(app: Flask, alice: Person) -> None:
    """Its page has no such button, but a page that was open before may."""
    public = Program.registered(app, "--tenant", "acme", "--public")
    form = alice.sees(f"{LIST}/{public.client_id}").form_to("/delete")

    answer = alice.browser.post(f"{LIST}/{public.client_id}/rotate", data=form.values)

    assert answer.status_code == 422
    assert "no secret to rotate" in answer.text
    assert rows_of(app, "oauth_clients")[0]["secret_hash"] is None


# The end of one


def test_a_deleted_client_takes_all_that_it_has_with_it(
    app: Flask, alice: Person, bob: Person, theirs: Program
) -> None:
    pair = theirs.connects(bob)
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/delete")

    answer = alice.sends(form, confirm="yes")

    assert (answer.status_code, answer.location) == (303, LIST)
    assert theirs.calls(pair["access_token"]).status_code == 401
    assert answer_of(theirs.refreshes(pair["refresh_token"]), 401)["error"] == "invalid_client"
    assert not {"oauth_clients", "grants"} & set(row_counts(app))


def test_without_the_tick_nothing_is_deleted(app: Flask, alice: Person, theirs: Program) -> None:
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/delete")

    page = Page(presses(alice, form))

    assert page.status == 422
    assert "Tick the box" in page.text
    assert row_counts(app)["oauth_clients"] == 1


# Other people's


@pytest.mark.parametrize("options", [("--tenant", "globex"), ()], ids=["foreign", "global"])
def test_a_client_that_is_not_the_tenants_own_does_not_exist_here(
    app: Flask, alice: Person, theirs: Program, options: tuple[str, ...]
) -> None:
    other = Program.registered(app, *options)
    own_values = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/delete").values
    before = rows_of(app, "oauth_clients")

    assert_error_page(alice.opens(f"{LIST}/{other.client_id}"), 404)
    for action in ("rotate", "delete"):
        sent = own_values | {"confirm": "yes"}
        assert_error_page(alice.browser.post(f"{LIST}/{other.client_id}/{action}", data=sent), 404)

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("action", ["new", "{id}/rotate", "{id}/delete"])
def test_a_forged_form_changes_nothing(
    app: Flask, alice: Person, theirs: Program, action: str
) -> None:
    form = alice.sees(f"{LIST}/{theirs.client_id}").form_to("/delete")
    before = rows_of(app, "oauth_clients")
    form.action = f"{LIST}/{action.format(id=theirs.client_id)}"

    for page_token in ("", "wrong", "é"):
        assert_error_page(alice.sends(form, **TYPED, confirm="yes", page_token=page_token), 400)

    assert rows_of(app, "oauth_clients") == before


def test_while_the_database_is_away_the_pages_ask_for_patience(app: Flask, alice: Person) -> None:
    with database_away(app):
        assert_error_page(alice.opens(LIST), 503)
