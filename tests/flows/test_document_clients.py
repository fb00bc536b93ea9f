"""Clients whose id is the URL of their metadata document: no one registers them (MCP, CIMD)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.document_clients import ACCEPTING, Site, agent
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import opened
from tests.support.pages import Page
from tests.support.storage import rows_of, statements_of

MCP = "http://localhost/mcp"
MINUTES = 60


@pytest.fixture
def robert(agent_app: Flask) -> Person:
    """Bob, signed in at the app that accepts agents."""
    return Person(agent_app, "bob")


def test_an_agent_gets_tokens_by_its_url_alone(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)

    code = robert.allows(robin.question(resource=MCP))
    pair = answer_of(robin.redeems(code, resource=MCP))
    again = answer_of(robin.refreshes(pair["refresh_token"]))

    _, claims = opened(again["access_token"])
    assert claims["client_id"] == robin.client_id == f"{agent_site.url}/client.json"
    assert claims["aud"] == MCP
    assert agent_site.fetched == ["/client.json"]


def test_a_document_is_read_once_and_shared(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)

    for _ in range(3):
        robert.answers(robin.question())
    Person(agent_app, "alice").sees(robin.question())

    assert agent_site.fetched == ["/client.json"]
    (row,) = rows_of(agent_app, "oauth_clients")
    assert (row["source"], row["name"], row["tenant_id"]) == ("document", "Robin", None)


def test_the_statements_of_an_agent_are_those_of_any_client(
    agent_app: Flask, agent_site: Site, robert: Person
) -> None:
    robin = agent(agent_app, agent_site)
    code = robert.allows(robin.question())

    with statements_of(agent_app) as exchange:
        pair = answer_of(robin.redeems(code))
    with statements_of(agent_app) as refresh:
        answer_of(robin.refreshes(pair["refresh_token"]))

    assert [statement.split()[0] for statement in exchange] == ["SELECT", "INSERT", "COMMIT"]
    assert [statement.split()[0] for statement in refresh] == ["SELECT", "UPDATE", "COMMIT"]


def test_claude_code_gets_its_code_on_any_port(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    """Its document lists the addresses without a port, and it listens on a free one."""
    uris = ["http://localhost/callback", "http://127.0.0.1/callback"]
    claude = agent(agent_app, agent_site, client_name="Claude Code", redirect_uris=uris)
    claude.redirect_uri = "http://localhost:53411/callback"

    answer = answer_of(claude.redeems(robert.allows(claude.question())))

    assert answer["access_token"]
    page = assert_error_page(robert.opens(claude.question(redirect_uri="http://localhost:53411/other")))
    assert "not registered" in page.text


# --- The scopes and the resource ------------------------------------------------------------------


def test_an_agent_may_request_every_scope_of_the_app(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site, scope="tasks:read unknown")
    unlimited = agent(agent_app, agent_site, "/2.json", scope="openid email")

    assert_error_page(robert.opens(robin.question(scope="tasks:write")))
    assert answer_of(robin.redeems(robert.allows(robin.question(scope=None))))["scope"] == "tasks:read"
    assert "tasks:write" in answer_of(unlimited.redeems(robert.allows(unlimited.question(scope=None))))["scope"]


def test_an_agent_that_names_no_resource_gets_a_token_for_the_endpoint(
    agent_app: Flask, agent_site: Site, robert: Person
) -> None:
    """Clients of the revision 2025-03-26 do not know the parameter."""
    robin = agent(agent_app, agent_site)

    token = robin.connects(robert)["access_token"]

    assert opened(token)[1]["aud"] == MCP
    assert robin.calls(token).status_code == 401


def test_an_agent_may_request_a_token_for_the_api(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    code = robert.allows(robin.question(resource="http://localhost"))

    token = answer_of(robin.redeems(code))["access_token"]

    me = answer_of(robin.calls(token))
    assert me["user_id"] == "bob"
    # The id in our tables, which is an index of grants, tokens and events.
    assert me["client_id"].startswith("url_")


# --- Who may cause a fetch, and a redirect --------------------------------------------------------


def test_nothing_is_fetched_for_a_stranger(agent_app: Flask, agent_site: Site) -> None:
    """So only users of the app can make it call other servers."""
    robin, stranger = agent(agent_app, agent_site), Person(agent_app)

    with assert_nothing_stored(agent_app):
        response = stranger.opens(robin.question())
        assert_error_page(stranger.opens(robin.question(prompt="none")))

    assert response.status_code == 302
    assert response.location.startswith("/login?next=")
    assert agent_site.fetched == []


def test_the_request_goes_on_after_the_login(agent_app: Flask, agent_site: Site) -> None:
    robin, person = agent(agent_app, agent_site), Person(agent_app)
    state = "a b&c=d#e?é"

    login = person.opens(robin.question(state=state, resource=MCP))
    back = person.opens(f"{login.location}&as=bob")
    page = Page(person.opens(back.location))
    answer = person.sends(page.form("decision"), decision="approve")

    assert brought_back(answer)["state"] == state


def test_no_link_leads_to_the_site_of_an_agent(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    """RFC 9700 §4.11.2: anyone can make a client, and a request with an error, and send the link to others."""
    robin = agent(agent_app, agent_site, redirect_uris=["https://evil.test/"])
    requests: list[dict[str, Any]] = [
        {"scope": "admin"},
        {"response_type": "token"},
        {"resource": "https://other.test/"},
        {"code_challenge": None, "code_challenge_method": None},
        {"prompt": "none"},
    ]

    for changes in requests:
        signed_out = Person(agent_app).opens(robin.question(**changes))
        assert "evil.test" not in (signed_out.location or "").partition("?next=")[0]
        page = assert_error_page(robert.opens(robin.question(**changes)))
        assert "Nothing was shared" in page.text
        # The user may go on. The agent then learns what was wrong.
        assert page.links["Continue to https://evil.test"].startswith("https://evil.test/?error=")


def test_a_user_who_denies_returns_to_the_agent(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)

    assert robert.answers(robin.question(), "deny")["error"] == "access_denied"


def test_a_user_cannot_cause_fetches_without_end(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    for number in range(20):
        robert.opens(agent(agent_app, agent_site, f"/{number}.json").question())
    page = assert_error_page(robert.opens(agent(agent_app, agent_site, "/one-more.json").question()))

    assert "too many" in page.text
    assert len(agent_site.fetched) == 20
    # Others may, and so may this user with an agent that is known.
    assert Person(agent_app, "alice").sees(agent(agent_app, agent_site, "/alices.json").question()).status == 200
    assert robert.sees(agent(agent_app, agent_site, "/3.json").question()).status == 200


# --- The page -------------------------------------------------------------------------------------


def test_a_document_that_cannot_be_used_is_explained(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"client_id": "https://claude.ai/client.json"}, "client_id must be exactly the URL"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "must be one of: none, private_key_jwt"),
        ({"redirect_uris": []}, "redirect_uris must be a list"),
        ({"client_secret": "x"}, "client_secret"),
    ]

    with assert_nothing_stored(agent_app):
        for number, (claims, reason) in enumerate(cases):
            path = f"/{number}.json"
            url = agent_site.publish(path, **claims)
            robin = agent(agent_app, agent_site, "/unused.json")
            page = assert_error_page(robert.opens(robin.question(client_id=url)))
            assert reason in page.text
            assert "could not be identified" in page.text
            assert "http" not in str(page.links)


@pytest.mark.parametrize(
    "client_id",
    [
        "https://client.example",
        "https://user@client.example/x",
        "https://127.0.0.1:1/x",
        "https://169.254.169.254/latest/meta-data",
        "http://client.example/x",
        "http://localhost/x?y",
        "http://localhost:99999/../x",
        "https://client.example/" + "a" * 3000,
        "http://",
        "https://\u202e/x",
    ],
)
def test_a_url_that_cannot_be_a_client_is_refused(
    agent_app: Flask, agent_site: Site, robert: Person, client_id: str
) -> None:
    robin = agent(agent_app, agent_site)

    with assert_nothing_stored(agent_app):
        assert_error_page(robert.opens(robin.question(client_id=client_id)))


def test_an_address_of_the_app_itself_is_no_client(agent_app: Flask, robert: Person, agent_site: Site) -> None:
    """Users may be able to upload files, and the page would show the name of the app."""
    robin = agent(agent_app, agent_site)

    page = assert_error_page(robert.opens(robin.question(client_id="http://localhost/uploads/client.json")))

    assert "address of this app" in page.text


# --- The cache ------------------------------------------------------------------------------------


def test_a_document_is_read_again_when_it_has_expired(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock
) -> None:
    agent_site.headers = {"Cache_Control": "max-age=600"}
    robin = agent(agent_app, agent_site)
    robert.answers(robin.question())
    agent(agent_app, agent_site, client_name="Robin 2", redirect_uris=["https://new.test/"])

    clock.advance(599)
    assert "Robin 2" not in robert.sees(robin.question()).text
    clock.advance(1)
    page = robert.sees(robin.question(redirect_uri="https://new.test/"))

    assert "Robin 2" in page.text
    assert len(agent_site.fetched) == 2
    # What the document no longer lists is no longer accepted.
    assert_error_page(robert.opens(robin.question(redirect_uri=CALLBACK)))


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "application/json"), (503, "application/json"), (200, "text/html"), (302, "text/html")]
)
def test_a_document_that_fails_is_used_for_seven_days(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock, status: int, kind: str
) -> None:
    """The document of claude.ai was a page, or missing, at times."""
    robin = agent(agent_app, agent_site)
    robert.answers(robin.question())
    agent_site.status, agent_site.kind = status, kind

    clock.advance(days=7, seconds=-1)
    assert robert.sees(robin.question()).status == 200
    clock.advance(1)
    assert_error_page(robert.opens(robin.question()))

    agent_site.status, agent_site.kind = 200, "application/json"
    assert robert.sees(robin.question()).status == 200


def test_a_failing_site_is_not_asked_again_at_once(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock
) -> None:
    robin = agent(agent_app, agent_site)
    robert.answers(robin.question())
    agent_site.status = 500
    clock.advance(days=1)

    for _ in range(5):
        assert robert.sees(robin.question()).status == 200
    assert len(agent_site.fetched) == 2
    clock.advance(5 * MINUTES)
    robert.sees(robin.question())

    assert len(agent_site.fetched) == 3


def test_tokens_of_an_agent_without_keys_do_not_depend_on_its_document(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock
) -> None:
    robin = agent(agent_app, agent_site)
    pair = robin.connects(robert)
    agent_site.status = 404

    for _ in range(5):
        clock.advance(days=30)
        pair = answer_of(robin.refreshes(pair["refresh_token"]))

    assert len(agent_site.fetched) == 1


# --- The token endpoint ---------------------------------------------------------------------------


def test_the_token_endpoint_fetches_nothing_for_an_unknown_client(agent_app: Flask, agent_site: Site) -> None:
    robin = agent(agent_app, agent_site)

    with assert_nothing_stored(agent_app):
        assert_oauth_error(robin.redeems("v1.e30.x"), 401, "invalid_client")

    assert agent_site.fetched == []


def test_an_agent_is_known_by_its_url_only(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    """The id in our tables, which other programs may learn, is not a second name of it."""
    robin = agent(agent_app, agent_site)
    code = robert.allows(robin.question())
    (row,) = rows_of(agent_app, "oauth_clients")

    for client_id in (row["client_id"], robin.client_id + "/", robin.client_id.upper(), robin.client_id + "?"):
        assert_oauth_error(robin.redeems(code, client_id=client_id), 401, "invalid_client")
        assert_error_page(robert.opens(robin.question(client_id=client_id)))
    assert answer_of(robin.redeems(code))["access_token"]


def test_a_code_of_another_agent_is_not_valid(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin, marian = agent(agent_app, agent_site), agent(agent_app, agent_site, "/marian.json")
    marian.verifier = robin.verifier
    robert.answers(marian.question())
    code = robert.allows(robin.question())

    assert_oauth_error(marian.redeems(code), 400, "invalid_grant")


def test_a_secret_of_an_agent_is_never_valid(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    code = robert.allows(robin.question())

    assert_oauth_error(robin.redeems(code, client_secret="x"), 401, "invalid_client")


def test_pkce_is_required(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)

    assert_oauth_error(robin.redeems(robert.allows(robin.question()), code_verifier=None), 400, "invalid_request")


def test_an_agent_introspects_and_revokes_its_tokens(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    pair = robin.connects(robert)
    reports = Program.registered(agent_app, "--introspection")

    for kind in ("access_token", "refresh_token"):
        claims = answer_of(reports.introspects(pair[kind]))
        assert (claims["client_id"], claims["aud"]) == (robin.client_id, MCP)
    assert_oauth_error(robin.introspects(pair["access_token"]), 401, "invalid_client")  # it has no secret
    answer_of(robin.revokes(pair["refresh_token"]))

    assert_oauth_error(robin.refreshes(pair["refresh_token"]), 400, "invalid_grant")
    assert answer_of(reports.introspects(pair["access_token"])) == {"active": False}


# --- Operators ------------------------------------------------------------------------------------


def command(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["activepieces", "client", *arguments])
    return result.output


def test_an_operator_sees_suspends_and_deletes_an_agent(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    pair = robin.connects(robert)
    (row,) = rows_of(agent_app, "oauth_clients")

    assert robin.client_id in command(agent_app, "show", row["client_id"])
    command(agent_app, "disable", row["client_id"])
    assert "suspended" in assert_error_page(robert.opens(robin.question())).text
    assert robin.refreshes(pair["refresh_token"]).status_code == 503
    command(agent_app, "enable", row["client_id"])
    assert "Deleted Robin" in command(agent_app, "delete", row["client_id"], "--yes")

    assert_oauth_error(robin.refreshes(pair["refresh_token"]), 401, "invalid_client")
    # It may come back, if a user approves it again: with tokens that work.
    again = robin.connects(robert)
    assert answer_of(robin.refreshes(again["refresh_token"]))["access_token"]
    api_token = answer_of(robin.redeems(robert.allows(robin.question(resource="http://localhost"))))["access_token"]
    assert robin.calls(api_token).status_code == 200


def test_the_tokens_of_a_deleted_agent_end_at_once(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robin = agent(agent_app, agent_site)
    token = answer_of(robin.redeems(robert.allows(robin.question(resource="http://localhost"))))["access_token"]
    assert robin.calls(token).status_code == 200
    (row,) = rows_of(agent_app, "oauth_clients")

    command(agent_app, "delete", row["client_id"], "--yes")

    assert robin.calls(token).status_code == 401


def test_no_one_changes_what_the_document_says(agent_app: Flask, agent_site: Site, robert: Person) -> None:
    robert.sees(agent(agent_app, agent_site).question())
    (row,) = rows_of(agent_app, "oauth_clients")

    for arguments in (["update", "--name", "Other"], ["update", "--remember-consent"], ["rotate"]):
        output = command(agent_app, arguments[0], row["client_id"], *arguments[1:])
        assert "Error" in output, output
    assert rows_of(agent_app, "oauth_clients") == [row]


def test_no_tenant_sees_agents_among_its_clients(agent_app: Flask, agent_site: Site) -> None:
    alice = Person(agent_app, "alice")
    alice.answers(agent(agent_app, agent_site).question(), workspace="acme")

    assert "Robin" not in alice.sees("/oauth/clients").text
    assert answer_of(alice.opens("/api/integration/activepieces/oauth-clients")) == {"data": []}


# --- The switch -----------------------------------------------------------------------------------


def test_the_metadata_says_that_documents_are_accepted(agent_app: Flask) -> None:
    metadata = answer_of(agent_app.test_client().get("/.well-known/oauth-authorization-server"))

    assert metadata["client_id_metadata_document_supported"] is True
    assert {"none", "private_key_jwt"} <= set(metadata["token_endpoint_auth_methods_supported"])
    assert "ES256" in metadata["token_endpoint_auth_signing_alg_values_supported"]


@pytest.mark.parametrize("mcp", [True, False])
def test_documents_are_accepted_together_with_the_endpoint(make_app: MakeApp, mcp: bool) -> None:
    app = make_app(ACTIVEPIECES_MCP=mcp)

    metadata = answer_of(app.test_client().get("/.well-known/oauth-authorization-server"))

    assert ("client_id_metadata_document_supported" in metadata) is mcp


def test_without_the_feature_a_url_is_an_unknown_client(
    make_app: MakeApp, agent_app: Flask, agent_site: Site, robert: Person
) -> None:
    robin = agent(agent_app, agent_site)
    pair = robin.connects(robert)
    robin.app = off = make_app(**{**ACCEPTING, "ACTIVEPIECES_CLIENT_DOCUMENTS": False}, tables=False)

    page = assert_error_page(Person(off, "bob").opens(robin.question()))
    assert "not registered" in page.text
    assert_oauth_error(robin.refreshes(pair["refresh_token"]), 401, "invalid_client")
    robin.app = agent_app

    assert answer_of(robin.refreshes(pair["refresh_token"]))["access_token"]
    assert len(agent_site.fetched) == 1


def test_loopback_is_refused_without_the_setting_for_developers(make_app: MakeApp, agent_site: Site) -> None:
    app = make_app(ACTIVEPIECES_CLIENT_DOCUMENTS=True)

    assert_error_page(Person(app, "bob").opens(agent(app, agent_site).question()))

    assert agent_site.fetched == []
