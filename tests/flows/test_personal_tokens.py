"""Personal access tokens: created and revoked on the connected-apps page, and accepted wherever a bearer token is."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces import Activepieces
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_not_frameable, assert_oauth_error
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.pieces import create_token
from tests.support.storage import rows_of, statements_of

PAGE = "/oauth/connected-apps"
FORM = "/oauth/personal-tokens/new"


def revoke_forms(page: Page) -> list[Any]:
    return [form for form in page.forms if form.action.endswith("/revoke")]


def test_a_token_is_accepted_with_the_user_and_scopes_that_it_was_created_with(
    app: Flask, program: Program, bob: Person
) -> None:
    token = create_token(bob, scope="profile:read tasks:read")

    assert answer_of(program.calls(token)) == {
        "user_id": "bob",
        "tenant_id": "acme",
        "client_id": "",
        "scopes": ["profile:read", "tasks:read"],
    }


def test_a_token_without_a_scope_is_refused_there(program: Program, bob: Person) -> None:
    token = create_token(bob, scope="profile:read")

    refused = program.calls(token, "/api/tasks", "POST")

    assert answer_of(refused, 403)["error"] == "insufficient_scope"
    assert 'scope="tasks:write"' in refused.headers["WWW-Authenticate"]


def test_two_tokens_of_one_name_have_different_buttons(bob: Person, clock: StoppedClock) -> None:
    create_token(bob)
    clock.advance(hours=1)
    create_token(bob)

    labels = [attributes.get("aria-label") for tag, attributes in bob.sees(PAGE).tags if tag == "button"]

    assert [label for label in labels if label] == [
        "Revoke My flow in Acme, created just now",
        "Revoke My flow in Acme, created 1 hour ago",
    ]


def test_a_token_is_shown_once(bob: Person) -> None:
    token = create_token(bob)

    page = bob.sees(PAGE)

    assert "My flow" in page.text
    assert token not in page.response.text
    assert bob.browser.get_cookie("activepieces_new_token", path=PAGE) is None


def test_a_new_token_is_not_shown_to_another_user_of_the_browser(bob: Person) -> None:
    form = bob.sees(FORM).form("expires")
    bob.sends(form, name="My flow", scope=["tasks:read"])
    bob.sign_in("alice")

    assert "apat_" not in bob.sees(PAGE).text


def test_a_new_token_is_not_shown_after_five_minutes(bob: Person, clock: StoppedClock) -> None:
    bob.sends(bob.sees(FORM).form("expires"), name="My flow", scope=["tasks:read"])
    clock.advance(300)

    assert "apat_" not in bob.sees(PAGE).text


def test_the_page_lists_name_permissions_workspace_and_times(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    token = create_token(bob, scope="tasks:read", expires="30")
    assert "Last used Never" in bob.sees(PAGE).text
    clock.advance(hours=1)
    program.calls(token)

    page = bob.sees(PAGE)

    for text in (
        "My flow",
        "Permissions See tasks",
        "Workspace Acme",
        "Created 1 hour ago",
        "Last used just now",
        "Expires in 1 month",
    ):
        assert text in page.text, text
    assert "Change tasks" not in page.text
    assert_not_frameable(page.response)


@pytest.mark.parametrize(("expires", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_token_ends_after_the_chosen_time(
    program: Program, bob: Person, clock: StoppedClock, expires: str, days: int
) -> None:
    token = create_token(bob, expires=expires)
    clock.advance(days * 86_400 - 1)
    assert program.calls(token).status_code == 200

    clock.advance(1)

    assert answer_of(program.calls(token), 401) == {
        "error": "invalid_token",
        "error_description": "The personal access token was revoked or has expired.",
    }
    assert "(expired)" in bob.sees(PAGE).text.replace("( expired )", "(expired)")


def test_a_token_without_expiry_does_not_end(program: Program, bob: Person, clock: StoppedClock) -> None:
    token = create_token(bob, expires="never")
    clock.advance(days=10_000)

    assert program.calls(token).status_code == 200


def test_a_revoked_token_is_refused_immediately(program: Program, bob: Person) -> None:
    token, other = create_token(bob), create_token(bob, name="Another")
    page = bob.sees(PAGE)
    (form,) = [each for each in revoke_forms(page) if _name_of(page, each.action) == "My flow"]

    answer = bob.sends(form)

    assert answer.location == f"{PAGE}?revoked=1#personal-tokens"
    assert "The token was revoked." in bob.sees(answer.location).text
    assert program.calls(token).status_code == 401
    assert program.calls(other).status_code == 200


def _name_of(page: Page, action: str) -> str:
    names = [attributes.get("aria-label") for tag, attributes in page.tags if tag == "button"]
    labels = [name.removeprefix("Revoke ") for name in names if name and name.startswith("Revoke ")]
    return labels[[form.action for form in revoke_forms(page)].index(action)]


def test_revoking_twice_is_not_found(bob: Person) -> None:
    create_token(bob)
    (form,) = revoke_forms(bob.sees(PAGE))
    bob.sends(form)

    assert_error_page(bob.sends(form), 404)


@pytest.mark.parametrize("name", ["alice", "carol"])
def test_no_one_else_can_revoke_a_token(app: Flask, program: Program, bob: Person, name: str) -> None:
    """Neither a colleague nor a stranger in another tenant, with a page token of their own."""
    token, other = create_token(bob), Person(app, name)
    (form,) = revoke_forms(bob.sees(PAGE))
    create_token(other)
    (own,) = revoke_forms(other.sees(PAGE))

    assert_error_page(other.browser.post(form.action, data=own.values), 404)
    assert program.calls(token).status_code == 200


@pytest.mark.parametrize("token_id", ["x", "%00", "é", "a" * 500])
def test_a_token_that_does_not_exist_is_not_found(bob: Person, token_id: str) -> None:
    create_token(bob)
    (own,) = revoke_forms(bob.sees(PAGE))

    assert_error_page(bob.browser.post(f"/oauth/personal-tokens/{token_id}/revoke", data=own.values), 404)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": " "}, "Name", "Enter a name"),
        ({"name": "x" * 101}, "Name", "Use a shorter name"),
        ({"scope": []}, "Permissions", "Select at least one permission."),
        ({"scope": ["tasks:admin"]}, "Permissions", "Select permissions of this app only."),
        ({"workspace": "globex"}, "Workspace", "Choose one of your workspaces."),
        ({"expires": "36500"}, "Expiry", "Choose when the token expires."),
    ],
)
def test_an_invalid_form_creates_nothing_and_says_why(
    app: Flask, bob: Person, changes: dict[str, Any], field: str, message: str
) -> None:
    given = {"name": "My flow", "scope": ["tasks:read"]} | changes

    page = Page(bob.sends(bob.sees(FORM).form("expires"), **given))

    assert page.status == 422
    assert f"{field}: {message}" in page.text
    assert rows_of(app, "personal_tokens") == []


def test_what_was_entered_is_still_there_after_an_error(bob: Person) -> None:
    page = Page(bob.sends(bob.sees(FORM).form("expires"), name="", scope=["tasks:read"], expires="365"))

    ticked = [tag for _, tag in page.tags if tag.get("name") == "scope" and "checked" in tag]
    assert [tag["value"] for tag in ticked] == ["tasks:read"]
    assert [tag["value"] for name, tag in page.tags if name == "option" and "selected" in tag] == ["365"]


def test_a_forged_form_creates_nothing(app: Flask, bob: Person) -> None:
    form = bob.sees(FORM).form("expires")

    assert_error_page(bob.sends(form, name="x", scope=["tasks:read"], page_token="wrong"), 400)
    assert rows_of(app, "personal_tokens") == []


def test_a_stranger_signs_in_first(stranger: Person) -> None:
    assert stranger.opens(FORM).location == "/login?next=%2Foauth%2Fpersonal-tokens%2Fnew"


def test_a_user_chooses_the_workspace(make_app: MakeApp) -> None:
    app = make_app(host=HostWithLabs())
    program, bob = Program.registered(app), Person(app, "bob")

    token = create_token(bob, workspace="acme/labs")

    (row,) = rows_of(app, "personal_tokens")
    assert (row["tenant_id"], row["organization_id"], row["workspace_name"]) == ("acme", "labs", "Labs")
    assert answer_of(program.calls(token))["tenant_id"] == "acme"


def test_a_user_has_at_most_a_hundred_tokens(app: Flask, bob: Person, alice: Person) -> None:
    form = bob.sees(FORM).form("expires")
    for _ in range(100):
        assert bob.sends(form, name="x", scope=["tasks:read"]).status_code == 303

    assert "You have too many tokens." in bob.sends(form, name="x", scope=["tasks:read"]).text
    assert create_token(alice)


def test_an_app_without_scopes_offers_no_tokens(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SCOPES={})

    assert "Personal access tokens" not in Person(app, "bob").sees(PAGE).text


@pytest.mark.parametrize("revoke", ["user", "user in the tenant", "tenant", "removed tenant"])
def test_a_token_ends_with_its_user_and_its_tenant(app: Flask, program: Program, bob: Person, revoke: str) -> None:
    token, others = create_token(bob), create_token(Person(app, "carol"))
    activepieces = Activepieces()

    with app.app_context():
        match revoke:
            case "user":
                activepieces.revoke_user("bob")
            case "user in the tenant":
                activepieces.revoke_user("bob", tenant_id="acme")
            case "tenant":
                activepieces.revoke_tenant("acme")
            case "removed tenant":
                activepieces.remove_tenant("acme")

    assert program.calls(token).status_code == 401
    assert program.calls(others).status_code == 200


def test_a_token_of_a_user_who_left_one_tenant_still_works_in_another(app: Flask, program: Program) -> None:
    alice = Person(app, "alice")
    left, kept = create_token(alice, workspace="acme-labs"), create_token(alice, workspace="acme", name="Kept")

    with app.app_context():
        Activepieces().revoke_user("alice", tenant_id="acme-labs")

    assert program.calls(left).status_code == 401
    assert program.calls(kept).status_code == 200


def test_a_request_is_one_lookup_and_the_last_use_is_written_every_five_minutes(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    token, verbs = create_token(bob), []
    for seconds in (0, 299, 1):
        clock.advance(seconds)
        with statements_of(app) as statements:
            program.calls(token)
        verbs.append([statement.split()[0] for statement in statements])

    assert verbs == [["SELECT", "UPDATE", "COMMIT"], ["SELECT"], ["SELECT", "UPDATE", "COMMIT"]]


def test_a_token_is_found_by_its_hash(app: Flask, bob: Person, program: Program) -> None:
    """So that no comparison takes longer for a better guess, and the database does not contain the token."""
    token = create_token(bob)
    with statements_of(app) as statements:
        program.calls(token[:-1] + "x")

    (lookup,) = statements
    assert "token_hash =" in lookup
    (row,) = rows_of(app, "personal_tokens")
    assert token not in repr(row)


@pytest.mark.parametrize("change", ["cut", "longer", "upper case", "its hash", "prefix only"])
def test_a_text_that_is_almost_a_token_is_refused(app: Flask, bob: Person, program: Program, change: str) -> None:
    token = create_token(bob)
    text = {
        "cut": token[:-1],
        "longer": f"{token}x",
        "upper case": token.upper(),
        "its hash": rows_of(app, "personal_tokens")[0]["token_hash"],
        "prefix only": "apat_",
    }[change]

    assert answer_of(program.calls(text), 401)["error"] == "invalid_token"


def test_a_token_in_a_query_string_or_a_form_is_not_read(app: Flask, bob: Person) -> None:
    token = create_token(bob)
    browser = app.test_client(use_cookies=False)

    assert browser.get(f"/api/whoami?access_token={token}").status_code == 401
    assert browser.post("/api/tasks", data={"access_token": token}).status_code == 401


def test_creation_and_revocation_are_audited_without_the_token(app: Flask, bob: Person) -> None:
    token = create_token(bob)
    bob.sends(revoke_forms(bob.sees(PAGE))[0])

    events = rows_of(app, "audit_events")

    assert [event["name"] for event in events] == ["personal_token.created", "personal_token.revoked"]
    assert {(event["tenant_id"], event["user_id"]) for event in events} == {("acme", "bob")}
    assert token not in repr(events)


# --- At the OAuth endpoints -----------------------------------------------------------------------


def test_a_resource_server_introspects_a_token(app: Flask, bob: Person, clock: StoppedClock) -> None:
    token = create_token(bob, scope="tasks:read")
    resource_server = Program.registered(app, "--introspection")

    described = answer_of(resource_server.introspects(token))

    expected = {"active": True, "sub": "bob", "tenant_id": "acme", "scope": "tasks:read", "token_type": "Bearer"}
    assert expected.items() <= described.items()
    assert described["exp"] == clock() + 90 * 86_400
    assert "client_id" not in described


def test_other_clients_and_other_tenants_learn_nothing_by_introspection(app: Flask, bob: Person) -> None:
    token = create_token(bob)
    foreign = Program.registered(app, "--introspection", "--tenant", "globex")

    for client in (Program.registered(app), foreign):
        assert answer_of(client.introspects(token)) == {"active": False}


def test_an_expired_token_is_inactive(app: Flask, bob: Person, clock: StoppedClock) -> None:
    token = create_token(bob)
    clock.advance(days=90)

    assert answer_of(Program.registered(app, "--introspection").introspects(token)) == {"active": False}


def test_introspection_is_not_a_use(app: Flask, bob: Person) -> None:
    token = create_token(bob)
    Program.registered(app, "--introspection").introspects(token)

    assert "Last used Never" in bob.sees(PAGE).text


def test_a_client_cannot_revoke_a_users_token(program: Program, bob: Person) -> None:
    """RFC 7009 §2.1: it was not issued to the client."""
    token = create_token(bob)

    assert_oauth_error(program.revokes(token), 400, "invalid_grant")
    assert program.calls(token).status_code == 200


@pytest.mark.parametrize("grant_type", ["refresh_token", "authorization_code"])
def test_a_token_is_no_grant(program: Program, bob: Person, grant_type: str) -> None:
    token = create_token(bob)
    form = {"grant_type": grant_type, "refresh_token": token, "code": token, "redirect_uri": program.redirect_uri}

    assert_oauth_error(
        program.posts("/oauth/token", {**form, "code_verifier": program.verifier}), 400, "invalid_grant"
    )
