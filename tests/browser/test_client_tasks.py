"""OAuth clients, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.many import add_many
from tests.browser.site import Site
from tests.browser.steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.long]

CLIENTS = "/automation/clients"


def names_on(page: Page) -> list[str]:
    """The clients of the table."""
    expect(page.get_by_role("heading", name="OAuth clients")).to_be_visible()
    return page.get_by_role("table").get_by_role("link").all_inner_texts()


def test_a_client_is_created_and_its_secret_shown_once(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="New client").click()

    ada.get_by_label("Redirect URIs").fill("https://reports.example/callback")
    ada.get_by_label("See the tasks of the workspace").check()
    ada.get_by_label("Name", exact=True).fill("Reports")
    ada.get_by_label("Name", exact=True).press("Enter")

    expect(ada.get_by_role("heading", name="Copy the client secret now")).to_be_visible()
    expect(ada.get_by_role("heading", name="Reports")).to_be_visible()
    ada.reload()
    expect(ada.get_by_role("heading", name="Copy the client secret now")).to_have_count(0)


def test_a_platform_fills_in_the_form(ada: Page, site: Site) -> None:
    ada.goto(f"{CLIENTS}/new")

    ada.get_by_role("link", name="Activepieces", exact=True).click()
    expect(ada.get_by_label("Redirect URIs")).to_have_value(f"{site.activepieces.url}/redirect")
    expect(ada.get_by_label("See the tasks of the workspace")).to_be_checked()
    press(ada, "Create client")

    expect(ada.get_by_role("heading", name="Copy the client secret now")).to_be_visible()


def test_what_is_missing_is_named_and_what_was_entered_stays(ada: Page) -> None:
    ada.goto(f"{CLIENTS}/new")
    ada.get_by_label("Description").fill("Counts tasks")

    press(ada, "Create client")

    expect(ada.get_by_role("alert")).to_contain_text("Name")
    expect(ada.get_by_label("Description")).to_have_value("Counts tasks")


def test_a_client_is_changed(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="Test program").click()

    ada.get_by_role("link", name="Edit").click()
    ada.get_by_label("Description").fill("Counts tasks")
    ada.get_by_label("Description").press("Enter")

    sees(ada, "The client was saved.")
    sees(ada, "Counts tasks")


def test_the_secret_of_a_client_is_rotated(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="Test program").click()

    press(ada, "Rotate secret")

    expect(ada.get_by_role("heading", name="Copy the client secret now")).to_be_visible()


def test_a_client_is_suspended_and_resumed(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="Test program").click()

    press(ada, "Suspend")
    sees(ada, "The client is suspended: it gets no new tokens.")
    press(ada, "Resume")

    sees(ada, "The client gets tokens again.")


def test_a_client_is_deleted_after_a_look_at_what_stops(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="Test program").click()

    ada.get_by_role("link", name="Delete…").click()
    sees(ada, "2 users lose what they connected with it.")
    ada.get_by_role("link", name="Cancel").click()
    expect(ada.get_by_role("heading", name="Test program")).to_be_visible()
    ada.get_by_role("link", name="Delete…").click()
    press(ada, "Delete")

    sees(ada, "The client was deleted, and its access revoked.")
    assert "Test program" not in names_on(ada)


def test_clients_are_filtered_with_enter_and_sorted(ada: Page) -> None:
    ada.goto(CLIENTS)

    ada.get_by_label("Order").select_option(label="Newest first")
    press(ada, "Filter")
    ada.wait_for_url("**order=newest**")
    assert len(names_on(ada)) == 3
    ada.get_by_label("Name", exact=True).fill("test")
    ada.get_by_label("Name", exact=True).press("Enter")
    ada.wait_for_url("**search=test**")

    assert names_on(ada) == ["Test program"]
    expect(ada.get_by_label("Order")).to_have_value("newest")


def test_many_clients_are_shown_on_several_pages(ada: Page, site: Site) -> None:
    add_many(site)
    ada.goto(f"{CLIENTS}?search=program")
    pages = ada.get_by_role("navigation", name="Pages")
    first = names_on(ada)
    assert first[:2] == ["Program 0", "Program 1"]

    pages.get_by_role("link", name="Next").click()
    expect(pages.get_by_role("link", name="Previous")).to_be_visible()
    assert not set(names_on(ada)) & set(first)
    pages.get_by_role("link", name="Previous").click()
    expect(pages.get_by_role("link", name="Previous")).to_have_count(0)

    assert names_on(ada) == first


def test_an_admin_sees_who_connected_a_client(ada: Page) -> None:
    ada.goto(CLIENTS)
    ada.get_by_role("link", name="Test program").click()

    users = ada.get_by_role("region", name="Who connected it")

    expect(users).to_contain_text("Ada Acker")
    expect(users).to_contain_text("Milo")


def test_a_value_is_copied(ada: Page, site: Site, scripts: bool) -> None:
    """Without scripts there is no button, and a click selects the whole value."""
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ada.goto(f"{CLIENTS}/{site.ids['program']}")
    button = ada.get_by_role("button", name="Copy: Client ID")
    if not scripts:
        assert button.count() == 0
        return

    button.click()

    expect(button).to_have_text("Copied")
    assert ada.evaluate("navigator.clipboard.readText()") == site.ids["program"]
