"""A forged Host header must not appear in a metadata document, code, token, link or redirect."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Parameters, Person, Program, answer_of, brought_back
from tests.support.error_assertions import assert_nothing_stored
from tests.support.forgeries import opened

PUBLIC_URL = "https://app.example.com"

FORGED: list[dict[str, str]] = [
    {"Host": "evil.test"},
    {"Host": "evil.test:443"},
    {"Host": "localhost.evil.test"},
    {"Host": "127.0.0.1.evil.test"},
    {"Host": "app.example.com.evil.test"},
    {"Host": "app.example.com:evil.test"},
    {"Host": "app.example.com@evil.test"},
    {"Host": "evil.test/app.example.com"},
    {"Host": "evil.test#app.example.com"},
    {"Host": "evil.test\\@localhost"},
    {"Host": "localhost@evil.test"},
    {"Host": "localhost:80@evil.test"},
    {"Host": "localhost:port"},
    {"Host": "localhost:99999"},
    {"Host": "[::1"},
    {"Host": "[::1]evil.test"},
    {"Host": "127.\u00b2"},
    {"Host": "a b"},
    {"Host": ""},
]
#: Headers set by proxies. Without ProxyFix, anyone can send them.
FORWARDED: list[dict[str, str]] = [
    {"X-Forwarded-Host": "evil.test"},
    {"X-Forwarded-Server": "evil.test"},
    {"X-Host": "evil.test"},
    {"X-Original-Host": "evil.test"},
    {"X-Forwarded-Proto": "evil"},
    {"X-Forwarded-Prefix": "/evil.test"},
    {"X-Forwarded-For": "evil.test"},
    {"X-Script-Name": "/evil.test"},
    {"X-Original-URL": "/evil.test"},
    {"X-Rewrite-URL": "/evil.test"},
    {"Forwarded": "host=evil.test;proto=https"},
]

DOCUMENTS = ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"]


def mentions_evil(response: TestResponse) -> bool:
    return "evil" in response.text + str(response.headers)


def cookies_of(person: Person) -> dict[str, str]:
    """The cookies to send with any Host header, as a browser behind a misconfigured proxy does."""
    names = (("session", "/"), ("activepieces_browser", "/oauth"))
    cookies = [person.browser.get_cookie(name, path=path) for name, path in names]
    return {"Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie)}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with a configured public URL."""
    return make_app(ACTIVEPIECES_PUBLIC_URL=PUBLIC_URL)


def test_with_a_public_url_codes_and_tokens_ignore_the_requests_host(program: Program, bob: Person) -> None:
    browser = program.app.test_client(use_cookies=False)

    for headers in FORGED + FORWARDED:
        form = bob.sees(program.question(prompt="consent")).form("decision")
        answer = brought_back(
            browser.post(
                "/oauth/authorize", data=form.values | {"decision": "approve"}, headers=headers | cookies_of(bob)
            )
        )
        exchange: Parameters = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": program.redirect_uri,
            "code_verifier": program.verifier,
        }
        tokens = answer_of(program.posts("/oauth/token", exchange, headers=headers))
        _, claims = opened(tokens["access_token"])
        assert answer["iss"] == claims["iss"] == claims["aud"] == PUBLIC_URL, headers


def test_with_a_public_url_documents_and_challenges_ignore_the_requests_host(app: Flask) -> None:
    browser = app.test_client()

    for headers in FORGED + FORWARDED:
        documents = [browser.get(path, headers=headers) for path in DOCUMENTS]
        refused = browser.get("/api/whoami", headers=headers)
        assert answer_of(documents[0])["issuer"] == PUBLIC_URL
        assert answer_of(documents[1])["resource"] == PUBLIC_URL
        assert PUBLIC_URL in refused.headers["WWW-Authenticate"]
        assert not any(mentions_evil(response) for response in (*documents, refused)), headers


def test_with_a_public_url_pages_and_redirects_ignore_the_requests_host(app: Flask, program: Program) -> None:
    browser = app.test_client(use_cookies=False)
    alice = cookies_of(Person(app, "alice"))

    for headers in FORGED + FORWARDED:
        responses = [
            browser.get(program.question(), headers=headers),
            browser.get("/oauth/connected-apps", headers=headers),
            browser.get(program.question(), headers=headers | alice),
            browser.get(program.question(client_id="unknown"), headers=headers | alice),
            browser.get("/automation/clients/new", headers=headers | alice),
        ]
        assert [response.status_code for response in responses] == [302, 302, 200, 400, 200]
        assert not any(mentions_evil(response) for response in responses), headers


@pytest.fixture
def local(make_app: MakeApp) -> Program:
    """A client of an app without a public URL."""
    return Program.registered(make_app())


def test_without_a_public_url_only_loopback_gets_a_code_or_a_token(local: Program) -> None:
    bob = Person(local.app, "bob")
    tokens = local.connects(bob)
    refresh: Parameters = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    browser = local.app.test_client(use_cookies=False)

    with assert_nothing_stored(local.app):
        for headers in FORGED:
            responses = [
                browser.get(local.question(), headers=headers | cookies_of(bob)),
                local.posts("/oauth/token", refresh, headers=headers),
                local.posts("/oauth/introspect", {"token": "x"}, headers=headers),
                *(browser.get(path, headers=headers) for path in DOCUMENTS),
            ]
            for response in responses:
                assert response.status_code in (400, 500), headers
                assert response.location is None
                assert not mentions_evil(response)
    assert local.posts("/oauth/token", refresh).status_code == 200


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/oauth/authorize", "text/html"),
        ("/oauth/token", "application/json"),
        ("/.well-known/oauth-authorization-server", "application/json"),
        ("/.well-known/oauth-protected-resource", "application/json"),
        ("/api/whoami", "application/json"),
    ],
)
def test_without_a_public_url_every_endpoint_answers_in_its_format_and_logs_one_line(
    local: Program, path: str, mimetype: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback for every forged Host header would flood the log."""
    browser, headers = local.app.test_client(use_cookies=False), {"Host": "evil.test"}
    if path == "/oauth/authorize":
        response = browser.get(local.question(), headers=headers)
    elif path == "/oauth/token":
        response = local.posts(path, {"grant_type": "client_credentials"}, headers=headers)
    else:
        response = browser.get(path, headers=headers | {"Authorization": "Bearer x"})

    assert response.status_code == 500
    assert response.mimetype == mimetype
    assert "ACTIVEPIECES_PUBLIC_URL" not in response.text
    assert "ACTIVEPIECES_PUBLIC_URL" in caplog.text
    assert "Traceback" not in caplog.text


def test_without_a_public_url_forwarding_headers_are_ignored(local: Program) -> None:
    for headers in FORWARDED:
        responses = [local.app.test_client().get(path, headers=headers) for path in DOCUMENTS]

        assert answer_of(responses[0])["issuer"] == "http://localhost"
        assert not any(mentions_evil(response) for response in responses), headers


def test_a_host_that_only_starts_like_a_loopback_address_is_refused(local: Program) -> None:
    """These are host names, which a DNS server could resolve to any address."""
    for host in ("127.", "127.0.0.256", "127.9999999999"):
        response = local.app.test_client().get(DOCUMENTS[0], headers={"Host": host})

        assert response.status_code in (400, 500)
        assert host not in response.text
