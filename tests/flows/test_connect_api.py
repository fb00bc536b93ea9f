"""Connections created by signing in: one click for the app's piece, OAuth at a third party for other pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Person, answer_of
from tests.support.api_user import API, OWN_PIECE, PIECE, ApiUser
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_not_frameable, assert_nothing_stored
from tests.support.live import serving
from tests.support.pages import Page
from tests.support.problems import problem
from tests.support.storage import row_counts, rows_of
from tests.support.token_endpoint import Reply, TokenEndpoint

SLACK = "@activepieces/piece-acme-oauth"
OUR_SECRET = "our-secret-at-acme"


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name,
        ACTIVEPIECES_THIRD_PARTY_APPS={SLACK: {"client_id": "our-app", "client_secret": OUR_SECRET}},
    )


@pytest.fixture
def alice(app: Flask) -> Iterator[ApiUser]:
    """The admin of Acme; Activepieces can reach the app."""
    with serving(app) as site:
        yield ApiUser(Person(app, "alice"), site.replace("127.0.0.1", "localhost"))


@pytest.fixture
def integration(alice: ApiUser) -> str:
    return alice.links()


# One click


def test_one_click_creates_a_connection_that_can_call_the_app(
    app: Flask, alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    created = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)

    assert (created["status"], created["type"]) == ("ACTIVE", "OAUTH2")
    assert created["pieceName"] == OWN_PIECE.name
    assert created["metadata"]["userId"] == "alice"
    assert answer_of(alice.gets(f"/connection/{integration}"))["id"] == created["id"]
    assert [row["user_id"] for row in rows_of(app, "grants")] == ["alice"]
    assert row_counts(app)["token_families"] == 1


def test_a_second_click_renews_the_same_connection(app: Flask, alice: ApiUser, integration: str) -> None:
    first = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    second = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)

    assert second["id"] == first["id"]
    assert row_counts(app)["grants"] == 1


def test_concurrent_first_clicks_create_one_client(app: Flask, alice: ApiUser, integration: str) -> None:
    browsers = [ApiUser(Person(app, "alice"), alice.site) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda her: her.posts(f"/connections/{integration}/connect"), browsers)
        created = [answer_of(answer, 201)["id"] for answer in answers]

    assert len(set(created)) == row_counts(app)["oauth_clients"] == row_counts(app)["grants"] == 1
    active = [row for row in rows_of(app, "token_families") if row["revoked_at"] is None]
    assert len(active) == 1


def test_an_integration_client_gets_no_code_at_the_authorization_endpoint(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    """Its redirect URI comes from an unverified server, and with its grant no one would ask the user."""
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (client,) = rows_of(app, "oauth_clients")
    authorization = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"],
        "scope": "profile:read",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }

    for prompt in ({}, {"prompt": "none"}):
        answer = alice.person.browser.get("/oauth/authorize", query_string=authorization | prompt)

        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert "Connect it from inside the app" in answer.text


def test_an_integration_client_is_listed_and_can_only_be_deleted(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (client,) = answer_of(alice.gets("/oauth-clients"))["data"]
    path = f"/oauth-clients/{client['client_id']}"
    page = alice.person.browser.get(f"/automation/clients/{client['client_id']}").text

    assert client["integration_id"] == integration
    assert "Managed by this app" in page
    assert "Rotate" not in page
    for refused in (alice.patches(path, {"client_credentials": True}), alice.posts(f"{path}/rotate")):
        assert "managed by an integration" in problem(refused, 422, "Invalid input")["fields"]["client_id"]
    assert alice.deletes(path).status_code == 204
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (new,) = answer_of(alice.gets("/oauth-clients"))["data"]
    assert new["client_id"] != client["client_id"]


def test_an_app_that_activepieces_cannot_reach_is_reported_and_no_grant_is_stored(
    app: Flask, integration: str, alice: ApiUser
) -> None:
    alice.site = "http://localhost:9"  # nothing listens there

    error = problem(alice.posts(f"/connections/{integration}/connect"), 422, "Code refused")

    assert "http://localhost:9/oauth/token" in error["detail"]
    assert "grants" not in row_counts(app)


def test_a_missing_piece_name_is_reported_in_the_log(
    make_app: MakeApp, server: ActivepiecesServer, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)
    alice = ApiUser.named(app, "alice")

    answer = alice.posts(f"/connections/{alice.links()}/connect")

    assert problem(answer, 500, "Server error")["reference"] in caplog.text
    assert "ACTIVEPIECES_PIECE_NAME" in caplog.text


# A third party


def open_start_page(api_user: ApiUser, integration: str, **query: Any) -> Page:
    """Open the page that asks whether to sign in."""
    page = Page(api_user.gets(f"/connections/{integration}/oauth2/start", **query))
    assert page.status == 200, page.text
    return page


def press_button(api_user: ApiUser, page: Page, **changes: str) -> TestResponse:
    form = page.form("page_token")
    return api_user.person.browser.post(form.action, data=form.values | changes, base_url=api_user.site)


def start_sign_in(api_user: ApiUser, integration: str, **query: Any) -> dict[str, str]:
    """Press the button; return the query of the authorization URL at the third party."""
    answer = press_button(api_user, open_start_page(api_user, integration, **query))
    assert answer.status_code == 303, answer.text
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.location).query).items()}


def return_from_acme(api_user: ApiUser, authorization: dict[str, str], **query: Any) -> TestResponse:
    return api_user.gets("/oauth2/callback", **({"state": authorization["state"], "code": "c-1"} | query))


def test_a_sign_in_at_a_third_party_creates_the_connection(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK, displayName="Our Slack")
    answer = return_from_acme(alice, authorization, session_state="an unknown parameter")

    assert authorization["client_id"] == "our-app"
    assert authorization["redirect_uri"] == f"{alice.site}{API}/oauth2/callback"
    assert authorization["code_challenge_method"] == "S256"
    (created,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (answer.status_code, answer.location) == (303, f"/?connection={created['id']}")
    assert (created["displayName"], created["status"]) == ("Our Slack", "ACTIVE")
    (exchange,) = [parse_qs(request.body) for request in acme.received]
    assert (exchange["code"], exchange["client_secret"]) == (["c-1"], [OUR_SECRET])


#: How browsers mark a navigation: with Fetch Metadata, or (older ones) only in the Accept header.
NAVIGATION = pytest.mark.parametrize(
    "header",
    [{"HTTP_SEC_FETCH_MODE": "navigate"}, {"HTTP_ACCEPT": "text/html,*/*;q=0.8"}],
    ids=["new browser", "old browser"],
)


@pytest.mark.parametrize(
    ("next_url", "location"),
    [
        ("/settings?tab=slack", "/settings?tab=slack&connection={}"),
        ("/settings#slack", "/settings?connection={}#slack"),
        ("/settings?error=access_denied", "/settings?connection={}"),
    ],
)
def test_the_browser_is_redirected_to_the_requested_next_url(
    alice: ApiUser, integration: str, next_url: str, location: str
) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK, next=next_url)

    answer = return_from_acme(alice, authorization)

    (created,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert answer.location == location.format(created["id"])


@NAVIGATION
def test_an_anonymous_browser_signs_in_first_and_returns_to_the_link(
    app: Flask, alice: ApiUser, integration: str, header: dict[str, str]
) -> None:
    anonymous = ApiUser.named(app)
    anonymous.person.browser.environ_base.update(header)
    path = f"/connections/{integration}/oauth2/start"

    answer = anonymous.gets(path, pieceName=SLACK)

    login = urlsplit(answer.location)
    assert (answer.status_code, login.path) == (302, "/login")
    assert parse_qs(login.query)["next"] == [f"{API}{path}?pieceName={SLACK}"]


def test_an_anonymous_program_gets_401(app: Flask, integration: str) -> None:
    path = f"/connections/{integration}/oauth2/start"

    problem(ApiUser.named(app).gets(path, pieceName=SLACK), 401, "Not signed in")


#: The site that a link was followed from. Old browsers do not send it, nor does any after a login redirect.
FROM_ANY_SITE = pytest.mark.parametrize("site", [None, "none", "same-origin", "same-site", "cross-site"], ids=str)


def browse_from(api_user: ApiUser, site: str | None) -> None:
    """Make the person's next requests look like navigation in a browser, from a page of this site."""
    browser = api_user.person.browser.environ_base
    browser["HTTP_ACCEPT"] = "text/html"
    if site is not None:
        browser |= {"HTTP_SEC_FETCH_SITE": site, "HTTP_SEC_FETCH_MODE": "navigate"}


@FROM_ANY_SITE
@pytest.mark.parametrize(
    ("query", "question"),
    [
        ({}, "Sign in at Acme OAuth for a new connection of Acme?"),
        ({"displayName": "Our Slack"}, "Sign in at Acme OAuth for the connection “Our Slack” of Acme?"),
        ({"externalId": "slack-1"}, "Created, or replaced if it exists, with the ID slack-1"),
    ],
    ids=["a new one", "a name", "an id"],
)
def test_a_link_from_any_site_only_shows_the_question(
    app: Flask,
    alice: ApiUser,
    integration: str,
    acme: TokenEndpoint,
    site: str | None,
    query: dict[str, str],
    question: str,
) -> None:
    """Otherwise any site could make a user put their account into a connection that flows use."""
    browse_from(alice, site)

    with assert_nothing_stored(app):
        page = open_start_page(alice, integration, pieceName=SLACK, **query)

    assert_not_frameable(page.response)
    assert page.response.location is None
    assert question in page.text
    assert f"You will be sent to {acme.url}" in page.text


def test_the_page_names_the_connection_to_renew(alice: ApiUser, integration: str) -> None:
    return_from_acme(alice, start_sign_in(alice, integration, pieceName=SLACK, displayName="Our Slack"))
    (first,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    browse_from(alice, "cross-site")

    page = open_start_page(alice, integration, connectionId=first["id"], next="/settings")

    assert "for the connection “Our Slack” of Acme?" in page.text
    assert "Renewed with the account" in page.text
    assert page.links["Cancel"] == "/settings"


def test_a_piece_without_an_app_is_named_in_the_log_and_the_page_shows_no_setting(
    alice: ApiUser, integration: str, caplog: pytest.LogCaptureFixture
) -> None:
    browse_from(alice, "same-origin")
    piece = "@activepieces/piece-acme-oauth-tenant"

    answer = alice.gets(f"/connections/{integration}/oauth2/start", pieceName=piece)

    page = assert_error_page(answer, 422)
    assert "This link does not work" in page.text
    assert "ACTIVEPIECES" not in page.text
    assert f"ACTIVEPIECES_THIRD_PARTY_APPS has no app for the piece {piece}" in caplog.text


def test_bidi_characters_in_a_link_do_not_reorder_the_question(alice: ApiUser, integration: str) -> None:
    """Anyone can write a link, and the name in it."""
    page = open_start_page(alice, integration, pieceName=SLACK, displayName="Our\u202e Slack\u2066")

    assert "for the connection “Our Slack” of Acme?" in page.text
    assert "\u202e" not in page.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_on_another_site_starts_no_sign_in(app: Flask, alice: ApiUser, integration: str, site: str) -> None:
    page = open_start_page(alice, integration, pieceName=SLACK)
    browse_from(alice, site)

    refused = press_button(alice, page)

    assert "This call must come from a page of this app." in assert_error_page(refused, 403).text


@pytest.mark.parametrize("token", ["", "x", "another browser's"])
def test_the_button_needs_the_page_token_of_this_browser(
    app: Flask, alice: ApiUser, integration: str, token: str
) -> None:
    """Even if the browser does not send the form's origin."""
    page = open_start_page(alice, integration, pieceName=SLACK)
    other_browser = ApiUser(Person(app, "alice"), alice.site)
    foreign_form = open_start_page(other_browser, integration, pieceName=SLACK).form("page_token")
    if token == "another browser's":
        token = foreign_form.values["page_token"]

    problem(press_button(alice, page, page_token=token), 400, "Out of date")


def test_an_anonymous_user_who_follows_an_emailed_link_signs_in_and_sees_the_page(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    anonymous = ApiUser.named(app)
    browse_from(anonymous, "cross-site")
    query = {"pieceName": SLACK, "displayName": "Our Slack"}

    login = anonymous.gets(f"/connections/{integration}/oauth2/start", **query)
    (after,) = parse_qs(urlsplit(login.location).query)["next"]
    back = anonymous.person.sign_in("alice", next=after)
    page = Page(anonymous.person.browser.get(back.location, base_url=alice.site))

    assert (login.status_code, back.location) == (302, after)
    assert "for the connection “Our Slack” of Acme?" in page.text
    browse_from(anonymous, "same-origin")
    assert press_button(anonymous, page).status_code == 303


def test_the_button_pressed_after_logout_leads_to_login_and_back_to_the_question(
    alice: ApiUser, integration: str
) -> None:
    browse_from(alice, "same-origin")
    page = open_start_page(alice, integration, pieceName=SLACK)
    alice.person.opens("/logout")

    answer = press_button(alice, page)

    assert answer.status_code == 302
    (after,) = parse_qs(urlsplit(answer.location).query)["next"]
    assert after == page.form("page_token").action


def test_an_invalid_link_shows_an_error_page_in_a_browser(
    alice: ApiUser, integration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong with it is for its author, in the log."""
    browse_from(alice, "cross-site")

    answer = alice.gets(f"/connections/{integration}/oauth2/start", pieceName=PIECE)

    page = assert_error_page(answer, 422)
    assert "This link does not work It is incomplete or out of date. Tell the person who made it." in page.text
    assert "{'pieceName': 'This piece does not use OAuth2.'}" in caplog.text
    assert page.links == {"Back to the app": "/"}


def test_a_failed_callback_shows_an_error_page_in_a_browser(
    alice: ApiUser, integration: str, clock: StoppedClock, acme: TokenEndpoint
) -> None:
    first, second, third = (start_sign_in(alice, integration, pieceName=SLACK) for _ in range(3))
    browse_from(alice, "cross-site")

    return_from_acme(alice, first)
    used = assert_error_page(return_from_acme(alice, first))
    acme.reply_with(Reply({"error": "invalid_grant", "error_description": "too late"}, status=400))
    refused = assert_error_page(return_from_acme(alice, second), 422)
    clock.advance(601)
    late = assert_error_page(return_from_acme(alice, third))

    assert "this authorization was used before. Start again." in used.text
    assert "too late" in refused.text
    assert "this authorization took too long. Start again." in late.text
    for page in (used, refused, late):
        assert page.links == {"Back to the app": "/"}


def test_a_callback_after_logout_shows_an_error_page_in_a_browser(alice: ApiUser, integration: str) -> None:
    """The code is not passed on to the login page."""
    authorization = start_sign_in(alice, integration, pieceName=SLACK)
    browse_from(alice, "cross-site")
    alice.person.opens("/logout")

    assert "Sign in first." in assert_error_page(return_from_acme(alice, authorization), 401).text


@pytest.mark.parametrize(
    "path", ["https://evil.test/", "//evil.test/", "/\\evil.test", "/\n/evil.test", "settings", ""]
)
def test_a_next_url_on_another_site_is_rejected(alice: ApiUser, integration: str, path: str) -> None:
    answer = alice.gets(f"/connections/{integration}/oauth2/start", pieceName=SLACK, next=path)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["next"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "pieceName"),
        ({"pieceName": PIECE}, "pieceName"),
        ({"pieceName": OWN_PIECE.name}, "pieceName"),
        ({"pieceName": SLACK, "type": "CLOUD_OAUTH2"}, "clientId"),
        ({"pieceName": SLACK, "type": "SECRET_TEXT"}, "type"),
        ({"pieceName": SLACK, "props": "no JSON"}, "props"),
        ({"pieceName": SLACK, "props": '{"a": 1}'}, "props"),
        ({"pieceName": SLACK, "props": '{"a": "\\u0000"}'}, "props"),
        ({"pieceName": SLACK, "props": '{"a": "\\ud800"}'}, "props"),
        ({"pieceName": SLACK, "props": '{"\\ud800": "a"}'}, "props"),
        ({"pieceName": ".."}, "pieceName"),
        ({"pieceName": "."}, "pieceName"),
        ({"pieceName": "a/../b"}, "pieceName"),
        ({"pieceName": f"{SLACK}\n"}, "pieceName"),
        ({"pieceName": SLACK, "redirectUri": "https://evil.test/"}, "redirectUri"),
    ],
)
def test_an_invalid_start_parameter_is_named(
    alice: ApiUser, integration: str, query: dict[str, str], field: str
) -> None:
    answer = alice.gets(f"/connections/{integration}/oauth2/start", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]


def test_props_too_long_for_a_url_are_rejected(alice: ApiUser, integration: str) -> None:
    page = open_start_page(alice, integration, pieceName=SLACK, props=json.dumps({"a": "b" * 7000}))

    assert list(problem(press_button(alice, page), 422, "Invalid input")["fields"]) == ["props"]


def test_renewing_a_connection_keeps_its_name(alice: ApiUser, integration: str) -> None:
    return_from_acme(alice, start_sign_in(alice, integration, pieceName=SLACK, displayName="Our Slack"))
    (first,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    return_from_acme(alice, start_sign_in(alice, integration, connectionId=first["id"]))

    (second,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (second["id"], second["displayName"]) == (first["id"], "Our Slack")


def test_declining_at_the_third_party_creates_no_connection(alice: ApiUser, integration: str) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK)

    answer = alice.gets("/oauth2/callback", state=authorization["state"], error="access_denied")

    assert "access_denied" in problem(answer, 403, "Declined")["detail"]
    assert answer_of(alice.gets(f"/connections/{integration}"))["data"] == []


@NAVIGATION
def test_declining_at_the_third_party_still_redirects_to_the_next_url(
    alice: ApiUser, integration: str, header: dict[str, str]
) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK, next="/settings")
    alice.person.browser.environ_base.update(header)

    answer = alice.gets("/oauth2/callback", state=authorization["state"], error="access_denied")

    assert (answer.status_code, answer.location) == (303, "/settings?error=access_denied")


def test_an_error_together_with_a_code_counts_as_declined(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK)

    problem(return_from_acme(alice, authorization, error="access_denied"), 403, "Declined")

    assert acme.received == []


def test_two_tabs_can_sign_in_at_the_same_time(alice: ApiUser, integration: str) -> None:
    first = start_sign_in(alice, integration, pieceName=SLACK, displayName="One", next="/one")
    second = start_sign_in(alice, integration, pieceName=SLACK, displayName="Two", next="/two")

    assert return_from_acme(alice, first).location.startswith("/one?connection=")
    assert return_from_acme(alice, second).location.startswith("/two?connection=")
    connections = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert [connection["displayName"] for connection in connections] == ["One", "Two"]


def test_a_sign_in_with_the_longest_allowed_parameters_completes(alice: ApiUser, integration: str) -> None:
    longest = {"next": "/" + "x" * 900, "displayName": "ü" * 100, "externalId": "é" * 100}
    authorization = start_sign_in(alice, integration, pieceName=SLACK, props='{"x": "%s"}' % ("y" * 1500), **longest)

    assert return_from_acme(alice, authorization).location.startswith(f"{longest['next']}?connection=")


def test_a_tenant_with_its_own_key_learns_which_type_to_use(alice: ApiUser, server: ActivepiecesServer) -> None:
    own_key = alice.links(apiKey=server.api_key, projectId=server.project_id)

    answer = alice.gets(f"/connections/{own_key}/oauth2/start", pieceName=SLACK)

    assert "PLATFORM_OAUTH2" in problem(answer, 422, "Invalid input")["fields"]["type"]


def test_a_rejected_code_is_reported_with_the_third_partys_description(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    acme.reply_with(Reply({"error": "invalid_grant", "error_description": "too late"}, status=400))

    answer = return_from_acme(alice, start_sign_in(alice, integration, pieceName=SLACK))

    assert "too late" in problem(answer, 422, "Code refused")["detail"]


def test_a_callback_works_once(alice: ApiUser, integration: str) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK)
    first = return_from_acme(alice, authorization)

    assert first.status_code == 303
    problem(return_from_acme(alice, authorization), 400, "Out of date")


def test_a_forged_callback_does_not_end_a_pending_sign_in(alice: ApiUser, integration: str) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK)

    problem(alice.gets("/oauth2/callback", state="forged", code="c"), 400, "Out of date")

    assert return_from_acme(alice, authorization).status_code == 303


def test_a_callback_in_another_browser_creates_nothing(
    app: Flask, alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    """Otherwise an attacker could make a user save the attacker's account."""
    authorization = start_sign_in(alice, integration, pieceName=SLACK)
    other_browser = ApiUser(Person(app, "alice"), alice.site)
    other_user = ApiUser(Person(app, "carol"), alice.site)
    start_sign_in(other_user, other_user.links(), pieceName=SLACK)

    problem(return_from_acme(other_browser, authorization), 400, "Out of date")
    problem(return_from_acme(other_user, authorization), 400, "Out of date")

    assert acme.received == []


def test_a_late_callback_creates_nothing(
    alice: ApiUser, integration: str, clock: StoppedClock, acme: TokenEndpoint
) -> None:
    authorization = start_sign_in(alice, integration, pieceName=SLACK)
    clock.advance(601)

    problem(return_from_acme(alice, authorization), 400, "Out of date")
    assert acme.received == []


@pytest.mark.parametrize("query", [{}, {"code": "c-1"}, {"state": ""}])
def test_a_callback_without_a_state_is_refused(alice: ApiUser, query: dict[str, str]) -> None:
    answer = alice.gets("/oauth2/callback", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["state"]


def test_a_forged_state_is_refused(alice: ApiUser) -> None:
    problem(alice.gets("/oauth2/callback", state="forged", code="c"), 400, "Out of date")
