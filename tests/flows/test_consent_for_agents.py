"""What the consent page says about clients that no one registered: they are what they claim to be, or not."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.document_clients import ACCEPTING, Site, agent
from tests.support.pages import Page


@pytest.fixture
def robert(agent_app: Flask) -> Person:
    """Bob, signed in at the app that accepts agents."""
    return Person(agent_app, "bob")


def words(page: Page) -> str:
    """The text of the page, with single spaces."""
    return " ".join(page.text.split())


def bold(page: Page) -> str:
    """What is inside <strong>."""
    body = page.response.get_data(as_text=True)
    return " ".join(part.partition("</strong>")[0] for part in body.split("<strong>")[1:])


def test_the_page_says_where_the_client_comes_from(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site, client_name="Claude")
    host = agent_site.url.removeprefix("http://")

    page = robert.sees(robin.question())

    assert "This app is not verified." in words(page)
    assert f"It calls itself Claude and comes from {host}" in words(page)
    assert host in bold(page)


def test_the_page_says_where_a_client_that_registered_itself_sends_the_user(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True, ACTIVEPIECES_MCP=True)
    callback = "https://robin.example.org:8443/callback"
    metadata = {"client_name": "Claude", "redirect_uris": [callback], "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)

    page = Person(app, "bob").sees(Program(app, made["client_id"], None, callback).question())

    assert "It calls itself Claude" in words(page) and "No one knows who made it." in words(page)
    assert "Approve only if you trust the address to which it sends you." in words(page)
    # Nothing else tells the user who it is.
    assert "robin.example.org:8443" in bold(page)


def test_the_page_warns_of_clients_on_the_users_own_device(
    agent_app: Flask, agent_site: Site, robert: Person
) -> None:
    """RFC 8252 §8.6: any program there can listen on the port."""
    on_device = agent(
        agent_app, agent_site, "/1.json", redirect_uris=["http://localhost/callback", "http://127.0.0.1/callback"]
    )
    by_scheme = agent(
        agent_app, agent_site, "/2.json", redirect_uris=["cursor://anysphere.cursor-mcp/oauth/callback"]
    )
    on_both = agent(
        agent_app, agent_site, "/3.json", redirect_uris=["https://vscode.dev/redirect", "http://127.0.0.1:33418/"]
    )

    warning = "any program can pretend to be it"
    assert warning in words(robert.sees(on_device.question()))
    assert warning in words(robert.sees(by_scheme.question()))
    assert warning not in words(robert.sees(on_both.question()))


def test_cursor_gets_its_code(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    cursor = agent(agent_app, agent_site, redirect_uris=["cursor://anysphere.cursor-mcp/oauth/callback"])

    answer = robert.sends(robert.sees(cursor.question()).form("decision"), decision="approve")

    assert answer.location.startswith("cursor://anysphere.cursor-mcp/oauth/callback?code=")
    assert answer_of(cursor.redeems(brought_back(answer)["code"]))["access_token"]


@pytest.mark.parametrize("name", ["<b>Acme</b>", "Acme' onclick='x", "{{ 7 * 7 }}", "Approve · Verified ✓", "عربي"])
def test_a_name_is_only_text(agent_app: Flask, agent_site: Site, robert: Person, name: str) -> None:
    page = robert.sees(agent(agent_app, agent_site, client_name=name).question())

    assert name in page.text
    assert not {tag for tag, _ in page.tags} & {"b", "script", "img"}
    assert not any(attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)
    assert "This app is not verified." in words(page)


def test_a_registered_client_has_no_warning(agent_app: Flask, robert: Person) -> None:
    page = robert.sees(Program.registered(agent_app).question())

    assert "not verified" not in page.text
    assert "calls itself" not in page.text


def test_consent_is_asked_every_time(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    robert.answers(robin.question())

    assert robert.sees(robin.question()).form("decision")


def test_an_app_with_its_own_page_learns_the_same(make_app: MakeApp, agent_site: Site) -> None:
    app = make_app(**ACCEPTING, ACTIVEPIECES_CONSENT_URL="/consent")
    bob, stranger = Person(app, "bob"), Person(app)
    robin = agent(app, agent_site, redirect_uris=["http://localhost/callback"])

    # The login comes first, at the app's own login page: nothing is fetched before.
    assert stranger.opens(robin.question()).location.startswith("/login?")
    request_id = brought_back(bob.opens(robin.question()))["request_id"]
    described = answer_of(bob.opens(f"/oauth/authorize/request/{request_id}"))

    assert described["client"] == {
        "client_id": robin.client_id,
        "name": "Robin",
        "description": "",
        "logo_uri": None,
        "is_verified": False,
        "host": agent_site.url.removeprefix("http://"),
        "is_on_device": True,
        "registered_by": None,
        "registered_at": "2027-01-15T08:00:00Z",
    }
