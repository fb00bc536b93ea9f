"""Connections, in a browser with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import SERVICE, Site
from tests.browser.steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.long]

CONNECTIONS = "/automation/connections"
MAILED_LINK = (
    "/api/integration/activepieces/connections/{globex}/oauth2/start"
    f"?pieceName={SERVICE}&next=/automation/connections"
)


def names_on(page: Page) -> list[str]:
    """The connections of the list."""
    expect(page.get_by_role("heading", name="Connections", exact=True)).to_be_visible()
    return page.get_by_role("region", name="Connections").get_by_role("link").all_inner_texts()


def test_connections_are_filtered_with_enter(ada: Page) -> None:
    ada.goto(CONNECTIONS)

    ada.get_by_label("Name", exact=True).fill("key")
    ada.get_by_label("Name", exact=True).press("Enter")
    ada.wait_for_url("**search=key**")
    assert names_on(ada) == ["Another key", "Broken key", "Reconnect", "Our key"]
    ada.get_by_label("State").select_option(label="Needs attention")
    press(ada, "Filter")
    ada.wait_for_url("**status=broken**")

    assert names_on(ada) == ["Broken key", "Reconnect"]


def test_a_filter_that_finds_nothing_leads_back(ada: Page) -> None:
    ada.goto(f"{CONNECTIONS}?search=zzz")

    ada.get_by_role("link", name="Show all").click()
    ada.wait_for_url(f"**{CONNECTIONS}")

    assert len(names_on(ada)) == 5


def test_a_connection_is_added_with_a_key(ada: Page) -> None:
    ada.goto(CONNECTIONS)
    ada.get_by_role("link", name="Add a connection").click()
    ada.get_by_label("Search").fill("secret")
    ada.get_by_label("Search").press("Enter")
    ada.wait_for_url("**search=secret")
    ada.get_by_role("link", name="Acme Secret").click()

    ada.get_by_label("Name", exact=True).fill("New key")
    ada.get_by_label("API key").fill("ok-new")
    ada.get_by_label("API key").press("Enter")

    sees(ada, "The connection was saved, and works.")
    expect(ada.get_by_role("heading", name="New key")).to_be_visible()


def test_what_is_wrong_in_a_form_leads_to_its_field(ada: Page, scripts: bool) -> None:
    ada.goto(f"{CONNECTIONS}/add?piece=@acme/piece-every-field")
    ada.get_by_label("Text", exact=True).fill("a text")
    press(ada, "Connect")

    ada.get_by_role("alert").get_by_role("link", name="Secret").click()
    ada.keyboard.type("hush")
    ada.get_by_label("Size").select_option(label="Large")
    press(ada, "Connect")

    sees(ada, "The connection was saved, and works.")


def test_a_person_connects_with_one_click(gwen: Page) -> None:
    gwen.goto(CONNECTIONS)

    press(gwen, "Connect")

    sees(gwen, "The connection was saved, and works.")
    sees(gwen, "Gwen Globe")


def test_a_person_signs_in_at_a_third_party(gwen: Page) -> None:
    gwen.goto(CONNECTIONS)
    gwen.get_by_role("link", name="Add a connection").click()
    gwen.get_by_role("link", name="Acme OAuth", exact=True).click()

    gwen.get_by_label("Name", exact=True).fill("Our account")
    press(gwen, "Sign in at Acme OAuth")

    sees(gwen, "You signed in, and the connection works.")
    assert names_on(gwen) == ["Our account"]


def test_a_person_signs_in_again_at_a_third_party(gwen: Page, site: Site) -> None:
    test_a_person_signs_in_at_a_third_party(gwen)
    connection = site.activepieces.state.store.all("app_connection", displayName="Our account")[0]
    site.activepieces.break_connection(connection["externalId"], project_id=connection["projectIds"][0])
    gwen.goto("/automation")

    gwen.get_by_role("link", name="Reconnect Our account").click()
    press(gwen, "Sign in at Acme OAuth")

    sees(gwen, "You signed in, and the connection works.")
    assert names_on(gwen) == ["Our account"]


def test_a_link_in_a_mail_leads_to_a_sign_in_at_a_third_party(gwen: Page, site: Site) -> None:
    gwen.set_content(f'<a href="{site.address_of(MAILED_LINK)}">Reconnect</a>')

    gwen.get_by_role("link", name="Reconnect").click()
    sees(gwen, "Sign in at Acme OAuth for a new connection of Globex?")
    press(gwen, "Sign in at Acme OAuth")

    gwen.wait_for_url("**/automation/connections?connection=*")
    assert names_on(gwen) == ["Acme OAuth"]


def test_a_link_in_a_mail_leads_to_the_form_for_a_new_key(ada: Page, site: Site) -> None:
    """The address that the daily check reports."""
    report = site.app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"]).stdout
    ada.set_content(f'<a href="{report.split("reconnect at ")[1].strip()}">Reconnect</a>')

    ada.get_by_role("link", name="Reconnect").click()
    ada.get_by_label("API key").fill("ok-again")
    ada.get_by_label("API key").press("Enter")

    sees(ada, "The connection was saved, and works.")
    expect(ada.get_by_role("heading", name="Broken key")).to_be_visible()


def test_a_connection_is_renamed(ada: Page, site: Site) -> None:
    ada.goto(CONNECTIONS)
    ada.get_by_role("link", name="Our key").click()

    ada.get_by_label("Name", exact=True).fill("Their key")
    ada.get_by_label("Name", exact=True).press("Enter")

    sees(ada, "The connection was renamed.")
    expect(ada.get_by_role("heading", name="Their key")).to_be_visible()


def test_a_connection_is_deleted_after_a_look_at_its_flows(ada: Page) -> None:
    ada.goto(CONNECTIONS)
    ada.get_by_role("link", name="Our key").click()

    ada.get_by_role("link", name="Delete…").click()
    sees(ada, "1 flow uses it, and will fail without it: Archive")
    ada.get_by_role("link", name="Cancel").click()
    expect(ada.get_by_role("heading", name="Our key")).to_be_visible()
    ada.get_by_role("link", name="Delete…").click()
    press(ada, "Delete anyway")

    sees(ada, "The connection was deleted.")
    assert "Our key" not in names_on(ada)


def test_the_flows_of_a_connection_move_to_another_one(ada: Page) -> None:
    ada.goto(CONNECTIONS)
    ada.get_by_role("link", name="Our key").click()
    ada.get_by_role("link", name="Replace…").click()
    sees(ada, "These flows will use the other connection: Archive")

    press(ada, "Replace")
    expect(ada.get_by_role("alert")).to_contain_text("Choose the other connection.")
    ada.get_by_label("Another key").check()
    ada.get_by_label("Another key").press("Enter")
    expect(ada.get_by_role("alert")).to_contain_text("deletes the old connection. Allow both.")
    ada.get_by_label("Change flows that are on, and delete the old connection").check()
    press(ada, "Replace")

    sees(ada, "The flows use the other connection now.")
    ada.get_by_role("link", name="Another key").click()
    sees(ada, "Archive")


def test_a_broken_connection_is_reconnected_from_the_overview(ada: Page) -> None:
    ada.goto("/automation")
    sees(ada, "1 connection needs attention")

    ada.get_by_role("link", name="Reconnect Broken key").click()
    ada.get_by_label("API key").fill("ok-again")
    press(ada, "Reconnect")

    sees(ada, "The connection was saved, and works.")
    ada.goto("/automation")
    expect(ada.get_by_text("connection needs attention")).to_have_count(0)
