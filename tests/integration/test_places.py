"""Deployments: other URL prefixes, mounted under a path, behind a proxy that terminates TLS."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, TestResponse

from flask_activepieces.web.pages.rendering import BROWSER_COOKIE
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.hosts import SmallHost
from tests.support.pages import Page

PUBLIC = "https://app.example.com"


def cookie_of(response: TestResponse) -> str:
    """The Set-Cookie header of the browser cookie."""
    (cookie,) = [
        header for header in response.headers.getlist("Set-Cookie") if header.startswith(f"{BROWSER_COOKIE}=")
    ]
    return cookie


# Other prefixes


@pytest.fixture
def prefixed_app(make_app: MakeApp) -> Flask:
    return make_app(
        ACTIVEPIECES_OAUTH_PREFIX="/connect/oauth2",
        ACTIVEPIECES_URL_PREFIX="/internal/ap",
        ACTIVEPIECES_AUTOMATION_PREFIX="/flows",
        ACTIVEPIECES_MCP_PATH="/agents",
    )


def test_every_route_uses_the_configured_prefixes(prefixed_app: Flask) -> None:
    paths = {
        str(rule.rule) for rule in prefixed_app.url_map.iter_rules() if rule.endpoint.startswith("activepieces.")
    }

    assert paths
    assert {"/" + path.split("/")[1] for path in paths} == {
        "/connect",
        "/internal",
        "/flows",
        "/agents",
        "/.well-known",
    }
    assert prefixed_app.test_client().get("/oauth/jwks.json").status_code == 404
    with prefixed_app.test_client().get("/connect/oauth2/static/activepieces.css") as stylesheet:
        assert stylesheet.status_code == 200


def test_the_metadata_uses_the_configured_prefixes(prefixed_app: Flask) -> None:
    document = answer_of(prefixed_app.test_client().get("/.well-known/oauth-authorization-server"))

    assert document["token_endpoint"] == "http://localhost/connect/oauth2/token"
    assert document["jwks_uri"] == "http://localhost/connect/oauth2/jwks.json"


def test_a_user_can_connect_under_other_prefixes(prefixed_app: Flask) -> None:
    bob, program = Person(prefixed_app, "bob"), Program.registered(prefixed_app)
    question = program.question().replace("/oauth/", "/connect/oauth2/")

    page = bob.sees(question)
    answer = bob.sends(page.form("decision"), decision="approve")

    assert page.form("decision").action == "/connect/oauth2/authorize"
    assert "Path=/connect/oauth2" in cookie_of(page.response)
    assert brought_back(answer)["code"]


# Mounted under a path


class LinkedHost(SmallHost):
    """The login page is mounted with the app."""

    def login_url(self, next_url: str) -> str:
        return url_for("login", next=next_url)


@pytest.fixture
def mounted(make_app: MakeApp) -> tuple[Client, Program]:
    """A browser on a site with the app at /shop, and a client of the app."""
    app = make_app(host=LinkedHost())
    return Client(DispatcherMiddleware(NotFound(), {"/shop": app})), Program.registered(app)


def test_a_mounted_app_redirects_through_its_own_login_and_back(mounted: tuple[Client, Program]) -> None:
    browser, program = mounted

    login_redirect = browser.get("/shop" + program.question())
    consent_redirect = browser.get(f"{login_redirect.location}&as=bob")
    page = Page(browser.get(consent_redirect.location))
    form = page.form("decision")
    answer = browser.post(form.action, data=form.values | {"decision": "approve"})

    assert login_redirect.location.startswith("/shop/login?next=")
    assert consent_redirect.location.startswith("/shop/oauth/authorize?request_id=")
    assert "Path=/shop/oauth;" in cookie_of(login_redirect) + ";"
    assert form.action == "/shop/oauth/authorize"
    assert brought_back(answer)["iss"] == "http://localhost/shop"


def test_an_anonymous_user_returns_to_the_mounted_page_after_login(mounted: tuple[Client, Program]) -> None:
    browser, _ = mounted

    login_redirect = browser.get("/shop/oauth/connected-apps")
    after_login = browser.get(f"{login_redirect.location}&as=bob")

    assert after_login.location == "/shop/oauth/connected-apps"
    assert browser.get(after_login.location).status_code == 200


def test_a_mounted_app_redeems_its_own_codes(mounted: tuple[Client, Program]) -> None:
    browser, program = mounted
    browser.get("/shop/login?as=bob")
    form = Page(browser.get("/shop" + program.question())).form("decision")
    answer = browser.post(form.action, data=form.values | {"decision": "approve"})

    response = browser.post(
        "/shop/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": brought_back(answer)["code"],
            "redirect_uri": program.redirect_uri,
            "code_verifier": program.verifier,
            "client_id": program.client_id,
            "client_secret": program.client_secret,
        },
    )
    token = answer_of(response)["access_token"]
    api_response = browser.get("/shop/api/whoami", headers={"Authorization": f"Bearer {token}"})

    assert api_response.status_code == 200


def test_the_metadata_of_a_mounted_app_includes_its_path(mounted: tuple[Client, Program]) -> None:
    browser, _ = mounted

    document = answer_of(browser.get("/shop/.well-known/oauth-authorization-server"))

    assert document["issuer"] == "http://localhost/shop"
    assert document["authorization_endpoint"] == "http://localhost/shop/oauth/authorize"


def test_the_metadata_of_an_issuer_with_a_path_is_below_well_known(make_app: MakeApp) -> None:
    """RFC 8414 §3.1: the issuer's path follows the well-known path."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=f"{PUBLIC}/shop")
    browser = app.test_client()

    document = answer_of(browser.get("/.well-known/oauth-authorization-server/shop"))
    resource = answer_of(browser.get("/.well-known/oauth-protected-resource/shop"))
    challenge = browser.get("/api/whoami").headers["WWW-Authenticate"]

    assert document["issuer"] == f"{PUBLIC}/shop"
    assert document["token_endpoint"] == f"{PUBLIC}/shop/oauth/token"
    assert resource["resource"] == f"{PUBLIC}/shop"
    assert f'"{PUBLIC}/.well-known/oauth-protected-resource/shop"' in challenge
    assert browser.get("/.well-known/oauth-authorization-server/unknown").status_code == 404


# Behind a proxy

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.com", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(params=["with ProxyFix", "without ProxyFix"])
def proxied(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    """A proxy terminates TLS; the app has a configured public URL."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=PUBLIC)
    if request.param == "with ProxyFix":
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app


def test_behind_a_proxy_the_cookie_is_secure(proxied: Flask) -> None:
    program = Program.registered(proxied)

    page = proxied.test_client().get(program.question(), headers=FORWARDED, base_url="http://10.0.0.7:8000")

    cookie = cookie_of(page)
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/oauth"):
        assert attribute in cookie
    assert urlsplit(page.location).netloc in ("", "app.example.com")


def test_behind_a_proxy_the_issuer_is_the_public_url(proxied: Flask) -> None:
    document = proxied.test_client().get(
        "/.well-known/oauth-authorization-server", headers=FORWARDED, base_url="http://10.0.0.7:8000"
    )

    assert answer_of(document)["issuer"] == PUBLIC


def test_behind_a_proxy_a_forged_host_header_is_ignored(proxied: Flask) -> None:
    browser = proxied.test_client()
    forged = FORWARDED | {"X-Forwarded-Host": "evil.test"}

    documents = [
        browser.get(url, headers=forged, base_url="http://evil.test").text
        for url in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource")
    ]
    challenge = browser.get("/api/whoami", headers=forged, base_url="http://evil.test")

    assert "evil.test" not in "".join(documents) + challenge.headers["WWW-Authenticate"]


def test_behind_a_proxy_the_json_api_accepts_calls_from_the_public_origin(proxied: Flask) -> None:
    """A browser without Fetch Metadata sends the public origin, whatever host name the proxy uses."""
    alice = Person(proxied, "alice")
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}
    url = "/api/integration/activepieces/oauth-clients"

    same_origin = alice.browser.post(url, json=body, headers=FORWARDED | {"Origin": PUBLIC})
    cross_origin = alice.browser.post(url, json=body, headers=FORWARDED | {"Origin": "https://evil.test"})

    assert (same_origin.status_code, cross_origin.status_code) == (201, 403)
