"""What users do with their own account: consent, connected apps and tokens, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from example_app.seed import DEMO_PASSWORD
from tests.browser.many import add_many
from tests.browser.scenes import MILO
from tests.browser.site import Site
from tests.browser.steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_a_personal_access_token_is_created_and_revoked(gwen: Page) -> None:
    gwen.goto("/oauth/connected-apps")
    gwen.get_by_role("link", name="New token").click()

    gwen.get_by_label("See the tasks of the workspace").check()
    gwen.get_by_role("textbox", name="Name").fill("Report")
    gwen.get_by_role("textbox", name="Name").press("Enter")
    expect(gwen.get_by_role("heading", name="Copy the token now")).to_be_visible()
    sees(gwen, "apat_")
    gwen.reload()
    expect(gwen.get_by_role("heading", name="Copy the token now")).to_have_count(0)
    gwen.locator("summary", has_text="Revoke Report").click()
    sees(gwen, "Every script and app that uses this token stops working immediately.")
    press(gwen, "Revoke Report")

    sees(gwen, "The token was revoked.")
    expect(gwen.get_by_role("heading", name="Report")).to_have_count(0)


def test_a_new_token_is_copied(gwen: Page, scripts: bool) -> None:
    """Without scripts there is no button, and a click selects the whole token."""
    gwen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    gwen.goto("/oauth/personal-tokens/new")
    gwen.get_by_label("See the tasks of the workspace").check()
    gwen.get_by_role("textbox", name="Name").fill("Report")
    gwen.get_by_role("textbox", name="Name").press("Enter")
    token = gwen.get_by_text("apat_").inner_text()
    button = gwen.get_by_role("button", name="Copy: Token")
    if not scripts:
        assert button.count() == 0
        return

    button.click()
    expect(button).to_have_text("Copied")
    assert gwen.evaluate("navigator.clipboard.readText()") == token


def test_what_the_browser_does_not_copy_is_selected(ada: Page, site: Site, scripts: bool) -> None:
    """Without scripts there is no button, and a click selects the whole value."""
    ada.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    ada.goto(f"/automation/clients/{site.ids['program']}")

    if scripts:
        ada.get_by_role("button", name="Copy: Client ID").click()
    else:
        ada.get_by_text(site.ids["program"], exact=True).first.click()

    assert ada.evaluate("getSelection().toString()").strip() == site.ids["program"]


def test_an_app_is_disconnected(ada: Page) -> None:
    ada.goto("/oauth/connected-apps")

    ada.locator("summary", has_text="Disconnect Test program").click()
    sees(ada, "Disconnect Test program?")
    press(ada, "Disconnect Test program")

    sees(ada, "The app was disconnected.")
    expect(ada.get_by_role("heading", name="Test program")).to_have_count(0)


def test_a_question_can_be_cancelled(ada: Page) -> None:
    ada.goto("/oauth/connected-apps")
    question = ada.locator("details", has_text="Disconnect Test program").first

    question.locator("summary").click()
    question.locator("summary", has_text="Cancel").click()

    expect(question.get_by_role("button", name="Disconnect Test program")).to_be_hidden()
    expect(ada.get_by_role("heading", name="Test program")).to_be_visible()


@pytest.mark.parametrize(("decision", "answer"), [("Approve", "code"), ("Deny", "error")])
def test_a_program_gets_the_decision(gwen: Page, site: Site, decision: str, answer: str) -> None:
    gwen.goto(site.ids["public authorize"])

    press(gwen, decision)

    gwen.wait_for_url(f"{site.service.callback}?{answer}=*")


def test_an_agent_is_approved(ada: Page, site: Site) -> None:
    ada.goto(site.ids["agent"])
    ada.get_by_label("Acme Labs").check()

    with ada.expect_request("http://localhost/callback?code=*"):
        press(ada, "Approve")


def test_a_person_gives_fewer_permissions_than_were_asked_for(gwen: Page, site: Site) -> None:
    gwen.goto(site.ids["public authorize"])

    gwen.get_by_text("Customize").click()
    gwen.get_by_label("Create and change tasks").uncheck()
    press(gwen, "Approve")
    gwen.wait_for_url(f"{site.service.callback}?code=*")

    gwen.goto("/oauth/connected-apps")
    sees(gwen, "See the tasks of the workspace")
    expect(gwen.locator("main")).not_to_contain_text("Create and change tasks")


def test_enter_on_the_consent_page_decides_nothing(gwen: Page, site: Site) -> None:
    gwen.goto(site.ids["public authorize"])
    gwen.get_by_text("Customize").click()
    box = gwen.get_by_label("Create and change tasks")

    box.press("Enter")

    expect(gwen.get_by_role("heading", level=1)).to_contain_text("wants to access")
    gwen.goto("/oauth/connected-apps")
    sees(gwen, "No connected apps")


def test_a_person_with_two_accounts_switches_before_they_approve(gwen: Page, site: Site) -> None:
    gwen.goto(site.ids["public authorize"])

    press(gwen, "Switch account")
    gwen.get_by_label("E-mail address").fill(MILO)
    gwen.get_by_label("Password").fill(DEMO_PASSWORD)
    gwen.get_by_label("Password").press("Enter")
    sees(gwen, "Milo")
    press(gwen, "Approve")

    gwen.wait_for_url(f"{site.service.callback}?code=*")


def test_many_apps_and_tokens_are_shown_on_several_pages(ada: Page, site: Site) -> None:
    add_many(site)
    ada.goto("/oauth/connected-apps")
    apps, tokens = (ada.get_by_role("navigation", name=f"Pages of {list_}") for list_ in ("apps", "tokens"))

    apps.get_by_role("link", name="Next").click()
    ada.wait_for_url("**?cursor=*")
    tokens.get_by_role("link", name="Next").click()
    ada.wait_for_url("**tokens_cursor=*#personal-tokens")
    apps.get_by_role("link", name="Previous").click()

    expect(apps.get_by_role("link", name="Previous")).to_have_count(0)
    expect(tokens.get_by_role("link", name="Previous")).to_be_visible()
