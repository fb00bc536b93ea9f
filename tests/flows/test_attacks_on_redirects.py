"""Attacks by redirect URI: no user is redirected to an unregistered address, with or without a code."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Person, Program
from tests.support.error_assertions import assert_error_page, assert_nothing_stored

#: Addresses that a faulty check might accept as https://program.test/callback.
TRICKS = [
    "https://evil.test/callback",
    "https://program.test@evil.test/callback",
    "https://program.test:443@evil.test/callback",
    "https://evil.test#@program.test/callback",
    "https://evil.test\\@program.test/callback",
    "https://evil.test/https://program.test/callback",
    "https://program.test.evil.test/callback",
    "https://evilprogram.test/callback",
    "https://program.test:444/callback",
    "https://program.test:443/callback",
    "https://program.test./callback",
    "https://PROGRAM.test/callback",
    "HTTPS://program.test/callback",
    "http://program.test/callback",
    "//program.test/callback",
    "/callback",
    "callback",
    "https:program.test/callback",
    "https:/program.test/callback",
    "https:///program.test/callback",
    "https://program.test/Callback",
    "https://program.test/callback/",
    "https://program.test/callback/more",
    "https://program.test/callback/../evil",
    "https://program.test/callback/..;/evil",
    "https://program.test/callback/%2e%2e/evil",
    "https://program.test/./callback",
    "https://program.test//callback",
    "https://program.test/%63allback",
    "https://program.test/callback%00",
    "https://program.test/callback%2F",
    "https://program.test%2Fcallback",
    "https://program.test/callback?",
    "https://program.test/callback?code=mine",
    "https://program.test/callback?next=https://evil.test",
    "https://program.test/callback#",
    "https://program.test/callback#fragment",
    "https://program.test/callback;",
    "https://program.test/callback ",
    " https://program.test/callback",
    "https://program.test/callback\n",
    "https://program.test/call\tback",
    "https://program.test/callback\x00",
    "https://program.test/callback,https://evil.test",
    "https://program.test/callback https://evil.test",
    "https://\uff50rogram.test/callback",
    "https://progr\u0430m.test/callback",
    "https://program.test\u3002evil.test/callback",
    "https://program\u2024test/callback",
    "https://program.test/callback\u200b",
    "https://xn--progrm-3of.test/callback",
    "https://*.test/callback",
    "javascript:alert(1)//https://program.test/callback",
    "data:text/html,https://program.test/callback",
    "com.example.app:/callback",
    "urn:ietf:wg:oauth:2.0:oob",
    "http://localhost/callback",
    "http://127.0.0.1/callback",
]


@pytest.fixture
def program(trusted: Program) -> Program:
    """A client that may skip the consent page, so that only the check under test can refuse it."""
    return trusted


def test_no_lookalike_of_the_redirect_uri_is_accepted(app: Flask, program: Program, victim: Person) -> None:
    with assert_nothing_stored(app):
        for uri in TRICKS:
            page = assert_error_page(victim.opens(program.question(redirect_uri=uri)))
            assert "evil.test" not in str(page.links)


def test_a_uri_registered_by_another_client_is_refused(app: Flask, program: Program, victim: Person) -> None:
    other = Program.registered(app, redirect_uri="https://evil.test/callback")

    with assert_nothing_stored(app):
        assert_error_page(victim.opens(program.question(redirect_uri=other.redirect_uri)))


LOOPBACK = [
    ("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback", True),
    ("http://127.0.0.1:1234/callback", "http://127.0.0.1:49152/callback", True),
    ("http://[::1]/callback", "http://[::1]:49152/callback", True),
    ("http://127.0.0.1/callback", "http://127.0.0.1/callback", True),
    ("http://localhost:1234/callback", "http://localhost:1234/callback", True),
    ("http://localhost/callback", "http://localhost:49152/callback", True),
    ("http://localhost:33418/callback", "http://localhost:49152/callback", True),
    ("http://localhost:33418/", "http://localhost:49152/", True),
    ("http://localhost/callback", "http://127.0.0.1:49152/callback", False),
    ("http://localhost/callback", "http://LOCALHOST:49152/callback", False),
    ("http://localhost/callback", "http://localhost.:49152/callback", False),
    ("http://localhost/callback", "http://localhost.evil.test:49152/callback", False),
    ("http://localhost/callback", "http://localhost:49152@evil.test/callback", False),
    ("http://localhost/callback", "http://localhost:80:49152/callback", False),
    ("http://localhost/callback", "https://localhost:49152/callback", False),
    ("http://localhost/callback", "http://localhost:49152/callback/more", False),
    ("http://localhost/callback", "http://localhost:4915212/callback", False),
    ("http://127.0.0.1/callback", "http://localhost:49152/callback", False),
    ("http://127.0.0.1/callback", "http://[::1]:49152/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.2:49152/callback", False),
    ("http://127.0.0.1/callback", "http://127.1:49152/callback", False),
    ("http://127.0.0.1/callback", "http://2130706433:49152/callback", False),
    ("http://127.0.0.1/callback", "https://127.0.0.1:49152/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:49152/other", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback?x", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback#x", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:@evil.test/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:49152@evil.test/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1.evil.test:49152/callback", False),
    ("http://127.0.0.1/callback", "http://x@127.0.0.1:49152/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:/callback", False),
    ("http://127.0.0.1/callback", "http://127.0.0.1:0/callback", False),
    ("http://[::1]/callback", "http://[::1%251]:49152/callback", False),
    ("http://[::1]/callback", "http://[0:0:0:0:0:0:0:1]:49152/callback", False),
    ("https://program.test/callback", "https://program.test:49152/callback", False),
]


def test_only_public_clients_on_loopback_addresses_may_use_any_port(app: Flask, bob: Person) -> None:
    """RFC 8252 §7.3, and for the name "localhost", which Claude Code and others register."""
    public = {uri: Program.registered(app, "--public", redirect_uri=uri) for uri, _, _ in LOOPBACK}
    confidential = {uri: Program.registered(app, redirect_uri=uri) for uri, _, _ in LOOPBACK}

    with assert_nothing_stored(app):
        for registered, requested, accepted in LOOPBACK:
            question = public[registered].question(redirect_uri=requested)
            if accepted:
                assert bob.opens(question).status_code == 200, requested
            else:
                assert_error_page(bob.opens(question))
            question = confidential[registered].question(redirect_uri=requested)
            assert bob.opens(question).status_code == (200 if requested == registered else 400)


#: URIs that cannot be registered: dangerous schemes, lookalikes of loopback addresses, malformed URIs.
UNREGISTRABLE = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://program.test/x",
    "about:blank",
    "ftp://program.test/",
    "myapp:/callback",
    "http://program.test/callback",
    "http://localhost.evil.test/callback",
    "http://127.0.0.1.evil.test/callback",
    "http://0.0.0.0/callback",
    "https://user@program.test/callback",
    "https://:password@program.test/callback",
    "https://@program.test/callback",
    "https://program.test/callback#fragment",
    "https://program.test/callback#",
    "https:///callback",
    "https:program.test",
    "//program.test/callback",
    "/callback",
    "https://program.test:port/callback",
    "https://program.test:99999/callback",
    "https://[::1/callback",
    "https://program.test\\callback",
    "https://progr\u0430m.test/callback",
    "https://program.test/call back",
    "https://program.test/callback\r\nX: y",
    "https://program.test/" + "a" * 2000,
    "https://program.test/<script>",
    'https://program.test/"',
]


@pytest.mark.parametrize("client_type", ["confidential", "public"])
def test_no_dangerous_uri_can_be_registered(app: Flask, alice: Person, client_type: str) -> None:
    registration = {"name": "N", "scope": "tasks:read", "public": client_type == "public"}

    with assert_nothing_stored(app):
        for uri in UNREGISTRABLE:
            response = alice.browser.post(
                "/api/integration/activepieces/oauth-clients", json=registration | {"redirect_uris": [CALLBACK, uri]}
            )
            assert response.status_code == 422, uri
            assert "redirect_uris" in response.get_json()["fields"]


#: The host appears in the consent page's Content-Security-Policy, where ";" and "," are separators.
INVALID_HOSTS = ["a.test;script-src", "a.test,b.test", "*.test", "a'b.test", "%61.test", "a..test", "-", "a.test&"]


def test_an_invalid_host_name_cannot_be_registered(app: Flask, alice: Person) -> None:
    with assert_nothing_stored(app):
        for host in INVALID_HOSTS:
            web, installed = f"https://{host}/callback", f"com.example.app://{host}/callback"
            for uri, public in ((web, False), (web, True), (installed, True)):
                registration = {"name": "N", "scope": "tasks:read", "public": public}
                response = alice.browser.post(
                    "/api/integration/activepieces/oauth-clients", json=registration | {"redirect_uris": [uri]}
                )
                assert response.status_code == 422, uri
