"""Linking a workspace with Activepieces, and its settings, in a browser with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.browser.steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_workspace_is_linked_with_a_key(ada_in_labs: Page, site: Site) -> None:
    ada_in_labs.goto("/automation")
    ada_in_labs.get_by_role("link", name="Connect Activepieces").click()
    ada_in_labs.get_by_role("link", name="API key").click()

    ada_in_labs.get_by_label("API key").fill(site.activepieces.api_key)
    ada_in_labs.get_by_label("API key").press("Enter")
    ada_in_labs.get_by_label("Stand-in project").check()
    press(ada_in_labs, "Use this project")

    sees(ada_in_labs, "Your workspace is connected to Activepieces.")
    expect(ada_in_labs.get_by_role("heading", name="No problems found")).to_be_visible()


def test_a_wrong_key_can_be_corrected(ada_in_labs: Page, site: Site) -> None:
    ada_in_labs.goto("/automation/setup?with=key")

    ada_in_labs.get_by_label("API key").fill("sk-wrong")
    press(ada_in_labs, "Check and continue")
    expect(ada_in_labs.get_by_role("alert")).to_contain_text("API key")
    ada_in_labs.get_by_role("alert").get_by_role("link").click()
    expect(ada_in_labs.get_by_role("textbox", name="API key")).to_have_value("")
    ada_in_labs.get_by_role("textbox", name="API key").fill(site.activepieces.api_key)
    press(ada_in_labs, "Check and continue")

    expect(ada_in_labs.get_by_role("heading", name="Choose a project")).to_be_visible()


def test_workspace_is_linked_with_a_password(ada_in_labs: Page, site: Site) -> None:
    ada_in_labs.goto("/automation/setup")
    ada_in_labs.get_by_role("link", name="E-mail and password").click()

    ada_in_labs.get_by_label("E-mail address").fill(site.activepieces.email)
    ada_in_labs.get_by_label("Password").fill(site.activepieces.password)
    ada_in_labs.get_by_label("Password").press("Enter")
    ada_in_labs.get_by_label("Stand-in project").check()
    press(ada_in_labs, "Use this project")

    sees(ada_in_labs, "Your workspace is connected to Activepieces.")


def test_workspace_is_linked_without_entering_anything(ada_in_labs: Page) -> None:
    ada_in_labs.goto("/automation/setup")

    press(ada_in_labs, "Connect")

    sees(ada_in_labs, "Your workspace is connected to Activepieces.")


def test_automation_is_switched_off_and_on(ada: Page) -> None:
    ada.goto("/automation/setup")

    press(ada, "Switch off")
    sees(ada, "Automation is off.")
    press(ada, "Switch on")

    sees(ada, "Automation is on.")


def test_the_project_is_changed(ada: Page) -> None:
    ada.goto("/automation/setup")

    ada.get_by_label("Project for this workspace").select_option(label="Stand-in project")
    press(ada, "Use this project")

    sees(ada, "The settings were saved.")
    ada.goto("/automation/flows")
    sees(ada, "No flows yet")


def test_the_link_is_removed_only_after_a_question(ada: Page) -> None:
    ada.goto("/automation/setup")

    ada.get_by_role("link", name="Remove…").click()
    sees(ada, "This stops immediately:")
    ada.get_by_role("link", name="Cancel").click()
    expect(ada.get_by_role("heading", name="Settings")).to_be_visible()
    ada.get_by_role("link", name="Remove…").click()
    press(ada, "Remove")

    sees(ada, "The connection to Activepieces was removed.")
    expect(ada.get_by_role("link", name="Connect Activepieces")).to_be_visible()


def test_another_workspace_is_chosen(ada: Page) -> None:
    ada.goto("/automation")

    ada.get_by_role("link", name="Switch").click()
    ada.get_by_label("Acme Labs").check()
    ada.get_by_label("Acme Labs").press("Enter")

    sees(ada, "You now work in this workspace.")
    sees(ada, "Let your work run by itself")
