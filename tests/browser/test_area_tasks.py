"""Flows, runs, the MCP server, the piece, event deliveries and the audit log, with and without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import OWN_PIECE, SECRET, Site, add_agent_flow
from tests.browser.steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_a_flow_is_switched_off_and_on(ada: Page) -> None:
    ada.goto("/automation/flows")

    press(ada, "Switch off Tasks by webhook")
    sees(ada, "The flow is off.")
    press(ada, "Switch on Tasks by webhook")

    sees(ada, "The flow is on.")


def test_flows_are_filtered_with_enter(ada: Page) -> None:
    ada.goto("/automation/flows")

    ada.get_by_label("Name", exact=True).fill("archive")
    ada.get_by_label("Name", exact=True).press("Enter")

    ada.wait_for_url("**search=archive**")
    expect(ada.get_by_role("link", name="Archive", exact=True)).to_be_visible()
    expect(ada.get_by_role("link", name="Draft", exact=True)).to_have_count(0)


def test_a_flow_is_opened_in_activepieces(ada: Page, site: Site) -> None:
    ada.goto("/automation/flows")

    ada.get_by_role("link", name="Archive", exact=True).click()

    ada.wait_for_url(f"{site.activepieces.url}/projects/*/flows/*")


def test_the_builder_is_embedded(gwen: Page, scripts: bool) -> None:
    gwen.goto("/automation")

    gwen.get_by_role("navigation", name="Automation").get_by_role("link", name="Builder").click()

    if scripts:
        expect(gwen.frame_locator("#activepieces-builder iframe").get_by_text("Signed in as")).to_be_visible()
    else:
        expect(gwen.get_by_role("heading", name="Builder")).to_be_visible()
        assert "The builder needs JavaScript." in gwen.locator("main").inner_text()
        card = gwen.locator("#activepieces-builder").bounding_box()
        assert card is not None
        assert card["height"] < 200


def test_a_failed_run_is_found_with_its_reason_and_started_again(ada: Page) -> None:
    ada.goto("/automation")

    ada.get_by_role("region", name="Failed runs").get_by_role("link", name="Show all").click()
    sees(ada, "Failed at the step “Create task”: The title is too long.")
    press(ada, "Try again: run of Tasks by webhook")

    sees(ada, "The run was started again.")


def test_the_runs_of_one_flow_are_shown(ada: Page) -> None:
    ada.goto("/automation/flows")

    ada.get_by_role("link", name="Runs of Tasks by webhook", exact=True).click()
    expect(ada.get_by_role("heading", name="Runs of Tasks by webhook")).to_be_visible()
    ada.get_by_label("State").select_option(label="Succeeded")
    press(ada, "Filter")

    ada.wait_for_url("**status=succeeded**")
    expect(ada.get_by_role("heading", name="Runs of Tasks by webhook")).to_be_visible()
    expect(ada.locator("main")).not_to_contain_text("Failed at the step")


def test_the_token_of_the_mcp_server_is_rotated(ada: Page) -> None:
    ada.goto("/automation/mcp")

    ada.locator("summary", has_text="New token").click()
    sees(ada, "End the old token?")
    press(ada, "New token")

    sees(ada, "There is a new token, and the old one no longer works.")
    expect(ada.get_by_role("heading", name="Copy the token now")).to_be_visible()
    ada.reload()
    expect(ada.get_by_role("heading", name="Copy the token now")).to_have_count(0)


def test_tools_of_the_mcp_server_are_switched_off(ada: Page) -> None:
    ada.goto("/automation/mcp")

    ada.get_by_label("Tools that are switched off").fill("ap_list_flows")
    press(ada, "Save")

    sees(ada, "The MCP server was changed.")
    expect(ada.get_by_label("Tools that are switched off")).to_have_value("ap_list_flows")


def test_the_server_of_the_platform_is_found_and_changed(ada: Page) -> None:
    ada.goto("/automation/mcp")
    ada.get_by_role("link", name="AI access to all projects").click()

    ada.get_by_label("Tools that are switched off").fill("ap_delete_flow")
    press(ada, "Save")

    sees(ada, "The MCP server was changed.")
    expect(ada.get_by_role("heading", name="AI access to all projects")).to_be_visible()


def test_the_piece_is_installed(ada: Page, site: Site) -> None:
    store = site.activepieces.state.store
    store.drop("piece", store.all("piece", name=OWN_PIECE)[0]["id"])
    ada.goto("/automation/piece")
    sees(ada, "Not installed")

    press(ada, "Install")

    sees(ada, "The piece was installed.")
    sees(ada, "up to date")


def test_the_piece_is_updated_after_a_look_at_what_changes(ada: Page, site: Site) -> None:
    store = site.activepieces.state.store
    piece = store.all("piece", name=OWN_PIECE)[0]
    store.change("piece", piece["id"], description="What it said before")
    ada.goto("/automation/piece")
    sees(ada, "Only texts changed.")

    press(ada, "Update")

    sees(ada, "The piece was installed.")


def test_an_event_that_failed_is_sent_again(ada: Page) -> None:
    ada.goto("/automation/deliveries")
    ada.get_by_label("State").select_option(label="Failed")
    press(ada, "Filter")
    ada.wait_for_url("**state=dead**")
    ada.get_by_role("link", name="Task created").click()
    sees(ada, "Activepieces did not accept the event.")
    sees(ada, '"title": "Task 2')

    press(ada, "Send again")

    sees(ada, "The event will be sent again in a moment.")


def test_all_events_that_failed_are_sent_again(ada: Page) -> None:
    ada.goto("/automation/deliveries?state=dead")

    press(ada, "Send all again")

    sees(ada, "What failed will be sent again in a moment.")


def test_events_for_a_flow_are_paused_and_continued(ada: Page) -> None:
    ada.goto("/automation/deliveries")
    ada.get_by_role("link", name="Flows that get events").click()

    press(ada, "Pause Tasks by webhook: new tasks")
    sees(ada, "Deliveries are paused. New events are kept.")
    sees(ada, "paused by an administrator")
    press(ada, "Continue with Tasks by webhook: new tasks")

    sees(ada, "Deliveries continue.")


def test_the_audit_log_is_filtered_and_downloaded(ada: Page) -> None:
    ada.goto("/automation/audit")
    ada.get_by_label("About").select_option(label="Connections")
    ada.get_by_label("From").press("Enter")
    ada.wait_for_url("**kind=connections**")
    sees(ada, "Connection “Our key” added")
    expect(ada.locator("main")).not_to_contain_text("Personal access token")

    with ada.expect_download() as download:
        ada.get_by_role("link", name="Download as CSV").click()

    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert lines[0] == "Time (UTC),What,Who"
    assert [line for line in lines if "Connection “Our key” added,Ada Acker" in line]
    assert not [line for line in lines if "Personal access token" in line]


def test_an_empty_audit_log_says_so_and_leads_back(ada: Page) -> None:
    ada.goto("/automation/audit")
    ada.get_by_label("From").fill("2090-01-01")
    press(ada, "Filter")
    sees(ada, "No event matches the filter.")

    ada.get_by_role("link", name="Show all").click()

    sees(ada, "Workspace connected to Activepieces")


def test_an_admin_limits_who_may_be_connected_as_an_agent(ada: Page) -> None:
    ada.goto("/automation/agents")

    ada.get_by_label("Only agents from the hosts below").check()
    ada.get_by_label("Hosts", exact=True).fill("claude.ai")
    ada.get_by_role("region", name="Who may be connected").get_by_role("button", name="Save").click()

    sees(ada, "The choice was saved.")
    expect(ada.get_by_label("Only agents from the hosts below")).to_be_checked()


def test_the_app_is_added_to_an_agent_step(ada: Page, site: Site) -> None:
    add_agent_flow(site)
    ada.goto("/oauth/personal-tokens/new")
    ada.get_by_role("textbox", name="Name").fill("Agents")
    ada.get_by_label("See the tasks of the workspace").check()
    press(ada, "Create token")
    token = ada.get_by_text("apat_").inner_text()

    ada.goto("/automation/agents")
    ada.get_by_label("Step").select_option(label="Sort tasks: step_1")
    ada.get_by_label("Personal access token", exact=True).fill(token)
    ada.get_by_label("Personal access token", exact=True).press("Enter")

    sees(ada, "The agent step can use this app now.")
    expect(ada.get_by_label("Step")).to_contain_text("uses this app already")


def test_what_an_agent_needs_is_copied(ada: Page, scripts: bool) -> None:
    """Without scripts, the text is selected as a whole by a click, and can be reached with the keyboard."""
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for address, label in (("/automation/agents", "Command for Claude Code"), ("/automation/mcp", "Address")):
        ada.goto(address)
        if scripts:
            ada.get_by_role("button", name=f"Copy: {label}").click()
            assert "/mcp" in ada.evaluate("navigator.clipboard.readText()")
        else:
            expect(ada.get_by_text("/mcp").first).to_be_visible()


def test_a_phone_shows_the_current_page_in_the_navigation(ada: Page) -> None:
    ada.set_viewport_size({"width": 360, "height": 640})

    ada.goto("/automation/audit")

    current = ada.get_by_role("navigation", name="Automation").get_by_role("link", name="Audit log")
    expect(current).to_have_attribute("aria-current", "page")
    expect(current).to_be_in_viewport(ratio=1)


def test_a_double_click_makes_one_connection(ada: Page, site: Site, scripts: bool) -> None:
    """With scripts, the form is even sent once."""
    activepieces = site.activepieces
    activepieces.calls.clear()
    activepieces.faults.delay("POST", "/app-connections", 0.5)
    ada.goto(f"/automation/connections/add?piece={SECRET}")
    ada.get_by_label("API key").fill("ok-slow")

    ada.get_by_role("button", name="Connect", exact=True).dblclick(no_wait_after=True)

    sees(ada, "The connection was saved, and works.")
    assert len(activepieces.state.store.all("app_connection", displayName="Acme Secret")) == 1
    sent = [call for call in activepieces.calls if call.method == "POST" and call.path.endswith("/app-connections")]
    assert len(sent) == 1 or not scripts
