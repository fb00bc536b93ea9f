"""The stand-in's page: its content, hidden secrets, and its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_activepieces.testing import ActivepiecesServer
from tests.support.acme import acme_pieces
from tests.support.standin import standin, without_users
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint

OAUTH_PIECE = "@activepieces/piece-acme-oauth"


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with token_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def server(endpoint: TokenEndpoint) -> Iterator[ActivepiecesServer]:
    server = ActivepiecesServer(pieces=acme_pieces(endpoint.url))
    yield server
    server.close()


@pytest.fixture
def browser(server: ActivepiecesServer) -> FlaskClient:
    return server.app.test_client()


def clicks_connect(server: ActivepiecesServer, browser: FlaskClient, **changes: str) -> dict[str, str]:
    """Press the button; return the parameters of the authorization request."""
    form = {"piece": OAUTH_PIECE, "project": server.project_id, "client_id": "cid", "client_secret": "csec-canary"}
    answer = browser.post("/connect", data=form | changes)
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.location).query)
    return {name: values[0] for name, values in query.items()}


def comes_back(browser: FlaskClient, **query: str) -> TestResponse:
    return browser.get("/redirect", query_string=query, follow_redirects=True)


def test_the_page_says_that_it_is_a_stand_in(browser: FlaskClient) -> None:
    answer = browser.get("/")

    assert "This is not Activepieces." in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_an_empty_server_has_a_page_too() -> None:
    server = without_users(ActivepiecesServer())

    assert "No one has signed up yet." in server.app.test_client().get("/").text
    server.close()


def selected_on(page: TestResponse) -> set[str]:
    """The projects that the forms suggest."""
    return set(re.findall(r"<option[^>]* selected>([^<]*)<", page.text))


def test_the_forms_suggest_the_project_that_has_connections(server: ActivepiecesServer, browser: FlaskClient) -> None:
    api = standin(server)
    api.post("/projects", {"displayName": "Empty"})
    assert selected_on(browser.get("/")) == {"Empty"}  # the newest, while none is in use

    value = {"type": "SECRET_TEXT", "secret_text": "ok-1"}
    api.connect("crm", "@activepieces/piece-acme-secret", value)

    assert selected_on(browser.get("/")) == {"Stand-in project"}


def test_a_returned_code_creates_a_connection(
    server: ActivepiecesServer, browser: FlaskClient, endpoint: TokenEndpoint
) -> None:
    asked = clicks_connect(server, browser)
    assert asked["redirect_uri"] == f"{server.url}/redirect"

    page = comes_back(browser, code="the-code", state=asked["state"])

    assert "Connected: Acme OAuth." in page.text
    assert "code_verifier=" in endpoint.received[0].body  # the piece uses PKCE
    assert server.read_connection_as_piece("piece-acme-oauth")["status"] == "ACTIVE"


def test_no_secret_is_on_the_page(server: ActivepiecesServer, browser: FlaskClient, endpoint: TokenEndpoint) -> None:
    asked = clicks_connect(server, browser)
    endpoint.reply_with(Reply({"access_token": "at-canary", "refresh_token": "rt-canary"}))

    page = comes_back(browser, code="code-canary", state=asked["state"]).text

    assert "authorization_code" in page
    assert "canary" not in page
    assert server.api_key not in page


def test_the_error_of_a_redirect_is_shown_as_text(browser: FlaskClient) -> None:
    """Also of a sign-in that did not start here, such as one click in the app."""
    page = browser.get(
        "/redirect", query_string={"error": "access_denied", "error_description": "<b>No</b>", "state": "x"}
    )

    assert "access_denied: &lt;b&gt;No&lt;/b&gt;" in page.text
    assert "<b>No" not in page.text


def test_the_page_of_the_real_server_shows_no_error(browser: FlaskClient) -> None:
    page = browser.get("/api/redirect", query_string={"error": "access_denied"})

    assert page.text == "The code is missing in url"


def test_a_code_works_once(server: ActivepiecesServer, browser: FlaskClient) -> None:
    asked = clicks_connect(server, browser)
    comes_back(browser, code="the-code", state=asked["state"])

    again = comes_back(browser, code="the-code", state=asked["state"])

    assert "Nothing waits for this code" in again.text


def test_a_denial_is_shown(server: ActivepiecesServer, browser: FlaskClient) -> None:
    asked = clicks_connect(server, browser)

    page = comes_back(browser, error="access_denied", state=asked["state"])

    assert "Not connected: access_denied" in page.text
    assert server.token_requests == []


def test_a_rejected_code_is_shown(server: ActivepiecesServer, browser: FlaskClient, endpoint: TokenEndpoint) -> None:
    asked = clicks_connect(server, browser)
    endpoint.reply_with(Reply({"error_description": "The code <b>expired</b>."}, status=400))

    page = comes_back(browser, code="the-code", state=asked["state"])

    assert "Not connected: The code &lt;b&gt;expired&lt;/b&gt;." in page.text


@pytest.mark.parametrize("changes", [{"piece": "nope"}, {"project": "nope"}])
def test_an_unknown_piece_or_project_cannot_be_connected(
    server: ActivepiecesServer, browser: FlaskClient, changes: dict[str, str]
) -> None:
    form = {"piece": OAUTH_PIECE, "project": server.project_id, **changes}

    page = browser.post("/connect", data=form, follow_redirects=True)

    assert "There is no such piece or project." in page.text


def test_the_oauth_app_of_the_platform_is_used_if_there_is_one(
    server: ActivepiecesServer, browser: FlaskClient, endpoint: TokenEndpoint
) -> None:
    app = {"pieceName": OAUTH_PIECE, "clientId": "plat-cid", "clientSecret": "plat-sec"}
    standin(server).by_admin().post("/oauth-apps", app)

    asked = clicks_connect(server, browser, client_id="", client_secret="")
    comes_back(browser, code="the-code", state=asked["state"])

    assert asked["client_id"] == "plat-cid"
    assert endpoint.received[0].body.endswith("client_id=plat-cid&client_secret=plat-sec")


def test_the_props_of_a_piece_are_filled_in(
    server: ActivepiecesServer, browser: FlaskClient, endpoint: TokenEndpoint
) -> None:
    answer = browser.post(
        "/connect",
        data={
            "piece": f"{OAUTH_PIECE}-tenant",
            "project": server.project_id,
            "client_id": "cid",
            "client_secret": "csec",
            "prop.base_url": endpoint.url,
            "prop.audience": "",
        },
    )

    assert answer.location.startswith(f"{endpoint.url}/oauth/authorize?")
