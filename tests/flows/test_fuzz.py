"""Random requests with valid names and odd values: no 5xx, no stored row, no redirect to a foreign site."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support import hosts
from tests.support.actors import CALLBACK, Person, Program, s256
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_not_frameable
from tests.support.forgeries import joined, opened
from tests.support.storage import row_counts

FORM = "application/x-www-form-urlencoded"
bounded = settings(
    max_examples=75,
    deadline=None,
    derandomize=True,  # the same examples on every machine; use `--hypothesis-seed` to explore
    suppress_health_check=list(HealthCheck),
)


@dataclass
class FuzzTarget:
    """One app for all examples; no example may change its database."""

    app: Flask
    program: Program
    bob: Person
    values: dict[str, list[str]]

    def unchanged(self) -> bool:
        return row_counts(self.app) == self.rows

    def __post_init__(self) -> None:
        self.rows = row_counts(self.app)


@pytest.fixture(scope="module")
def target() -> Iterator[FuzzTarget]:
    clock = StoppedClock()
    with tempfile.TemporaryDirectory() as directory:
        app = hosts.make_app(Path(directory), clock=clock)
        program, bob = Program.registered(app), Person(app, "bob")
        tokens = program.connects(bob)
        expired = bob.allows(program.question(prompt="consent"))
        clock.advance(100)
        pending = bob.sees(program.question(prompt="consent")).form("decision").values
        valid = {
            "grant_type": ["authorization_code", "refresh_token", "client_credentials"],
            "client_id": [program.client_id],
            "client_secret": [program.client_secret or ""],
            "redirect_uri": [CALLBACK, "https://evil.test/", "http://127.0.0.1:1/"],
            "code": [expired, expired[:-1]],
            "code_verifier": [program.verifier],
            "refresh_token": [tokens["refresh_token"] + "x", "a.0.b.c"],
            "token": [tokens["access_token"] + "x", "a.0.b.c", "e30.e30.e30"],
            "token_type_hint": ["access_token", "refresh_token"],
            "scope": [hosts.ALL_SCOPES, "tasks:read", "openid"],
            "response_type": ["code", "token"],
            "response_mode": ["query", "fragment"],
            "state": ["a state"],
            "code_challenge": [s256(program.verifier)],
            "code_challenge_method": ["S256", "plain"],
            "prompt": ["none", "consent", "login"],
            "resource": ["http://localhost/"],
            "request": ["e30."],
            "request_uri": ["urn:x"],
            "request_id": [pending["request_id"]],
            "consent_token": [pending["consent_token"], "x"],
            "decision": ["neither"],
            "workspace": ["acme", "globex"],
        }
        yield FuzzTarget(app, program, bob, valid)
        hosts.dispose(app)


odd = st.one_of(
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0", b"\r\nX: y", b"null", b"[]", b"0", b"v1..", b"....", b"//evil.test"]),
)


def parameters(target: FuzzTarget, *names: str) -> st.SearchStrategy[list[tuple[str, bytes]]]:
    """Some of these names, possibly repeated, each with a valid or an odd value."""
    pair = st.sampled_from(names).flatmap(
        lambda name: st.tuples(
            st.just(name), st.one_of(st.sampled_from([value.encode() for value in target.values[name]]), odd)
        )
    )
    return st.lists(pair, max_size=len(names) + 1, unique_by=lambda pair: pair[0]) | st.lists(pair, max_size=4)


def headers() -> st.SearchStrategy[dict[str, str]]:
    odd_text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)
    authorization = st.tuples(st.sampled_from(["Basic ", "Bearer ", "", "basic"]), odd_text)
    return st.one_of(
        st.just({}),
        authorization.map(lambda parts: {"Authorization": "".join(parts).strip()}),
        odd_text.map(lambda text: {"Accept": text}),
        st.sampled_from([{"Content-Type": "application/json"}, {"Content-Type": FORM + ";charset=x"}]),
    )


def assert_rfc_response(response: TestResponse) -> None:
    assert response.status_code in (200, 400, 401, 413, 429), response.text
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.location is None
    body = response.get_json()
    if response.status_code == 200:
        assert body in ({}, {"active": False})
    else:
        assert set(body) <= {"error", "error_description"}
        assert body["error"].isascii()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (
            "/oauth/token",
            ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier"]
            + ["refresh_token", "scope", "resource"],
        ),
        ("/oauth/revoke", ["client_id", "client_secret", "token", "token_type_hint"]),
        ("/oauth/introspect", ["client_id", "client_secret", "token", "token_type_hint"]),
    ],
)
def test_a_client_endpoint_survives_random_requests(target: FuzzTarget, path: str, names: list[str]) -> None:
    @bounded
    @given(fields=parameters(target, *names), extra=headers())
    def check(fields: list[tuple[str, bytes]], extra: dict[str, str]) -> None:
        options: dict[str, Any] = {"content_type": FORM} if "Content-Type" not in extra else {}
        response = target.app.test_client().post(path, data=urlencode(fields), headers=extra, **options)
        assert_rfc_response(response)

    check()
    assert target.unchanged()


@pytest.mark.parametrize("user", ["an anonymous user", "bob"])
def test_the_authorization_endpoint_survives_random_requests(target: FuzzTarget, user: str) -> None:
    names = ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"]
    names += ["code_challenge", "code_challenge_method", "prompt", "resource", "request"]
    names += ["request_uri", "request_id"]
    client_id = ("client_id", target.program.client_id.encode())
    person = Person(target.app) if user == "an anonymous user" else target.bob

    @bounded
    @given(fields=parameters(target, *names), known=st.booleans())
    def check(fields: list[tuple[str, bytes]], known: bool) -> None:
        if known:
            fields = [client_id, *(pair for pair in fields if pair[0] != "client_id")]
        response = person.opens(f"/oauth/authorize?{urlencode(fields)}")
        assert_safe_destination(response)

    check()
    assert target.unchanged()


def assert_safe_destination(response: TestResponse) -> None:
    """The response is our page, or redirects to the login page or a registered redirect URI."""
    assert response.status_code in (200, 302, 303, 400, 422), response.text
    if response.location is None:
        assert_not_frameable(response)
        return
    parts = urlsplit(response.location)
    origin = f"{parts.scheme}://{parts.netloc}{parts.path}"
    assert origin == CALLBACK or (not parts.scheme and not parts.netloc and parts.path == "/login")
    assert not set("\r\n") & set(response.location)


def test_the_consent_form_survives_random_answers(target: FuzzTarget) -> None:
    names = ["request_id", "consent_token", "decision", "workspace", "scope"]

    @bounded
    @given(fields=parameters(target, *names))
    def check(fields: list[tuple[str, bytes]]) -> None:
        response = target.bob.browser.post("/oauth/authorize", data=urlencode(fields), content_type=FORM)
        assert_safe_destination(response)
        assert response.status_code in (400, 422)

    check()
    assert target.unchanged()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_the_consent_json_survives_random_answers(target: FuzzTarget) -> None:
    fields = ["request_id", "consent_token", "decision", "workspace", "scope"]
    valid = {name: st.sampled_from(target.values[name]) for name in fields}

    @bounded
    @given(body=st.fixed_dictionaries({}, optional={name: valid[name] | json_values for name in fields}))
    def check(body: dict[str, Any]) -> None:
        response = target.bob.browser.post("/oauth/authorize", json=body)
        assert response.status_code in (400, 422), response.text
        assert response.mimetype == "application/problem+json"

    check()
    assert target.unchanged()


def test_a_random_bearer_token_is_refused(target: FuzzTarget) -> None:
    genuine, _ = opened(target.values["token"][0])
    header = st.dictionaries(
        st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5c", "zip", "x"]),
        st.sampled_from(["at+jwt", "HS256", "none", ["exp"], ["b64"]]) | json_values,
    )

    @bounded
    @given(header=header, claims=json_values, tail=odd)
    def check(header: dict[str, Any], claims: Any, tail: bytes) -> None:
        response = target.program.calls(joined(genuine | header, claims, tail))
        assert response.status_code == 401, response.text
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")

    check()
    assert target.unchanged()
