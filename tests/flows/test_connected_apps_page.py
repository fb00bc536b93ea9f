"""The page of connected apps says which app is which, what stops without it, and how to connect the first one."""

from __future__ import annotations

from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES
from tests.support.pages import Page
from tests.support.pieces import Flow, create_token, make_piece_app

PAGE = "/oauth/connected-apps"
SELF_HOSTED = "https://flows.acme.test/redirect"


def button_labels(page: Page) -> list[str | None]:
    """What screen readers say of the buttons that disconnect an app."""
    labels = [attributes.get("aria-label") for tag, attributes in page.tags if tag == "button"]
    return [label for label in labels if label and label.startswith("Disconnect")]


def test_two_apps_of_one_name_are_told_apart(app: Flask, alice: Person, clock: StoppedClock) -> None:
    cloud, own = Program.registered(app), Program.registered(app, "--tenant", "acme", redirect_uri=SELF_HOSTED)
    cloud.connects(alice, workspace="acme-labs")
    clock.advance(days=2)
    own.connects(alice)

    page = alice.sees(PAGE)

    first, second = page.text.split("Disconnect Program in Acme, connected just now", 1)
    for words in ("Program flows.acme.test", "Registered by an administrator of your workspace · 2 days ago"):
        assert words in first
    assert "Workspace Acme " in first
    for words in ("Program program.test", "Registered by the people who run this app · 2 days ago", "Acme-Labs"):
        assert words in second
    assert button_labels(page) == [
        "Disconnect Program in Acme, connected just now",
        "Disconnect Program in Acme-Labs, connected 2 days ago",
    ]


def test_an_app_with_a_name_of_its_own_is_called_by_it(app: Flask, bob: Person) -> None:
    for name in ("Make", "Zapier"):
        Program.registered(app, "--name", name).connects(bob)

    assert sorted(map(str, button_labels(bob.sees(PAGE)))) == ["Disconnect Make", "Disconnect Zapier"]


def test_the_page_says_which_connections_and_flows_stop(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app)
    program, bob = Program.registered(app), Person(app, "bob")
    program.connects(bob)
    answer_of(Flow(app, program.connects(bob)["access_token"]).subscribes(), 201)

    text = bob.sees(PAGE).text

    assert "2 connections stop working. Flows that use them fail." in text
    assert "1 flow no longer starts when something happens here." in text
    assert "This takes effect immediately and cannot be undone." in text


def test_an_unused_app_stops_nothing(program: Program, bob: Person) -> None:
    bob.allows(program.question())

    text = bob.sees(PAGE).text

    assert "Nothing stops: it does not use its access at the moment." in text
    assert "stop working" not in text


def test_flows_of_another_tenant_are_not_counted(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app)
    program, carol, bob = Program.registered(app), Person(app, "carol"), Person(app, "bob")
    answer_of(Flow(app, program.connects(carol)["access_token"]).subscribes(), 201)
    program.connects(bob)

    assert "no longer starts" in carol.sees(PAGE).text
    assert "no longer starts" not in bob.sees(PAGE).text


def test_what_stops_with_an_agent_is_said_of_an_agent(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True)
    cursor, bob = Program.registered(app), Person(app, "bob")
    answer_of(cursor.redeems(bob.allows(cursor.question(resource="http://localhost/mcp"))))

    text = bob.sees(PAGE).text

    assert "It can no longer read or change anything here." in text
    assert "Flows that use" not in text


def test_opening_the_question_disconnects_nothing(app: Flask, program: Program, bob: Person) -> None:
    """The button that shows the question is no button of a form."""
    program.connects(bob)

    with assert_nothing_stored(app):
        page = bob.sees(PAGE)

    details = [tag for tag, _ in page.tags if tag in ("details", "form")]
    assert details[:2] == ["details", "form"]
    assert page.text.index("Cancel") < page.text.index("Disconnect Program ?")


def test_an_empty_page_says_how_to_connect_an_app(bob: Person) -> None:
    text = bob.sees(PAGE).text

    assert "To connect an app, start there: it sends you here" in text
    assert "Activepieces, and add a step" not in text
    assert "To connect an AI agent" not in text


def test_an_empty_page_says_how_to_connect_the_piece_and_agents(make_app: MakeApp) -> None:
    app = make_app(
        ACTIVEPIECES_PIECE_NAME="@tasklane/piece-tasklane", ACTIVEPIECES_APP_NAME="Tasklane", ACTIVEPIECES_MCP=True
    )

    text = Person(app, "bob").sees(PAGE).text

    assert "Open a flow in Activepieces, and add a step of Tasklane." in text
    assert "add a connector (MCP server) with this address: http://localhost/mcp" in text


def test_an_address_for_agents_is_shown_only_if_they_can_connect(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True, ACTIVEPIECES_CLIENT_DOCUMENTS=False)

    assert "To connect an AI agent" not in Person(app, "bob").sees(PAGE).text


def test_a_connected_app_replaces_the_instructions(program: Program, bob: Person) -> None:
    program.connects(bob)

    assert "To connect an app" not in bob.sees(PAGE).text


def test_the_names_of_scopes_that_are_gone_are_not_shown(make_app: MakeApp) -> None:
    before = make_app()
    Program.registered(before).connects(Person(before, "bob"))
    after = make_app(ACTIVEPIECES_SCOPES={"tasks:read": "See tasks"}, tables=False)

    text = Person(after, "bob").sees(PAGE).text

    assert "See tasks" in text
    assert "A permission that no longer exists" in text
    assert not any(name in text for name in ALL_SCOPES.split())


def test_a_name_in_another_script_does_not_turn_the_page(app: Flask, bob: Person) -> None:
    Program.registered(app, "--name", "أكتيف", redirect_uri=CALLBACK).connects(bob)

    page = bob.sees(PAGE)

    assert "Disconnect أكتيف ?" in page.text
    assert [tag for tag, _ in page.tags].count("bdi") >= 3


# Many apps and tokens


def test_many_apps_are_shown_on_several_pages(app: Flask, bob: Person, clock: StoppedClock) -> None:
    for number in range(11):
        Program.registered(app, "--name", f"App {number}").connects(bob)
        clock.advance(1)

    first = bob.sees(PAGE)
    second = bob.sees(first.links["Next"])

    assert "App 10" in first.text
    assert "App 1 " in first.text
    assert "App 0" not in first.text
    assert button_labels(second) == ["Disconnect App 0"]
    assert button_labels(bob.sees(second.links["Previous"])) == button_labels(first)


def test_many_tokens_are_shown_on_several_pages(program: Program, bob: Person, clock: StoppedClock) -> None:
    """The place in the list of apps stays."""
    program.connects(bob)
    for number in range(11):
        create_token(bob, name=f"Token {number}", scope="tasks:read")
        clock.advance(1)

    first = bob.sees(PAGE)
    second = bob.sees(first.links["Next"])

    assert "Revoke Token 0" not in first.text
    assert "Revoke Token 0" in second.text
    assert "Revoke Token 1 " not in second.text
    assert button_labels(second) == ["Disconnect Program"]
    assert first.links["Next"].endswith("#personal-tokens")


def test_a_page_whose_apps_have_ended_leads_to_the_first(app: Flask, bob: Person, clock: StoppedClock) -> None:
    for number in range(11):
        Program.registered(app, "--name", f"App {number}").connects(bob)
        clock.advance(1)
    last_page = bob.sees(PAGE).links["Next"]
    bob.sends(next(form for form in bob.sees(last_page).forms if form.action.endswith("/disconnect")))

    answer = bob.browser.get(last_page)

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)


def test_a_mangled_address_of_a_page_is_an_error_page(bob: Person) -> None:
    for name in ("cursor", "tokens_cursor"):
        assert_error_page(bob.browser.get(PAGE, query_string={name: "nonsense"}), status=422)
