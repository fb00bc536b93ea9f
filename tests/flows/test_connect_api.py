"""Connections that are made by signing in: one click for the app's own piece, and a third party's consent."""

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
from tests.support.error_assertions import (
    assert_error_page,
    assert_not_frameable,
    assert_nothing_stored,
)
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
        ACTIVEPIECES_THIRD_PARTY_APPS={
            SLACK: {"client_id": "our-app", "client_secret": OUR_SECRET}
        },
    )


@pytest.fixture
def alice(app: Flask) -> Iterator[ApiUser]:
    """The admin of Acme, in an app that Activepieces can reach."""
    with serving(app) as site:
        yield ApiUser(Person(app, "alice"), site.replace("127.0.0.1", "localhost"))


@pytest.fixture
def integration(alice: ApiUser) -> str:
    return alice.links()


# One click


def test_one_click_makes_a_connection_that_can_call_the_app(
    app: Flask, alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    made = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)

    assert (made["status"], made["type"]) == ("ACTIVE", "OAUTH2")
    assert made["pieceName"] == OWN_PIECE.name
    assert made["metadata"]["userId"] == "alice"
    assert answer_of(alice.gets(f"/connection/{integration}"))["id"] == made["id"]
    assert [row["user_id"] for row in rows_of(app, "grants")] == ["alice"]
    assert row_counts(app)["token_families"] == 1


def test_a_second_click_renews_the_same_connection(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    first = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    second = answer_of(alice.posts(f"/connections/{integration}/connect"), 201)

    assert second["id"] == first["id"]
    assert row_counts(app)["grants"] == 1


def test_first_clicks_at_once_make_one_client(app: Flask, alice: ApiUser, integration: str) -> None:
    windows = [ApiUser(Person(app, "alice"), alice.site) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda her: her.posts(f"/connections/{integration}/connect"), windows)
        made = [answer_of(answer, 201)["id"] for answer in answers]

    assert len(set(made)) == row_counts(app)["oauth_clients"] == row_counts(app)["grants"] == 1
    living = [row for row in rows_of(app, "token_families") if row["revoked_at"] is None]
    assert len(living) == 1


def test_an_integrations_client_gets_no_code_at_the_authorization_endpoint(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    """Its redirect address was told by a server that proves nothing, and its permission would answer unseen."""
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (client,) = rows_of(app, "oauth_clients")
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"],
        "scope": "profile:read",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }

    for prompt in ({}, {"prompt": "none"}):
        answer = alice.person.browser.get("/oauth/authorize", query_string=asked | prompt)

        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert "Connect it inside the app" in answer.text


def test_an_integrations_client_is_shown_and_can_only_be_deleted(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (shown,) = answer_of(alice.gets("/oauth-clients"))["data"]
    path = f"/oauth-clients/{shown['client_id']}"
    page = alice.person.browser.get(f"/oauth/clients/{shown['client_id']}").text

    assert shown["integration_id"] == integration
    assert "Made and kept by this app" in page
    assert "Rotate" not in page
    for refused in (
        alice.patches(path, {"client_credentials": True}),
        alice.posts(f"{path}/rotate"),
    ):
        assert (
            "managed by an integration"
            in problem(refused, 422, "Invalid input")["fields"]["client_id"]
        )
    assert alice.deletes(path).status_code == 204
    answer_of(alice.posts(f"/connections/{integration}/connect"), 201)
    (new,) = answer_of(alice.gets("/oauth-clients"))["data"]
    assert new["client_id"] != shown["client_id"]


def test_where_activepieces_cannot_reach_the_app_it_is_said_and_nothing_is_allowed(
    app: Flask, integration: str, alice: ApiUser
) -> None:
    alice.site = "http://localhost:9"  # nobody is there

    told = problem(alice.posts(f"/connections/{integration}/connect"), 422, "Code refused")

    assert "http://localhost:9/oauth/token" in told["detail"]
    assert "grants" not in row_counts(app)


def test_without_a_piece_of_its_own_the_log_says_what_is_missing(
    make_app: MakeApp, server: ActivepiecesServer, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)
    alice = ApiUser.named(app, "alice")

    answer = alice.posts(f"/connections/{alice.links()}/connect")

    assert problem(answer, 500, "Server error")["reference"] in caplog.text
    assert "ACTIVEPIECES_PIECE_NAME" in caplog.text


# A third party


def asked_page(api_user: ApiUser, integration: str, **query: Any) -> Page:
    """The page that asks whether to sign in."""
    page = Page(api_user.gets(f"/connections/{integration}/oauth2/start", **query))
    assert page.status == 200, page.text
    return page


def presses(api_user: ApiUser, page: Page, **changes: str) -> TestResponse:
    form = page.form("page_token")
    return api_user.person.browser.post(
        form.action, data=form.values | changes, base_url=api_user.site
    )


def starts(api_user: ApiUser, integration: str, **query: Any) -> dict[str, str]:
    """What the third party is asked, after the page's button was pressed and the browser was sent there."""
    answer = presses(api_user, asked_page(api_user, integration, **query))
    assert answer.status_code == 303, answer.text
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.location).query).items()}


def comes_back(api_user: ApiUser, asked: dict[str, str], **query: Any) -> TestResponse:
    return api_user.gets("/oauth2/callback", **({"state": asked["state"], "code": "c-1"} | query))


def test_a_user_signs_in_at_a_third_party_and_the_connection_is_made(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    asked = starts(alice, integration, pieceName=SLACK, displayName="Our Slack")
    answer = comes_back(alice, asked, session_state="what nobody asked for")

    assert asked["client_id"] == "our-app"
    assert asked["redirect_uri"] == f"{alice.site}{API}/oauth2/callback"
    assert asked["code_challenge_method"] == "S256"
    (made,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (answer.status_code, answer.location) == (303, f"/?connection={made['id']}")
    assert (made["displayName"], made["status"]) == ("Our Slack", "ACTIVE")
    (exchange,) = [parse_qs(heard.body) for heard in acme.received]
    assert (exchange["code"], exchange["client_secret"]) == (["c-1"], [OUR_SECRET])


#: What a browser says of a link that somebody follows, in one way or the other.
FOLLOWED = pytest.mark.parametrize(
    "header",
    [{"HTTP_SEC_FETCH_MODE": "navigate"}, {"HTTP_ACCEPT": "text/html,*/*;q=0.8"}],
    ids=["new browser", "old browser"],
)


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/settings?tab=slack", "/settings?tab=slack&connection={}"),
        ("/settings#slack", "/settings?connection={}#slack"),
        ("/settings?error=access_denied", "/settings?connection={}"),
    ],
)
def test_the_browser_is_led_on_to_where_it_wanted_to_go(
    alice: ApiUser, integration: str, wanted: str, led: str
) -> None:
    asked = starts(alice, integration, pieceName=SLACK, next=wanted)

    location = comes_back(alice, asked).location

    (made,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert location == led.format(made["id"])


@FOLLOWED
def test_a_stranger_who_follows_the_link_signs_in_to_the_app_and_comes_back(
    app: Flask, alice: ApiUser, integration: str, header: dict[str, str]
) -> None:
    stranger = ApiUser.named(app)
    stranger.person.browser.environ_base.update(header)
    path = f"/connections/{integration}/oauth2/start"

    answer = stranger.gets(path, pieceName=SLACK)

    login = urlsplit(answer.location)
    assert (answer.status_code, login.path) == (302, "/login")
    assert parse_qs(login.query)["next"] == [f"{API}{path}?pieceName={SLACK}"]


def test_a_strange_program_is_told_that_it_is_not_signed_in(app: Flask, integration: str) -> None:
    path = f"/connections/{integration}/oauth2/start"

    problem(ApiUser.named(app).gets(path, pieceName=SLACK), 401, "Not signed in")


#: From where a link is followed; an old browser does not say, and on the way back from a login page none does.
FROM_ANYWHERE = pytest.mark.parametrize(
    "site", [None, "none", "same-origin", "same-site", "cross-site"], ids=str
)


def follows_from(api_user: ApiUser, site: str | None) -> None:
    """From now on the person is in a browser, and follows links and sends forms of this site."""
    browser = api_user.person.browser.environ_base
    browser["HTTP_ACCEPT"] = "text/html"
    if site is not None:
        browser |= {"HTTP_SEC_FETCH_SITE": site, "HTTP_SEC_FETCH_MODE": "navigate"}


@FROM_ANYWHERE
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "Sign in at Acme OAuth for a new connection of Acme?"),
        (
            {"displayName": "Our Slack"},
            "Sign in at Acme OAuth for the connection “Our Slack” of Acme?",
        ),
        ({"externalId": "slack-1"}, "Made, or replaced if there is one, with the id slack-1"),
    ],
    ids=["a new one", "a name", "an id"],
)
def test_a_link_from_anywhere_begins_nothing_and_shows_what_it_is_for(
    app: Flask,
    alice: ApiUser,
    integration: str,
    acme: TokenEndpoint,
    site: str | None,
    query: dict[str, str],
    words: str,
) -> None:
    """Else any page could have a user put an account of theirs into a connection that flows use."""
    follows_from(alice, site)

    with assert_nothing_stored(app):
        page = asked_page(alice, integration, pieceName=SLACK, **query)

    assert_not_frameable(page.response)
    assert page.response.location is None
    assert words in page.text
    assert f"You will be sent to {acme.url}" in page.text


def test_the_page_names_the_connection_that_is_to_be_renewed(
    alice: ApiUser, integration: str
) -> None:
    comes_back(alice, starts(alice, integration, pieceName=SLACK, displayName="Our Slack"))
    (first,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    follows_from(alice, "cross-site")

    page = asked_page(alice, integration, connectionId=first["id"], next="/settings")

    assert "for the connection “Our Slack” of Acme?" in page.text
    assert "Renewed with the account" in page.text
    assert page.links["Cancel"] == "/settings"


def test_a_piece_without_a_registration_is_named_in_the_log_and_no_setting_on_the_page(
    alice: ApiUser, integration: str, caplog: pytest.LogCaptureFixture
) -> None:
    follows_from(alice, "same-origin")
    piece = "@activepieces/piece-acme-oauth-tenant"

    answer = alice.gets(f"/connections/{integration}/oauth2/start", pieceName=piece)

    page = assert_error_page(answer, 422)
    assert "this app has no registration at the third party of this piece" in page.text
    assert "ACTIVEPIECES" not in page.text
    assert f"ACTIVEPIECES_THIRD_PARTY_APPS has no app for the piece {piece}" in caplog.text


def test_a_name_in_a_link_does_not_turn_the_question_around(
    alice: ApiUser, integration: str
) -> None:
    """The link may be anybody's, and so the name in it."""
    page = asked_page(alice, integration, pieceName=SLACK, displayName="Our\u202e Slack\u2066")

    assert "for the connection “Our Slack” of Acme?" in page.text
    assert "\u202e" not in page.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_button_of_another_site_begins_nothing(
    app: Flask, alice: ApiUser, integration: str, site: str
) -> None:
    page = asked_page(alice, integration, pieceName=SLACK)
    follows_from(alice, site)

    refused = presses(alice, page)

    assert "This call must come from a page of this app." in assert_error_page(refused, 403).text


@pytest.mark.parametrize("token", ["", "x", "of another browser"])
def test_the_button_needs_the_page_that_was_seen_in_this_browser(
    app: Flask, alice: ApiUser, integration: str, token: str
) -> None:
    """Also in a browser that does not say where a form comes from."""
    page = asked_page(alice, integration, pieceName=SLACK)
    other = ApiUser(Person(app, "alice"), alice.site)
    of_another = asked_page(other, integration, pieceName=SLACK).form("page_token")
    if token == "of another browser":
        token = of_another.values["page_token"]

    problem(presses(alice, page, page_token=token), 400, "Out of date")


def test_a_stranger_who_follows_a_link_in_a_mail_signs_in_and_sees_the_page(
    app: Flask, alice: ApiUser, integration: str
) -> None:
    stranger = ApiUser.named(app)
    follows_from(stranger, "cross-site")
    query = {"pieceName": SLACK, "displayName": "Our Slack"}

    login = stranger.gets(f"/connections/{integration}/oauth2/start", **query)
    (after,) = parse_qs(urlsplit(login.location).query)["next"]
    back = stranger.person.sign_in("alice", next=after)
    page = Page(stranger.person.browser.get(back.location, base_url=alice.site))

    assert (login.status_code, back.location) == (302, after)
    assert "for the connection “Our Slack” of Acme?" in page.text
    follows_from(stranger, "same-origin")
    assert presses(stranger, page).status_code == 303


def test_whoever_presses_the_button_after_the_session_ended_signs_in_and_is_asked_again(
    alice: ApiUser, integration: str
) -> None:
    follows_from(alice, "same-origin")
    page = asked_page(alice, integration, pieceName=SLACK)
    alice.person.opens("/logout")

    answer = presses(alice, page)

    assert answer.status_code == 302
    (after,) = parse_qs(urlsplit(answer.location).query)["next"]
    assert after == page.form("page_token").action


def test_what_a_link_lacks_is_a_page_for_a_person(alice: ApiUser, integration: str) -> None:
    follows_from(alice, "cross-site")

    answer = alice.gets(f"/connections/{integration}/oauth2/start", pieceName=PIECE)

    page = assert_error_page(answer, 422)
    assert "This link does not work this piece does not sign in by OAuth2" in page.text
    assert "pieceName" not in page.text
    assert page.links == {"Back to the app": "/"}


def test_a_callback_that_fails_is_a_page_for_a_person(
    alice: ApiUser, integration: str, clock: StoppedClock, acme: TokenEndpoint
) -> None:
    first, second, third = (starts(alice, integration, pieceName=SLACK) for _ in range(3))
    follows_from(alice, "cross-site")

    comes_back(alice, first)
    used = assert_error_page(comes_back(alice, first))
    acme.reply_with(Reply({"error": "invalid_grant", "error_description": "too late"}, status=400))
    refused = assert_error_page(comes_back(alice, second), 422)
    clock.advance(601)
    late = assert_error_page(comes_back(alice, third))

    assert "this authorization was used before. Start again." in used.text
    assert "too late" in refused.text
    assert "this authorization took too long. Start again." in late.text
    for page in (used, refused, late):
        assert page.links == {"Back to the app": "/"}


def test_a_callback_of_one_who_is_signed_out_is_a_page_for_a_person(
    alice: ApiUser, integration: str
) -> None:
    """Its code is not passed on to the login page."""
    asked = starts(alice, integration, pieceName=SLACK)
    follows_from(alice, "cross-site")
    alice.person.opens("/logout")

    assert "Sign in first." in assert_error_page(comes_back(alice, asked), 401).text


@pytest.mark.parametrize(
    "path", ["https://evil.test/", "//evil.test/", "/\\evil.test", "/\n/evil.test", "settings", ""]
)
def test_the_browser_is_led_to_no_other_site(alice: ApiUser, integration: str, path: str) -> None:
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
def test_what_cannot_be_begun_is_named(
    alice: ApiUser, integration: str, query: dict[str, str], field: str
) -> None:
    answer = alice.gets(f"/connections/{integration}/oauth2/start", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]


def test_what_is_too_long_for_an_address_is_not_begun(alice: ApiUser, integration: str) -> None:
    page = asked_page(alice, integration, pieceName=SLACK, props=json.dumps({"a": "b" * 7000}))

    assert list(problem(presses(alice, page), 422, "Invalid input")["fields"]) == ["props"]


def test_a_connection_to_be_renewed_keeps_its_name(alice: ApiUser, integration: str) -> None:
    comes_back(alice, starts(alice, integration, pieceName=SLACK, displayName="Our Slack"))
    (first,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    comes_back(alice, starts(alice, integration, connectionId=first["id"]))

    (second,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (second["id"], second["displayName"]) == (first["id"], "Our Slack")


def test_a_user_who_says_no_there_has_no_connection(alice: ApiUser, integration: str) -> None:
    asked = starts(alice, integration, pieceName=SLACK)

    answer = alice.gets("/oauth2/callback", state=asked["state"], error="access_denied")

    assert "access_denied" in problem(answer, 403, "Declined")["detail"]
    assert answer_of(alice.gets(f"/connections/{integration}"))["data"] == []


@FOLLOWED
def test_a_person_who_says_no_there_is_led_on_all_the_same(
    alice: ApiUser, integration: str, header: dict[str, str]
) -> None:
    asked = starts(alice, integration, pieceName=SLACK, next="/settings")
    alice.person.browser.environ_base.update(header)

    answer = alice.gets("/oauth2/callback", state=asked["state"], error="access_denied")

    assert (answer.status_code, answer.location) == (303, "/settings?error=access_denied")


def test_a_no_that_comes_with_a_code_is_a_no(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    asked = starts(alice, integration, pieceName=SLACK)

    problem(comes_back(alice, asked, error="access_denied"), 403, "Declined")

    assert acme.received == []


def test_two_tabs_at_once_both_come_to_their_end(alice: ApiUser, integration: str) -> None:
    first = starts(alice, integration, pieceName=SLACK, displayName="One", next="/one")
    second = starts(alice, integration, pieceName=SLACK, displayName="Two", next="/two")

    assert comes_back(alice, first).location.startswith("/one?connection=")
    assert comes_back(alice, second).location.startswith("/two?connection=")
    found = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert [connection["displayName"] for connection in found] == ["One", "Two"]


def test_a_sign_in_that_asks_for_as_much_as_may_be_comes_to_its_end(
    alice: ApiUser, integration: str
) -> None:
    much = {"next": "/" + "x" * 900, "displayName": "ü" * 100, "externalId": "é" * 100}
    asked = starts(alice, integration, pieceName=SLACK, props='{"x": "%s"}' % ("y" * 1500), **much)

    assert comes_back(alice, asked).location.startswith(f"{much['next']}?connection=")


def test_a_tenant_with_a_key_of_its_own_is_told_how_to_sign_in(
    alice: ApiUser, server: ActivepiecesServer
) -> None:
    own = alice.links(apiKey=server.api_key, projectId=server.project_id)

    answer = alice.gets(f"/connections/{own}/oauth2/start", pieceName=SLACK)

    assert "PLATFORM_OAUTH2" in problem(answer, 422, "Invalid input")["fields"]["type"]


def test_a_code_that_the_third_party_refuses_is_told_in_its_words(
    alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    acme.reply_with(Reply({"error": "invalid_grant", "error_description": "too late"}, status=400))

    answer = comes_back(alice, starts(alice, integration, pieceName=SLACK))

    assert "too late" in problem(answer, 422, "Code refused")["detail"]


def test_a_callback_works_once(alice: ApiUser, integration: str) -> None:
    asked = starts(alice, integration, pieceName=SLACK)
    first = comes_back(alice, asked)

    assert first.status_code == 303
    problem(comes_back(alice, asked), 400, "Out of date")


def test_a_callback_that_somebody_made_up_ends_nothing(alice: ApiUser, integration: str) -> None:
    asked = starts(alice, integration, pieceName=SLACK)

    problem(alice.gets("/oauth2/callback", state="made up", code="c"), 400, "Out of date")

    assert comes_back(alice, asked).status_code == 303


def test_a_callback_in_another_browser_makes_nothing(
    app: Flask, alice: ApiUser, integration: str, acme: TokenEndpoint
) -> None:
    """Else somebody could be lured into saving an account of somebody else's."""
    asked = starts(alice, integration, pieceName=SLACK)
    elsewhere = ApiUser(Person(app, "alice"), alice.site)
    in_the_same = ApiUser(Person(app, "carol"), alice.site)
    starts(in_the_same, in_the_same.links(), pieceName=SLACK)

    problem(comes_back(elsewhere, asked), 400, "Out of date")
    problem(comes_back(in_the_same, asked), 400, "Out of date")

    assert acme.received == []


def test_a_callback_that_comes_late_makes_nothing(
    alice: ApiUser, integration: str, clock: StoppedClock, acme: TokenEndpoint
) -> None:
    asked = starts(alice, integration, pieceName=SLACK)
    clock.advance(601)

    problem(comes_back(alice, asked), 400, "Out of date")
    assert acme.received == []


@pytest.mark.parametrize("query", [{}, {"code": "c-1"}, {"state": ""}])
def test_a_callback_without_a_state_is_refused(alice: ApiUser, query: dict[str, str]) -> None:
    answer = alice.gets("/oauth2/callback", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["state"]


def test_a_made_up_state_is_refused(alice: ApiUser) -> None:
    problem(alice.gets("/oauth2/callback", state="made up", code="c"), 400, "Out of date")
