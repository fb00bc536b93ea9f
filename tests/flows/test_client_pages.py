"""The pages on which a tenant's admin registers OAuth clients, rotates their secrets and deletes them."""

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

LIST = "/automation/clients"
NEW = "/automation/clients/new"
SECRET = re.compile(r"fas_[0-9a-f]{64}")
FORM_VALUES = {
    "name": "Flow maker",
    "description": "Makes flows",
    "redirect_uris": "https://maker.test/one\r\nhttps://maker.test/two",
    "scope": ["profile:read", "tasks:read"],
}


@pytest.fixture
def acme_client(app: Flask) -> Program:
    """A client of Acme."""
    return Program.registered(app, "--tenant", "acme")


def new_form(person: Person, query: str = "") -> Form:
    return person.sees(NEW + query).form("redirect_uris")


def create_client(person: Person, **changes: Any) -> TestResponse:
    """Submit the form for a new client; return the final page."""
    return submit(person, new_form(person), **(FORM_VALUES | changes))


def submit(person: Person, form: Form, **changes: Any) -> TestResponse:
    """Submit a form and follow its redirect."""
    return person.browser.post(form.action, data=form.values | changes, follow_redirects=True)


def secret_on(page: Page) -> str:
    secrets: list[str] = SECRET.findall(page.text)
    assert len(secrets) == 1
    return secrets[0]


# Permission


@pytest.mark.parametrize("path", [LIST, NEW, LIST + "/some-id"])
def test_an_anonymous_user_signs_in_first(stranger: Person, path: str) -> None:
    sent = stranger.opens(path)

    assert sent.status_code == 302
    assert sent.location.startswith("/login?next=%2Fautomation%2Fclients")


@pytest.mark.parametrize("path", [LIST, NEW, LIST + "/some-id"])
def test_only_an_admin_may_open_the_pages(bob: Person, path: str) -> None:
    page = assert_error_page(bob.opens(path), 403)

    assert "Ask an admin" in page.text


@pytest.mark.parametrize("action", ["new", "{id}/edit", "{id}/rotate", "{id}/switch", "{id}/delete"])
def test_only_an_admin_may_change_anything(app: Flask, bob: Person, acme_client: Program, action: str) -> None:
    before = rows_of(app, "oauth_clients")

    assert_error_page(bob.browser.post(f"{LIST}/{action.format(id=acme_client.client_id)}"), 403)

    assert rows_of(app, "oauth_clients") == before


# The list


def test_the_empty_list_links_to_the_form_for_a_new_client(alice: Person) -> None:
    page = alice.sees(LIST)

    assert page.status == 200
    assert "No OAuth clients yet" in page.text
    assert page.links["New client"] == NEW


def test_the_list_contains_only_the_tenants_own_clients(app: Flask, alice: Person, acme_client: Program) -> None:
    foreign = Program.registered(app, "--tenant", "globex")
    for_all = Program.registered(app)

    page = alice.sees(LIST)

    assert f"{LIST}/{acme_client.client_id}" in page.links.values()
    for other in (foreign, for_all):
        assert f"{LIST}/{other.client_id}" not in page.links.values()
    assert_not_frameable(page.response)


# Creation


def test_an_admin_cannot_let_a_client_skip_the_consent_page(app: Flask, alice: Person) -> None:
    create_client(alice, remember_consent="1")
    (row,) = rows_of(app, "oauth_clients")

    assert not row["remember_consent"]
    assert "Consent page Always shown" in alice.sees(f"{LIST}/{row['client_id']}").text


def test_the_page_shows_when_an_operator_lets_a_client_skip_the_consent_page(app: Flask, alice: Person) -> None:
    marked = Program.registered(app, "--tenant", "acme", "--remember-consent")

    assert "set by an operator" in alice.sees(f"{LIST}/{marked.client_id}").text


def test_the_secret_of_a_new_client_is_shown_once(app: Flask, alice: Person) -> None:
    created = Page(create_client(alice))
    (row,) = rows_of(app, "oauth_clients")
    again = alice.sees(f"{LIST}/{row['client_id']}")

    assert created.status == 200
    assert secret_on(created)
    assert "Kind Confidential (has a secret)" in created.text
    for value in (row["client_id"], "http://localhost/oauth/authorize", "https://maker.test/two"):
        assert value in created.text
        assert value in again.text
    assert not SECRET.search(again.text)
    assert created.response.headers["Cache-Control"] == "no-store"


def test_reloading_after_creation_creates_no_second_client(app: Flask, alice: Person) -> None:
    sent = alice.sends(new_form(alice), **FORM_VALUES)
    (row,) = rows_of(app, "oauth_clients")

    page, reloaded = alice.sees(sent.location), alice.sees(sent.location)

    assert (sent.status_code, sent.location) == (303, f"{LIST}/{row['client_id']}")
    assert secret_on(page)
    assert not SECRET.search(reloaded.text)
    assert row_counts(app)["oauth_clients"] == 1


def test_reloading_after_a_rotation_does_not_rotate_again(app: Flask, alice: Person, acme_client: Program) -> None:
    sent = alice.sends(alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/rotate"))
    before = rows_of(app, "oauth_clients")

    page, reloaded = alice.sees(sent.location), alice.sees(sent.location)

    assert (sent.status_code, sent.location) == (303, f"{LIST}/{acme_client.client_id}")
    assert secret_on(page)
    assert not SECRET.search(reloaded.text)
    assert rows_of(app, "oauth_clients") == before


def test_a_new_secret_reaches_its_page_only_in_an_unreadable_cookie(app: Flask, alice: Person) -> None:
    sent = alice.sends(new_form(alice), **FORM_VALUES)

    (cookie,) = sent.headers.getlist("Set-Cookie")
    assert not SECRET.search(f"{sent.headers} {sent.text}")
    for attribute in ("HttpOnly", "SameSite=Lax", "Max-Age=300", f"Path={sent.location}"):
        assert attribute in cookie
    assert secret_on(alice.sees(sent.location))


def secret_cookie(person: Person, location: str) -> str:
    """The cookie that carries the new secret to the page at this path."""
    cookie = person.browser.get_cookie("activepieces_new_secret", path=location)
    assert cookie is not None
    return cookie.value


@pytest.mark.parametrize("seconds", [299, 300])
def test_a_new_secret_can_be_shown_for_five_minutes(alice: Person, clock: StoppedClock, seconds: int) -> None:
    sent = alice.sends(new_form(alice), **FORM_VALUES)
    cookie = secret_cookie(alice, sent.location)
    clock.advance(seconds)
    alice.browser.set_cookie("activepieces_new_secret", cookie, path=sent.location)

    assert bool(SECRET.search(alice.sees(sent.location).text)) is (seconds < 300)


def test_a_secret_is_shown_only_on_the_page_of_its_client(alice: Person, acme_client: Program) -> None:
    sent = alice.sends(new_form(alice), **FORM_VALUES)
    other_page = f"{LIST}/{acme_client.client_id}"
    for value in (secret_cookie(alice, sent.location), "", "x", "é"):
        alice.browser.set_cookie("activepieces_new_secret", value, path=other_page)

        page = alice.sees(other_page)

        assert page.status == 200
        assert not SECRET.search(page.text)


def test_a_secret_rotated_in_the_meantime_is_not_shown(app: Flask, alice: Person, acme_client: Program) -> None:
    sent = alice.sends(alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/rotate"))
    app.test_cli_runner().invoke(args=["activepieces", "client", "rotate", acme_client.client_id])

    assert not SECRET.search(alice.sees(sent.location).text)


def test_a_new_client_belongs_to_the_admins_tenant(app: Flask, alice: Person) -> None:
    create_client(alice, tenant_id="globex", require_pkce="1")

    (row,) = rows_of(app, "oauth_clients")
    assert row["tenant_id"] == "acme"
    assert row["name"] == "Flow maker"
    assert row["scope"] == "profile:read tasks:read"
    assert row["grant_types"] == "authorization_code refresh_token"
    assert row["require_pkce"] == 1
    assert row["secret_hash"]


def test_a_new_client_works(app: Flask, alice: Person, bob: Person) -> None:
    page = Page(create_client(alice, redirect_uris="https://program.test/callback", require_pkce="1"))
    (row,) = rows_of(app, "oauth_clients")
    program = Program(app, row["client_id"], secret_on(page))

    code = bob.allows(program.question(scope="profile:read"))

    assert program.redeems(code).status_code == 200


def test_pkce_is_required_unless_the_admin_unticks_it(app: Flask, alice: Person) -> None:
    assert new_form(alice).values["require_pkce"] == ["1"]

    create_client(alice, require_pkce=[])

    assert rows_of(app, "oauth_clients")[0]["require_pkce"] == 0


def test_a_public_client_has_no_secret(app: Flask, alice: Person) -> None:
    page = Page(create_client(alice, public="1", require_pkce="1"))

    (row,) = rows_of(app, "oauth_clients")
    assert row["secret_hash"] is None
    assert not SECRET.search(page.text)
    assert not [form for form in page.forms if form.action.endswith("/rotate")]


def test_a_preset_fills_in_the_redirect_uris(app: Flask, alice: Person) -> None:
    form = new_form(alice, "?preset=activepieces")

    page = Page(submit(alice, form, scope=["profile:read"]))

    assert page.status == 200, page.text
    (row,) = rows_of(app, "oauth_clients")
    assert row["name"] == "Activepieces"
    assert row["redirect_uris"] == "https://cloud.activepieces.com/redirect"
    assert row["require_pkce"] == 0


def test_a_redirect_uri_can_be_added_to_a_preset(app: Flask, alice: Person) -> None:
    form = new_form(alice, "?preset=activepieces")
    submitted = form.values["redirect_uris"] + "\nhttps://ap.example.com/redirect"

    alice.sends(form, scope=["profile:read"], redirect_uris=submitted)

    (row,) = rows_of(app, "oauth_clients")
    assert "https://cloud.activepieces.com/redirect" in row["redirect_uris"]
    assert "https://ap.example.com/redirect" in row["redirect_uris"]


def test_an_unknown_preset_fills_in_nothing(alice: Person) -> None:
    form = new_form(alice, "?preset=%3Cb%3E")

    assert form.values["name"] == ""
    assert form.values["require_pkce"] == ["1"]


#: Invalid input, and its message.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": "  "}, "A name is required: the consent page shows it"),
    ({"name": "n" * 121}, "At most 120 characters"),
    ({"description": "d" * 501}, "At most 500 characters"),
    ({"redirect_uris": ""}, "At least one redirect URI is required"),
    ({"redirect_uris": "http://maker.test/"}, "must use https"),
    ({"redirect_uris": "javascript:alert(1)"}, "the scheme must be https"),
    ({"redirect_uris": "https://maker.test/#x"}, "must not have a fragment"),
    ({"scope": []}, "Permissions: Choose at least one permission."),
    ({"scope": ["everything"]}, "Unknown scope 'everything'"),
    ({"public": "1", "require_pkce": []}, "A public client must use PKCE"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES)
def test_invalid_input_is_explained_and_the_form_keeps_its_values(
    app: Flask, alice: Person, changes: dict[str, Any], message: str
) -> None:
    page = Page(create_client(alice, **changes))

    form = page.form("redirect_uris")
    submitted = FORM_VALUES | changes
    assert page.status == 422
    assert message in page.text
    assert form.values["name"] == submitted["name"]
    assert form.values["redirect_uris"].split() == submitted["redirect_uris"].split()
    if changes.get("scope") != ["everything"]:
        assert sorted(form.values.get("scope", [])) == sorted(submitted["scope"])
    assert row_counts(app) == {}


def test_several_mistakes_are_reported_together(alice: Person) -> None:
    page = Page(create_client(alice, name="", redirect_uris="", scope=[]))

    for message in ("the consent page shows it", "redirect URI is required", "at least one permission"):
        assert message in page.text


# Rotation


def test_a_rotation_shows_the_new_secret_and_keeps_the_old_one_valid(
    app: Flask, alice: Person, bob: Person, acme_client: Program
) -> None:
    token = acme_client.connects(bob)["refresh_token"]
    form = alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/rotate")

    page = Page(submit(alice, form))

    new = Program(app, acme_client.client_id, secret_on(page))
    second = answer_of(new.refreshes(token))["refresh_token"]
    assert acme_client.refreshes(second).status_code == 200
    assert not SECRET.search(alice.sees(f"{LIST}/{acme_client.client_id}").text)


def test_a_second_rotation_invalidates_the_first_secret(app: Flask, alice: Person, acme_client: Program) -> None:
    page = f"{LIST}/{acme_client.client_id}"
    for _ in range(2):
        alice.sends(alice.sees(page).form_to("/rotate"))

    refused = acme_client.posts("/oauth/token", {"grant_type": "client_credentials"})

    assert answer_of(refused, 401)["error"] == "invalid_client"


def test_a_double_click_rotates_once(app: Flask, alice: Person, bob: Person, acme_client: Program) -> None:
    """A second rotation would invalidate the secret in use and hide the one just created."""
    token = acme_client.connects(bob)["refresh_token"]
    form = alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/rotate")
    first = secret_on(Page(submit(alice, form)))
    before = rows_of(app, "oauth_clients")

    second = Page(alice.sends(form))

    assert second.status == 422
    assert "rotated since you opened this page" in second.text
    assert not SECRET.search(second.text)
    assert rows_of(app, "oauth_clients") == before
    for secret in acme_client.client_secret, first:
        token = answer_of(Program(app, acme_client.client_id, secret).refreshes(token))["refresh_token"]


@pytest.mark.parametrize("version", ["", "é", "0" * 64])
def test_a_rotation_must_name_the_secret_it_replaces(
    app: Flask, alice: Person, acme_client: Program, version: str
) -> None:
    form = alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/rotate")
    before = rows_of(app, "oauth_clients")

    assert alice.sends(form, secret_version=version).status_code == 422

    assert rows_of(app, "oauth_clients") == before


def test_the_page_does_not_show_the_secrets_hash(app: Flask, alice: Person, acme_client: Program) -> None:
    (row,) = rows_of(app, "oauth_clients")

    assert row["secret_hash"] not in alice.sees(f"{LIST}/{acme_client.client_id}").text


def test_a_public_client_has_no_secret_to_rotate(app: Flask, alice: Person) -> None:
    """Its page has no rotate button, but a page opened earlier may."""
    public = Program.registered(app, "--tenant", "acme", "--public")
    form = alice.sees(f"{LIST}/{public.client_id}").form_to("/switch")

    answer = alice.browser.post(f"{LIST}/{public.client_id}/rotate", data=form.values)

    assert answer.status_code == 422
    assert "no secret to rotate" in answer.text
    assert rows_of(app, "oauth_clients")[0]["secret_hash"] is None


# Deletion


def test_deleting_a_client_revokes_its_grants_and_tokens(
    app: Flask, alice: Person, bob: Person, acme_client: Program
) -> None:
    pair = acme_client.connects(bob)
    form = alice.sees(f"{LIST}/{acme_client.client_id}/delete").form_to("/delete")

    answer = alice.sends(form)

    assert (answer.status_code, answer.location) == (303, f"{LIST}?done=client-deleted")
    assert acme_client.calls(pair["access_token"]).status_code == 401
    assert answer_of(acme_client.refreshes(pair["refresh_token"]), 401)["error"] == "invalid_client"
    assert not {"oauth_clients", "grants"} & set(row_counts(app))


def test_the_page_before_the_deletion_says_what_stops(
    app: Flask, alice: Person, bob: Person, acme_client: Program
) -> None:
    unused = alice.sees(f"{LIST}/{acme_client.client_id}/delete")
    acme_client.connects(bob)

    page = alice.sees(f"{LIST}/{acme_client.client_id}/delete")

    assert "Nothing: nobody has connected it." in unused.text
    assert "1 user loses what they connected with it." in page.text
    assert "1 connection or program loses its access." in page.text
    assert row_counts(app)["oauth_clients"] == 1


# Clients of other tenants


@pytest.mark.parametrize("options", [("--tenant", "globex"), ()], ids=["foreign", "global"])
def test_another_tenants_client_is_not_found(
    app: Flask, alice: Person, acme_client: Program, options: tuple[str, ...]
) -> None:
    other = Program.registered(app, *options)
    form_values = alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/switch").values
    before = rows_of(app, "oauth_clients")

    assert_error_page(alice.opens(f"{LIST}/{other.client_id}"), 404)
    for action in ("edit", "rotate", "switch", "delete"):
        sent = form_values | {"confirm": "yes"}
        assert_error_page(alice.browser.post(f"{LIST}/{other.client_id}/{action}", data=sent), 404)

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("action", ["new", "{id}/edit", "{id}/rotate", "{id}/switch", "{id}/delete"])
def test_a_forged_form_changes_nothing(app: Flask, alice: Person, acme_client: Program, action: str) -> None:
    form = alice.sees(f"{LIST}/{acme_client.client_id}").form_to("/switch")
    before = rows_of(app, "oauth_clients")
    form.action = f"{LIST}/{action.format(id=acme_client.client_id)}"

    for page_token in ("", "wrong", "é"):
        assert_error_page(alice.sends(form, **FORM_VALUES, confirm="yes", page_token=page_token), 400)

    assert rows_of(app, "oauth_clients") == before


def test_the_pages_answer_503_while_the_database_is_down(app: Flask, alice: Person) -> None:
    with database_away(app):
        assert_error_page(alice.opens(LIST), 503)
