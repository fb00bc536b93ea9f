"""What users do with their own account: consent, connected apps and tokens, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

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
    ada.route("http://localhost/**", lambda route: route.fulfill(body="Back at the agent"))
    ada.goto(site.ids["agent"])
    ada.get_by_label("Acme Labs").check()

    press(ada, "Approve")
    ada.wait_for_url("http://localhost/callback?code=*")
