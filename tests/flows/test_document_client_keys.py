"""Clients that authenticate with a private key, whose public half is in their document (RFC 7523)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.document_clients import ASSERTION_TYPE, KeyAgent, Site, agent, jwks, key_agent
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error
from tests.support.storage import statements_of

MINUTES = 60


@pytest.fixture
def robert(agent_app: Flask) -> Person:
    """Bob, signed in at the app that accepts agents."""
    return Person(agent_app, "bob")


@pytest.fixture
def robin(agent_app: Flask, agent_site: Site, clock: StoppedClock) -> KeyAgent:
    """An agent with a key."""
    return key_agent(agent_app, agent_site, now=clock.now)


def test_an_agent_authenticates_with_its_key(robin: KeyAgent, robert: Person) -> None:
    pair = robin.connects(robert)
    again = answer_of(robin.refreshes(pair["refresh_token"]))

    assert answer_of(robin.introspects(again["access_token"]))["client_id"] == robin.client_id
    assert answer_of(robin.revokes(again["refresh_token"])) == {}


def test_the_client_id_may_be_left_out(robin: KeyAgent, robert: Person) -> None:
    """RFC 7521 §4.2: the assertion names the client."""
    code = robert.allows(robin.question())

    assert answer_of(robin.redeems(code, client_id=None))["access_token"]


def test_the_token_endpoint_is_an_audience_too(robin: KeyAgent, robert: Person) -> None:
    code = robert.allows(robin.question())
    assertion = robin.assertion(aud="http://localhost/oauth/token")

    assert answer_of(robin.redeems(code, client_assertion=assertion))["access_token"]


def test_an_assertion_works_once(agent_app: Flask, robin: KeyAgent, robert: Person) -> None:
    """RFC 7523 §3: it may be read in the log of a proxy."""
    assertion = robin.assertion()
    pair = answer_of(robin.redeems(robert.allows(robin.question()), client_assertion=assertion))

    with assert_nothing_stored(agent_app):
        response = robin.refreshes(pair["refresh_token"], client_assertion=assertion)
        assert "used before" in assert_oauth_error(response, 401, "invalid_client")
    assert answer_of(robin.refreshes(pair["refresh_token"]))["access_token"]


def test_an_assertion_stays_used_until_it_has_expired(robin: KeyAgent, robert: Person, clock: StoppedClock) -> None:
    assertion = robin.assertion(exp=int(clock.now) + 300)
    pair = answer_of(robin.redeems(robert.allows(robin.question()), client_assertion=assertion))

    for _ in range(8):
        clock.advance(50)
        assert_oauth_error(robin.refreshes(pair["refresh_token"], client_assertion=assertion), 401, "invalid_client")


def test_the_jti_of_another_client_does_not_count(
    agent_app: Flask, agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    marian = key_agent(agent_app, agent_site, "/marian.json", now=clock.now)

    for each in (robin, marian):
        code = robert.allows(each.question())
        assert answer_of(each.redeems(code, client_assertion=each.assertion(jti="the same")))["access_token"]


def test_an_exchange_costs_one_more_statement_than_with_a_secret(
    agent_app: Flask, robin: KeyAgent, robert: Person
) -> None:
    code = robert.allows(robin.question())

    with statements_of(agent_app) as statements:
        answer_of(robin.redeems(code))

    verbs = [statement.split()[0] for statement in statements]
    assert verbs == ["SELECT", "INSERT", "COMMIT", "INSERT", "COMMIT"]


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"aud": "https://other.example"}, "aud"),
    ({"aud": "http://localhost/mcp"}, "aud"),
    ({"exp": 0}, "expired"),
    ({"exp": START + 86_400}, "within 300 seconds"),
    ({"jti": ...}, "jti"),
    ({"iss": "https://other.example/x"}, "iss and sub"),
]


def test_an_invalid_assertion_is_refused(agent_app: Flask, robin: KeyAgent, robert: Person) -> None:
    code = robert.allows(robin.question())

    with assert_nothing_stored(agent_app):
        for changes, word in INVALID:
            response = robin.redeems(code, client_assertion=robin.assertion(**changes))
            assert word in assert_oauth_error(response, 401, "invalid_client")
        other = ECKey.generate_key("P-256", {"kid": "first"})
        for assertion in (robin.assertion(key=other), "", "a.b.c", "A" * 9000, robin.assertion() + "x"):
            assert_oauth_error(robin.redeems(code, client_assertion=assertion), 401, "invalid_client")
    # None of them used up the code.
    assert answer_of(robin.redeems(code))["access_token"]


def test_another_kind_of_assertion_is_refused(robin: KeyAgent, robert: Person) -> None:
    code = robert.allows(robin.question())
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"

    for kind in (saml, "", None, ASSERTION_TYPE.upper()):
        assert_oauth_error(robin.redeems(code, client_assertion_type=kind), 401, "invalid_client")


def test_one_method_a_request(robin: KeyAgent, robert: Person) -> None:
    """RFC 6749 §2.3."""
    code = robert.allows(robin.question())
    basic = {"Authorization": "Basic Ym9iOmJvYg=="}
    form: dict[str, str | None] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}

    assert_oauth_error(robin.redeems(code, client_secret="x"), 400, "invalid_request")
    assert_oauth_error(robin.posts("/oauth/token", form, headers=basic), 400, "invalid_request")


def test_an_assertion_of_another_client_is_refused(
    agent_app: Flask, agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    marian = key_agent(agent_app, agent_site, "/marian.json", now=clock.now)
    robert.answers(marian.question())
    code = robert.allows(robin.question())

    response = robin.redeems(code, client_assertion=marian.assertion())
    assert "client_id" in assert_oauth_error(response, 401, "invalid_client")
    for forged in (marian.assertion(iss=robin.client_id, sub=robin.client_id), marian.assertion(sub=robin.client_id)):
        assert_oauth_error(robin.redeems(code, client_assertion=forged), 401, "invalid_client")


def test_a_client_with_a_key_must_use_it(robin: KeyAgent, robert: Person) -> None:
    code = robert.allows(robin.question())
    without = Program(robin.app, robin.client_id, None, verifier=robin.verifier)

    assert_oauth_error(without.redeems(code), 401, "invalid_client")
    assert_oauth_error(without.redeems(code, client_secret="x"), 401, "invalid_client")


def test_a_client_without_a_key_cannot_bring_one(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock
) -> None:
    public = agent(agent_app, agent_site)
    registered = Program.registered(agent_app)
    code = robert.allows(public.question())

    for client_id in (public.client_id, registered.client_id, "https://unknown.example/x"):
        forger = KeyAgent(agent_app, client_id, None, verifier=public.verifier, now=clock.now)
        assert_oauth_error(forger.redeems(code), 401, "invalid_client")
    assert answer_of(public.redeems(code))["access_token"]


# --- Keys that change -----------------------------------------------------------------------------


def test_a_new_key_is_accepted_as_soon_as_the_document_has_it(
    agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    pair = robin.connects(robert)
    new = ECKey.generate_key("P-256", {"kid": "second"})
    agent_site.publish(token_endpoint_auth_method="private_key_jwt", jwks=jwks(robin.key, new))

    clock.advance(4 * MINUTES)
    robin.now = clock.now
    assert_oauth_error(
        robin.refreshes(pair["refresh_token"], client_assertion=robin.assertion(key=new)), 401, "invalid_client"
    )
    clock.advance(1 * MINUTES)
    robin.now = clock.now
    answer_of(robin.refreshes(pair["refresh_token"], client_assertion=robin.assertion(key=new)))

    assert len(agent_site.fetched) == 2


def test_a_removed_key_is_refused_when_the_document_has_expired(
    agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    agent_site.headers = {"Cache_Control": "max-age=600"}
    pair = robin.connects(robert)
    new = ECKey.generate_key("P-256", {"kid": "second"})
    agent_site.publish(token_endpoint_auth_method="private_key_jwt", jwks=jwks(new))

    clock.advance(600)
    robin.now = clock.now

    assert_oauth_error(robin.refreshes(pair["refresh_token"]), 401, "invalid_client")
    assert answer_of(robin.refreshes(pair["refresh_token"], client_assertion=robin.assertion(key=new)))


def test_unknown_keys_do_not_make_the_app_call_the_site_without_end(
    agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    """Anyone can send them."""
    robin.connects(robert)
    clock.advance(10 * MINUTES)
    robin.now = clock.now
    agent_site.status = 500
    before = len(agent_site.fetched)

    for number in range(5):
        other = ECKey.generate_key("P-256", {"kid": str(number)})
        robin.refreshes("x", client_assertion=robin.assertion(key=other))

    assert len(agent_site.fetched) == before + 1


def test_old_keys_are_used_for_seven_days_while_the_site_fails(
    agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock
) -> None:
    pair = robin.connects(robert)
    agent_site.status = 503

    clock.advance(days=7, seconds=-1)
    robin.now = clock.now
    pair = answer_of(robin.refreshes(pair["refresh_token"]))
    clock.advance(1)
    robin.now = clock.now
    response = robin.refreshes(pair["refresh_token"])

    # Not invalid_grant: the grant is as good as before.
    assert "metadata document" in assert_oauth_error(response, 503, "temporarily_unavailable")
    assert response.headers["Retry-After"]
    agent_site.status = 200
    clock.advance(5 * MINUTES)
    robin.now = clock.now
    assert answer_of(robin.refreshes(pair["refresh_token"]))["access_token"]


def test_a_client_may_give_up_its_key(agent_site: Site, robin: KeyAgent, robert: Person, clock: StoppedClock) -> None:
    robert.answers(robin.question())
    agent_site.publish(token_endpoint_auth_method="none")
    clock.advance(days=1)
    robin.now = clock.now
    code = robert.allows(robin.question())

    assert_oauth_error(robin.redeems(code), 401, "invalid_client")
    without = Program(robin.app, robin.client_id, None, verifier=robin.verifier)
    assert answer_of(without.redeems(code))["access_token"]


# --- Keys at another URL --------------------------------------------------------------------------


def test_keys_may_have_a_url_of_their_own(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock
) -> None:
    url = f"{agent_site.url}/jwks.json"
    robin = key_agent(agent_app, agent_site, now=clock.now, jwks=..., jwks_uri=url)
    agent_site.documents["/jwks.json"] = jwks(robin.key)

    assert robin.connects(robert)["access_token"]
    assert agent_site.fetched == ["/client.json", "/jwks.json"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1:1/jwks.json", "connection failed"),
        ("https://169.254.169.254/jwks.json", "must be like"),
        ("http://client.example/jwks.json", "must be like"),
        ("https://client.example/jwks.json?x", "must be like"),
        ("file:///etc/passwd", "must be like"),
    ],
)
def test_the_url_of_keys_follows_the_same_rules(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock, url: str, reason: str
) -> None:
    robin = key_agent(agent_app, agent_site, now=clock.now, jwks=..., jwks_uri=url)

    with assert_nothing_stored(agent_app):
        assert reason in assert_error_page(robert.opens(robin.question())).text


@pytest.mark.parametrize("content", [{}, [], {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}, "<html>"])
def test_what_is_no_key_set_is_refused(
    agent_app: Flask, agent_site: Site, robert: Person, clock: StoppedClock, content: Any
) -> None:
    url = f"{agent_site.url}/jwks.json"
    robin = key_agent(agent_app, agent_site, now=clock.now, jwks=..., jwks_uri=url)
    agent_site.documents["/jwks.json"] = content

    with assert_nothing_stored(agent_app):
        assert_error_page(robert.opens(robin.question()))
