"""What happens to a consent page while it is open: time passes, people change, admins decide, someone goes back."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES, SCOPES
from tests.support.pages import Page


def test_an_expired_page_says_where_to_start_again(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    form = bob.sees(program.question()).form("decision")
    clock.advance(30 * 60)

    with assert_nothing_stored(app):
        for decision in ("approve", "deny", "switch", ""):
            page = assert_error_page(bob.sends(form, decision=decision))
            assert "Nothing was changed: the page has expired. Go back to the app that sent you here" in page.text
            assert page.links == {}


def test_another_account_reads_the_request_again_before_it_decides(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")
    bob.sign_in("carol")

    with assert_nothing_stored(app):
        page = assert_error_page(bob.sends(form, decision="approve"))
    again = bob.sees(page.links["Read the request again"])

    assert "Signed in as Carol" in again.text
    tokens = answer_of(program.redeems(brought_back(bob.sends(again.form("decision"), decision="approve"))["code"]))
    assert program.calls(tokens["access_token"]).get_json()["user_id"] == "carol"


def test_the_first_account_can_still_answer_its_page(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")
    bob.sign_in("carol")
    bob.sends(form, decision="approve")
    bob.sign_in("bob")

    assert brought_back(bob.sends(form, decision="approve"))["code"]


def test_another_browser_is_not_led_to_the_request(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")

    with assert_nothing_stored(app):
        page = assert_error_page(Person(app, "bob").sends(form, decision="approve"))

    assert page.links == {}


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_client_that_was_suspended_meanwhile_gets_no_code(
    app: Flask, program: Program, bob: Person, decision: str
) -> None:
    form = bob.sees(program.question()).form("decision")
    app.test_cli_runner().invoke(args=["activepieces", "client", "disable", program.client_id])

    with assert_nothing_stored(app):
        page = assert_error_page(bob.sends(form, decision=decision))

    assert "Program is suspended. Ask an administrator of your workspace to enable it." in page.text


def test_a_client_that_is_enabled_again_can_be_approved_on_the_open_page(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")
    for command in ("disable", "enable"):
        app.test_cli_runner().invoke(args=["activepieces", "client", command, program.client_id])

    assert brought_back(bob.sends(form, decision="approve"))["code"]


def boxes(page: Page) -> dict[str | None, bool]:
    """Which boxes the page has, and whether each is ticked."""
    return {
        attributes.get("value"): "checked" in attributes
        for _, attributes in page.tags
        if attributes.get("type") == "checkbox"
    }


def test_reloading_the_page_ticks_every_box_again(program: Program, bob: Person) -> None:
    for _ in range(2):
        assert boxes(bob.sees(program.question())) == {"tasks:read": True, "tasks:write": True}


def test_enter_shows_the_page_again_as_the_user_left_it(app: Flask, program: Program, bob: Person) -> None:
    """Enter presses the first button of the form, whose value is empty."""
    form = bob.sees(program.question()).form("decision")
    form.values["scope"] = ["profile:read", "tasks:read"]

    with assert_nothing_stored(app):
        response = bob.sends(form, decision="")
    page = Page(response)

    assert (response.status_code, boxes(page)) == (422, {"tasks:read": True, "tasks:write": False})
    assert "Choose Approve or Deny." in page.text
    details = next(attributes for tag, attributes in page.tags if tag == "details")
    assert "open" in details, "the unticked box is hidden"
    code = brought_back(bob.sends(page.form("decision"), decision="approve"))["code"]
    assert answer_of(program.redeems(code))["scope"] == "profile:read tasks:read"


def test_the_first_button_of_the_form_decides_nothing(program: Program, bob: Person) -> None:
    page = bob.sees(program.question())

    buttons = [attributes for tag, attributes in page.tags if tag == "button"]

    assert (buttons[0]["name"], buttons[0]["value"]) == ("decision", "")
    assert [button["value"] for button in buttons[1:]] == ["approve", "deny"]


def test_an_approval_after_going_back_is_a_second_code_for_the_same_grant(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")
    first = brought_back(bob.sends(form, decision="approve"))["code"]

    second = brought_back(bob.sends(form, decision="approve", scope=["profile:read"]))["code"]

    assert answer_of(program.redeems(first))["scope"] == ALL_SCOPES
    assert answer_of(program.redeems(second))["scope"] == "profile:read"


def test_going_back_after_a_denial_allows_an_approval(program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")

    assert brought_back(bob.sends(form, decision="deny"))["error"] == "access_denied"
    assert brought_back(bob.sends(form, decision="approve"))["code"]


def test_a_scope_that_the_app_removed_meanwhile_is_not_granted(make_app: MakeApp) -> None:
    before = make_app()
    program, bob = Program.registered(before), Person(before, "bob")
    form = bob.sees(program.question()).form("decision")
    # A worker of the next version of the app answers.
    remaining = {name: scope for name, scope in SCOPES.items() if name != "tasks:write"}
    after = make_app(ACTIVEPIECES_SCOPES=remaining, tables=False)
    bob.browser.application = after

    response = bob.sends(form, decision="approve")

    assert "tasks:write" not in brought_back(response).get("scope", "")
    assert brought_back(response)["error"] == "invalid_scope"
