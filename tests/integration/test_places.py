"""Where the app stands: other prefixes, under a path of another app, behind a proxy that ends TLS."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, TestResponse

from flask_activepieces.web.pages.base import BROWSER_COOKIE
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.hosts import SmallHost
from tests.support.pages import Page

PUBLIC = "https://app.example.com"


def cookie_of(response: TestResponse) -> str:
    """The Set-Cookie header that names the browser."""
    (cookie,) = [
        text
        for text in response.headers.getlist("Set-Cookie")
        if text.startswith(f"{BROWSER_COOKIE}=")
    ]
    return cookie


# Other prefixes


@pytest.fixture
def moved(make_app: MakeApp) -> Flask:
    return make_app(
        ACTIVEPIECES_OAUTH_PREFIX="/connect/oauth2", ACTIVEPIECES_URL_PREFIX="/internal/ap"
    )


def test_every_route_of_ours_moves_with_the_prefixes(moved: Flask) -> None:
    ours = {
        str(rule.rule)
        for rule in moved.url_map.iter_rules()
        if rule.endpoint.startswith("activepieces.")
    }

    assert ours
    assert {"/" + rule.split("/")[1] for rule in ours} == {"/connect", "/internal", "/.well-known"}
    assert moved.test_client().get("/oauth/jwks.json").status_code == 404
    with moved.test_client().get("/connect/oauth2/static/activepieces.css") as stylesheet:
        assert stylesheet.status_code == 200


def test_the_metadata_names_the_moved_endpoints(moved: Flask) -> None:
    document = answer_of(moved.test_client().get("/.well-known/oauth-authorization-server"))

    assert document["token_endpoint"] == "http://localhost/connect/oauth2/token"
    assert document["jwks_uri"] == "http://localhost/connect/oauth2/jwks.json"


def test_a_person_connects_under_moved_prefixes(moved: Flask) -> None:
    bob, program = Person(moved, "bob"), Program.registered(moved)
    question = program.question().replace("/oauth/", "/connect/oauth2/")

    page = bob.sees(question)
    answer = bob.sends(page.form("decision"), decision="approve")

    assert page.form("decision").action == "/connect/oauth2/authorize"
    assert "Path=/connect/oauth2" in cookie_of(page.response)
    assert brought_back(answer)["code"]


# Under a path of another app


class LinkedHost(SmallHost):
    """Its login page stands where the app stands."""

    def login_url(self, next_url: str) -> str:
        return url_for("login", next=next_url)


@pytest.fixture
def mounted(make_app: MakeApp) -> tuple[Client, Program]:
    """A browser before a site that has the app at /shop, and a client of the app."""
    app = make_app(host=LinkedHost())
    return Client(DispatcherMiddleware(NotFound(), {"/shop": app})), Program.registered(app)


def test_a_mounted_app_leads_through_its_own_login_and_back(
    mounted: tuple[Client, Program],
) -> None:
    browser, program = mounted

    to_login = browser.get("/shop" + program.question())
    to_consent = browser.get(f"{to_login.location}&as=bob")
    page = Page(browser.get(to_consent.location))
    form = page.form("decision")
    answer = browser.post(form.action, data=form.values | {"decision": "approve"})

    assert to_login.location.startswith("/shop/login?next=")
    assert to_consent.location.startswith("/shop/oauth/authorize?request_id=")
    assert "Path=/shop/oauth;" in cookie_of(to_login) + ";"
    assert form.action == "/shop/oauth/authorize"
    assert brought_back(answer)["iss"] == "http://localhost/shop"


def test_a_stranger_on_a_mounted_page_comes_back_to_it(mounted: tuple[Client, Program]) -> None:
    browser, _ = mounted

    to_login = browser.get("/shop/oauth/connected-apps")
    back = browser.get(f"{to_login.location}&as=bob")

    assert back.location == "/shop/oauth/connected-apps"
    assert browser.get(back.location).status_code == 200


def test_a_mounted_app_redeems_what_it_issued(mounted: tuple[Client, Program]) -> None:
    browser, program = mounted
    browser.get("/shop/login?as=bob")
    form = Page(browser.get("/shop" + program.question())).form("decision")
    answer = browser.post(form.action, data=form.values | {"decision": "approve"})

    bought = browser.post(
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
    token = answer_of(bought)["access_token"]
    called = browser.get("/shop/api/whoami", headers={"Authorization": f"Bearer {token}"})

    assert called.status_code == 200


def test_the_metadata_of_a_mounted_app(mounted: tuple[Client, Program]) -> None:
    browser, _ = mounted

    document = answer_of(browser.get("/shop/.well-known/oauth-authorization-server"))

    assert document["issuer"] == "http://localhost/shop"
    assert document["authorization_endpoint"] == "http://localhost/shop/oauth/authorize"


def test_the_metadata_of_an_issuer_with_a_path(make_app: MakeApp) -> None:
    """RFC 8414 §3.1: where the site hands its well-known addresses on, the path stands behind."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=f"{PUBLIC}/shop")
    browser = app.test_client()

    document = answer_of(browser.get("/.well-known/oauth-authorization-server/shop"))
    resource = answer_of(browser.get("/.well-known/oauth-protected-resource/shop"))
    challenge = browser.get("/api/whoami").headers["WWW-Authenticate"]

    assert document["issuer"] == f"{PUBLIC}/shop"
    assert document["token_endpoint"] == f"{PUBLIC}/shop/oauth/token"
    assert resource["resource"] == f"{PUBLIC}/shop"
    assert f'"{PUBLIC}/.well-known/oauth-protected-resource/shop"' in challenge
    assert browser.get("/.well-known/oauth-authorization-server/elsewhere").status_code == 404


# Behind a proxy

FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example.com",
    "X-Forwarded-For": "203.0.113.9",
}


@pytest.fixture(params=["with ProxyFix", "without ProxyFix"])
def proxied(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    """TLS ends before the app, which is told its public address."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=PUBLIC)
    if request.param == "with ProxyFix":
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app


def test_behind_a_proxy_the_cookie_is_for_https_only(proxied: Flask) -> None:
    program = Program.registered(proxied)

    page = proxied.test_client().get(
        program.question(), headers=FORWARDED, base_url="http://10.0.0.7:8000"
    )

    cookie = cookie_of(page)
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/oauth"):
        assert attribute in cookie
    assert urlsplit(page.location).netloc in ("", "app.example.com")


def test_behind_a_proxy_the_issuer_is_the_public_address(proxied: Flask) -> None:
    document = proxied.test_client().get(
        "/.well-known/oauth-authorization-server",
        headers=FORWARDED,
        base_url="http://10.0.0.7:8000",
    )

    assert answer_of(document)["issuer"] == PUBLIC


def test_a_forged_host_header_changes_nothing(proxied: Flask) -> None:
    browser = proxied.test_client()
    forged = FORWARDED | {"X-Forwarded-Host": "evil.test"}

    texts = [
        browser.get(url, headers=forged, base_url="http://evil.test").text
        for url in (
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-protected-resource",
        )
    ]
    challenge = browser.get("/api/whoami", headers=forged, base_url="http://evil.test")

    assert "evil.test" not in "".join(texts) + challenge.headers["WWW-Authenticate"]


def test_the_json_api_knows_its_own_pages_behind_a_proxy(proxied: Flask) -> None:
    """A browser that sends no Fetch metadata names the public origin, whatever host the proxy asks for."""
    alice = Person(proxied, "alice")
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}
    url = "/api/integration/activepieces/oauth-clients"

    own = alice.browser.post(url, json=body, headers=FORWARDED | {"Origin": PUBLIC})
    other = alice.browser.post(url, json=body, headers=FORWARDED | {"Origin": "https://evil.test"})

    assert (own.status_code, other.status_code) == (201, 403)
