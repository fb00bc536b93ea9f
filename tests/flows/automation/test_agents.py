"""The page of AI agents: how to connect one, who did, what they did, and which are allowed."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import insert, update

from flask_activepieces.clock import as_iso
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Program
from tests.support.agents import LEGACY, McpAgent, tokens_for_agent
from tests.support.automation import AreaUser, HostWithViewers, area_user
from tests.support.clock import StoppedClock
from tests.support.document_clients import ACCEPTING, Site, agent
from tests.support.error_assertions import assert_error_page
from tests.support.pages import Page
from tests.support.pieces import create_token, make_piece_app
from tests.support.storage import engine_of, rows_of, statements_of

URL = "http://localhost/mcp"


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """The small host with a piece, in which everyone may look."""
    return make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url, **ACCEPTING)[0]


def connect(app: Flask, site: Site, name: str = "bob", **claims: object) -> McpAgent:
    """An agent of this user."""
    robin = agent(app, site, f"/{name}.json", **claims)
    return McpAgent(app, tokens_for_agent(robin, area_user(app, name))["access_token"], LEGACY[-1])


# --- Instructions ---------------------------------------------------------------------------------


def test_the_address_and_the_lines_for_each_program_can_be_copied(bob: AreaUser) -> None:
    page = bob.visits("/agents")

    assert page.status == 200
    for line in (
        URL,
        f"claude mcp add --transport http tasks {URL}",
        f"""code --add-mcp '{{"name": "tasks", "type": "http", "url": "{URL}"}}'""",
    ):
        assert line in page.text
    assert page.links["AI agents"] == "/automation/agents"


@pytest.mark.parametrize("registers", [True, False])
def test_programs_that_cannot_register_get_a_token(make_app: MakeApp, registers: bool) -> None:
    app = make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_DYNAMIC_REGISTRATION=registers)[0]

    page = area_user(app, "bob").visits("/agents")

    server: dict[str, object] = {"url": URL}
    remote = f"npx mcp-remote {URL}"
    if not registers:
        server["headers"] = {"Authorization": "Bearer your-token"}
        remote += ' --header "Authorization: Bearer your-token"'
    assert json.dumps({"mcpServers": {"tasks": server}}) in page.text
    assert remote in page.text
    assert ("Create a personal access token" in page.links) is not registers


def test_without_documents_and_registration_every_program_needs_a_client_or_a_token(make_app: MakeApp) -> None:
    app = make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_CLIENT_DOCUMENTS=False)[0]

    page = area_user(app, "bob").visits("/agents")

    assert f'claude mcp add --transport http tasks {URL} --header "Authorization: Bearer your-token"' in page.text
    assert "an administrator registers one and passes on its client ID and secret" in page.text


@pytest.mark.parametrize("options", [{"ACTIVEPIECES_MCP": False}, {"ACTIVEPIECES_DISABLED_PAGES": ["agents"]}])
def test_an_app_without_the_endpoint_does_not_link_to_the_page(make_app: MakeApp, options: dict[str, object]) -> None:
    app = make_piece_app(make_app, host=HostWithViewers(), **options)[0]

    assert "AI agents" not in area_user(app, "alice").visits("/clients").links


def test_an_app_without_an_action_has_no_such_page(make_app: MakeApp) -> None:
    alice = area_user(make_app(host=HostWithViewers()), "alice")

    assert "AI agents" not in alice.visits("/clients").links
    assert alice.visits("/agents").status == 404


# --- Who connected which, and what they did -------------------------------------------------------


def test_admins_see_who_connected_which_agent(
    app: Flask, alice: AreaUser, agent_site: Site, clock: StoppedClock
) -> None:
    robin = connect(app, agent_site)
    clock.advance(600)
    robin.calls("create_task", title="Milk")

    page = alice.visits("/agents")

    assert "Robin Not verified · comes from" in page.text
    assert agent_site.url.removeprefix("http://") in page.text
    times = [dict(attributes)["datetime"] for tag, attributes in page.tags if tag == "time"]
    assert " Bob " in page.text
    assert times[:2] == [as_iso(int(clock.now) - 600), as_iso(int(clock.now))], "since, and the last call"
    assert "No one has connected an agent yet." not in page.text


def test_a_long_name_of_an_agent_is_cut(app: Flask, alice: AreaUser, agent_site: Site) -> None:
    connect(app, agent_site, client_name="N" * 120)

    page = alice.visits("/agents")

    assert f" {'N' * 59}… Not verified" in page.text
    assert "N" * 120 in {attributes.get("title") for _, attributes in page.tags}


def test_an_automation_is_no_agent_until_it_uses_the_endpoint(app: Flask, alice: AreaUser, bob: AreaUser) -> None:
    program = Program.registered(app)
    program.connects(bob)
    before = alice.visits("/agents")

    tokens_for_agent(program, bob)
    after = alice.visits("/agents")

    assert "No one has connected an agent yet." in before.text
    assert "Program" in after.text and "Not verified" not in after.text


def test_calls_are_counted_by_how_they_ended(app: Flask, alice: AreaUser, bob: AreaUser, clock: StoppedClock) -> None:
    robin = McpAgent(app, create_token(bob), LEGACY[-1])
    for title in ("Milk", "Bread", ""):
        robin.calls("create_task", title=title)
    McpAgent(app, create_token(bob, scope="profile:read"), LEGACY[-1]).sends("tools/call", {"name": "create_task"})

    shown = alice.visits("/agents").text
    clock.advance(days=8)
    later = alice.visits("/agents").text

    assert "Create task 4 1 1" in shown
    assert "No agent has called a tool." in later


def test_admins_see_who_called_which_tool(
    app: Flask, alice: AreaUser, bob: AreaUser, agent_site: Site, clock: StoppedClock
) -> None:
    robin = connect(app, agent_site)
    for title in ("Milk", ""):
        robin.calls("create_task", title=title)
    clock.advance(hours=2)
    McpAgent(app, create_token(bob, name="Report"), LEGACY[-1]).calls("create_task", title="Bread")
    McpAgent(app, tokens_for_agent(Program.registered(app), alice)["access_token"], LEGACY[-1]).calls("count_tasks")

    text = alice.visits("/agents").text
    callers = text.partition("Who called which tool")[2]

    host = agent_site.url.removeprefix("http://")
    assert "Count tasks Program Alice 1 0 0" in callers
    assert "Create task Report Personal access token Bob 1 0 0" in callers
    assert f"Create task Robin Not verified · comes from {host} Bob 2 1 0" in callers
    assert callers.index("Report") < callers.index("Robin"), "the newest call first"
    assert "newest." not in callers


def test_callers_that_no_longer_exist_are_still_listed(app: Flask, alice: AreaUser, bob: AreaUser) -> None:
    program = Program.registered(app)
    McpAgent(app, tokens_for_agent(program, bob)["access_token"], LEGACY[-1]).calls("count_tasks")
    McpAgent(app, create_token(bob, name="Report"), LEGACY[-1]).calls("create_task", title="Milk")
    app.test_cli_runner().invoke(args=["activepieces", "client", "delete", program.client_id, "--yes"])
    bob.sends(bob.sees("/oauth/connected-apps").form_to("/revoke"))

    callers = alice.visits("/agents").text.partition("Who called which tool")[2]

    assert "Count tasks a deleted agent Bob 1 0 0" in callers
    assert "Create task a revoked token Personal access token Bob 1 0 0" in callers


def test_many_callers_take_as_many_statements_as_one(app: Flask, alice: AreaUser, bob: AreaUser) -> None:
    def cost() -> int:
        with statements_of(app) as statements:
            alice.visits("/agents")
        return len(statements)

    McpAgent(app, create_token(bob), LEGACY[-1]).calls("count_tasks")
    one = cost()
    (row,) = rows_of(app, "tool_calls")
    more = [{**row, "id": f"{number:064}", "user_id": f"user-{number}"} for number in range(60)]
    with engine_of(app).begin() as conn:
        conn.execute(insert(tables.tool_calls), more)

    text = alice.visits("/agents").text
    assert cost() == one
    assert "The list shows the 25 newest." in text
    assert text.count("Count tasks My flow Personal access token a former user") >= 24


def test_of_many_tools_the_most_used_are_shown(app: Flask, alice: AreaUser, bob: AreaUser) -> None:
    McpAgent(app, create_token(bob), LEGACY[-1]).calls("count_tasks")
    alice.visits("/agents")  # stores the count
    (row,) = rows_of(app, "tool_calls")
    # The row of Bob's call is used more than 29 others, as old versions of the app may have had them.
    more = [{**row, "id": f"{number:064}", "tool": f"old_{number}"} for number in range(29)]
    with engine_of(app).begin() as conn:
        conn.execute(update(tables.tool_calls).values(count=5))
        conn.execute(insert(tables.tool_calls), more)

    text = alice.visits("/agents").text
    shown = text.partition("What agents did in the last 7 days")[2].partition("Who called which tool")[0]

    assert "The list shows the 20 most used of 30 tools." in shown
    assert "Count tasks 5 0 0" in shown
    assert shown.count("a former tool 1 0 0") == 19
    assert "old_" not in text


def test_another_tenant_sees_none_of_it(app: Flask, carol: AreaUser, agent_site: Site) -> None:
    connect(app, agent_site).calls("create_task", title="Milk")

    page = carol.visits("/agents")

    assert "No one has connected an agent yet." in page.text
    assert "No agent has called a tool." in page.text
    assert "Bob" not in page.text


def test_a_member_sees_only_the_instructions(app: Flask, bob: AreaUser, agent_site: Site) -> None:
    connect(app, agent_site).calls("create_task", title="Milk")

    page = bob.visits("/agents")

    assert URL in page.text
    for hidden in ("Connected agents", "Who may be connected", "Robin", "Agents in Activepieces"):
        assert hidden not in page.text
    assert page.forms == []


def test_the_list_has_pages(app: Flask, alice: AreaUser, agent_site: Site, clock: StoppedClock) -> None:
    for number in range(26):
        clock.advance(4)  # a user may have 20 documents read in a minute
        robin = agent(app, agent_site, f"/{number}.json", client_name=f"Agent number {number}")
        tokens_for_agent(robin, alice)

    first = alice.visits("/agents")
    second = alice.sees(first.links["Next"])

    names = [f"Agent number {number} " for number in range(26)]
    assert sum(name in first.text for name in names) == 25
    assert sum(name in second.text for name in names) == 1
    assert alice.visits("/agents", cursor="x").status == 422


def test_a_disconnected_agent_is_gone(app: Flask, alice: AreaUser, bob: AreaUser, agent_site: Site) -> None:
    connect(app, agent_site)
    form = next(form for form in bob.sees("/oauth/connected-apps").forms if form.action.endswith("/disconnect"))
    bob.sends(form)

    assert "No one has connected an agent yet." in alice.visits("/agents").text


# --- The policy -----------------------------------------------------------------------------------


def test_an_admin_allows_listed_origins_only(app: Flask, alice: AreaUser, agent_site: Site) -> None:
    robin = connect(app, agent_site)
    form = alice.visits("/agents").form("mode")
    assert form.values["mode"] == "all"

    page = alice.submits(form, mode="listed", hosts="claude.ai\r\n ChatGPT.com \r\n\r\n")

    assert "The choice was saved. Agents that it does not allow were disconnected." in page.text
    assert page.form("mode").values["mode"] == "listed"
    assert page.form("mode").values["hosts"] == "claude.ai\nchatgpt.com"
    assert robin.sends("tools/list").status_code == 401
    (row,) = rows_of(app, "client_policies")
    assert (row["tenant_id"], row["mode"], row["hosts"]) == ("acme", "listed", "claude.ai chatgpt.com")
    assert rows_of(app, "audit_events")[-1]["user_id"] == "bob", "the grant that was revoked"


@pytest.mark.parametrize(("mode", "hosts"), [("none", "claude.ai"), ("all", "not a host!")])
def test_hosts_count_only_for_their_choice(app: Flask, alice: AreaUser, mode: str, hosts: str) -> None:
    page = alice.submits(alice.visits("/agents").form("mode"), mode=mode, hosts=hosts)

    assert page.status == 200
    assert rows_of(app, "client_policies")[0]["mode"] == mode
    assert rows_of(app, "client_policies")[0]["hosts"] == ""


@pytest.mark.parametrize(
    ("mode", "hosts", "error"),
    [
        ("listed", "", "List at least one host, or allow none."),
        ("listed", "https://claude.ai/", "is not a host name, such as claude.ai."),
        ("listed", " ".join(f"h{n}.example" for n in range(101)), "At most 100 hosts."),
        ("some", "", "Must be one of: all, listed, none."),
        ("", "", "Must be one of: all, listed, none."),
    ],
)
def test_a_wrong_choice_changes_nothing_and_stays_in_the_form(
    app: Flask, alice: AreaUser, mode: str, hosts: str, error: str
) -> None:
    page = alice.submits(alice.visits("/agents").form("mode"), mode=mode, hosts=hosts)

    assert page.status == 422
    assert error in page.text
    assert page.form("mode").values["hosts"] == hosts
    assert rows_of(app, "client_policies") == []


@pytest.mark.parametrize("path", ["/agents/policy", "/agents/step"])
def test_members_and_forgeries_change_nothing(app: Flask, alice: AreaUser, bob: AreaUser, path: str) -> None:
    assert Page(bob.posts(path, mode="none")).status == 403
    assert_error_page(alice.browser.post(f"/automation{path}", data={"mode": "none"}), 400)

    assert rows_of(app, "client_policies") == []
