"""Attacks on the user's yes: forged, borrowed, smuggled, or clicked without being seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, session

from flask_activepieces import Principal
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.hosts import SmallHost
from tests.support.pages import Form


def asked(person: Person, program: Program, **changes: str | None) -> Form:
    """The form of the consent page that this person has open."""
    return person.sees(program.question(**changes)).form("decision")


def token_of(form: Form) -> str:
    token = form.values["consent_token"]
    assert isinstance(token, str)
    return token


def test_a_yes_without_the_pages_token_is_none(app: Flask, program: Program, bob: Person) -> None:
    form = asked(bob, program)
    genuine = token_of(form)
    forged = ["", "x", genuine[:-1], genuine + "A", genuine.swapcase(), "é", genuine + "\n", "\x00"]

    with assert_nothing_stored(app):
        for token in forged:
            assert_error_page(bob.sends(form, decision="approve", consent_token=token))
            assert_error_page(bob.sends(form, decision="deny", consent_token=token))
        del form.values["consent_token"]
        assert_error_page(bob.sends(form, decision="approve"))


def test_a_token_for_another_request_does_not_fit(
    app: Flask, program: Program, bob: Person
) -> None:
    harmless, greedy = asked(bob, program, scope="profile:read"), asked(bob, program)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(greedy, decision="approve", consent_token=token_of(harmless)))


def test_another_users_token_does_not_fit(
    app: Flask, program: Program, alice: Person, bob: Person
) -> None:
    """The attacker has an account too, and a page of their own."""
    mine, theirs = asked(alice, program), asked(bob, program)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(theirs, decision="approve", consent_token=token_of(mine)))
        assert_error_page(bob.sends(mine, decision="approve"))


def test_a_page_of_the_same_user_in_another_browser_does_not_fit(
    app: Flask, program: Program
) -> None:
    here, there = Person(app, "bob"), Person(app, "bob")
    form = asked(there, program)
    asked(here, program)

    with assert_nothing_stored(app):
        assert "another browser" in assert_error_page(here.sends(form, decision="approve")).text


def test_a_page_shown_to_one_user_cannot_be_answered_by_the_next(
    app: Flask, program: Program, alice: Person
) -> None:
    form = asked(alice, program)
    alice.sign_in("bob")

    with assert_nothing_stored(app):
        assert_error_page(alice.sends(form, decision="approve"))


def test_a_get_decides_nothing(app: Flask, program: Program, bob: Person) -> None:
    form = asked(bob, program)

    with assert_nothing_stored(app):
        for names in (form.values, {"request_id": form.values["request_id"]}):
            query = names | {"decision": "approve"}
            response = bob.browser.get("/oauth/authorize", query_string=query)
            assert response.status_code == 200
        for decision in ("approve", "deny"):
            response = bob.opens(program.question() + f"&decision={decision}&consent_token=x")
            assert response.status_code == 200


def test_a_yes_in_the_url_of_a_post_is_none(app: Flask, program: Program, bob: Person) -> None:
    form = asked(bob, program)

    with assert_nothing_stored(app):
        query = form.values | {"decision": "approve"}
        assert_error_page(bob.browser.post("/oauth/authorize", query_string=query))


def test_no_scope_can_be_smuggled_in(program: Program, bob: Person) -> None:
    form = asked(bob, program, scope="tasks:read")

    answer = bob.sends(form, decision="approve", scope=["tasks:read", "tasks:write", "admin"])
    tokens = answer_of(program.redeems(brought_back(answer)["code"]))

    assert tokens["scope"] == "tasks:read"


def test_no_workspace_can_be_smuggled_in(app: Flask, program: Program, bob: Person) -> None:
    form = asked(bob, program)

    with assert_nothing_stored(app):
        for workspace in ("globex", "ACME", "", "acme ", "acme\x00", "*"):
            response = bob.sends(form, decision="approve", workspace=workspace)
            assert response.status_code == 422, workspace
            assert response.location is None


def test_a_client_of_one_tenant_gets_no_other_workspace_of_its_user(
    app: Flask, alice: Person
) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = asked(alice, program)

    with assert_nothing_stored(app):
        assert alice.sends(form, decision="approve", workspace="acme-labs").status_code == 422


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.test"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "http://evil@localhost"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]


def test_json_from_another_site_is_refused_even_with_the_token(
    app: Flask, program: Program, bob: Person
) -> None:
    form = asked(bob, program)
    answer = form.values | {"decision": "approve"}

    with assert_nothing_stored(app):
        for headers in CROSS_SITE:
            response = bob.browser.post("/oauth/authorize", json=answer, headers=headers)
            assert response.status_code == 403, headers
            assert response.mimetype == "application/problem+json"
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    answered = bob.browser.post("/oauth/authorize", json=answer, headers=own)
    assert "code=" in answer_of(answered)["redirect_url"]


@pytest.fixture
def switching(make_app: MakeApp) -> Flask:
    """A host in which a user switches between tenants and stays the same user."""
    return make_app(host=SwitchingHost())


class SwitchingHost(SmallHost):
    def current_principal(self) -> Principal | None:
        principal = super().current_principal()
        tenant_id = session.get("tenant", "acme")
        return principal and replace(principal, tenant_id=tenant_id)


def switches(person: Person, tenant_id: str) -> None:
    with person.browser.session_transaction() as kept:
        kept["tenant"] = tenant_id


def test_a_consent_page_of_another_tenant_is_out_of_date(switching: Flask) -> None:
    program, alice = Program.registered(switching), Person(switching, "alice")
    form = asked(alice, program)
    switches(alice, "acme-labs")

    with assert_nothing_stored(switching):
        assert_error_page(alice.sends(form, decision="approve", workspace="acme"))
    switches(alice, "acme")
    assert alice.sends(form, decision="approve", workspace="acme").status_code == 303


def test_a_page_token_of_another_tenant_is_out_of_date(switching: Flask) -> None:
    alice = Person(switching, "alice")
    form = alice.sees("/oauth/clients/new").form("redirect_uris")
    form.values |= {"name": "N", "redirect_uris": "https://n.test/", "scope": "tasks:read"}
    switches(alice, "acme-labs")

    with assert_nothing_stored(switching):
        assert_error_page(alice.sends(form))


def test_json_without_the_right_token_is_refused(app: Flask, program: Program, bob: Person) -> None:
    form = asked(bob, program)
    answers: list[Any] = [
        {},
        [],
        "x",
        0,
        {"decision": "approve"},
        form.values | {"decision": "approve", "consent_token": ""},
        form.values | {"decision": "approve", "consent_token": None},
        form.values | {"decision": "approve", "consent_token": [token_of(form)]},
        form.values | {"decision": "approve", "request_id": [form.values["request_id"]]},
        form.values | {"decision": ["approve"]},
        form.values | {"decision": "approve", "scope": {"tasks:read": True}},
        form.values | {"decision": "approve", "workspace": ["acme"]},
    ]

    with assert_nothing_stored(app):
        for answer in answers:
            response = bob.browser.post("/oauth/authorize", json=answer)
            assert response.status_code in (400, 422), answer
            assert response.mimetype == "application/problem+json"


def test_a_description_of_a_request_is_for_its_browser_and_user_only(
    app: Flask, program: Program, bob: Person
) -> None:
    """It holds the token that a yes needs."""
    path = f"/oauth/authorize/request/{asked(bob, program).values['request_id']}"
    signed_out = Person(app, "bob")
    asked(signed_out, program)

    for person in (Person(app), Person(app, "bob"), Person(app, "alice"), signed_out):
        response = person.opens(path)
        assert response.status_code in (400, 401)
        assert "consent_token" not in response.text
    described = bob.opens(path)
    assert described.status_code == 200
    assert "Access-Control-Allow-Origin" not in described.headers
    assert described.headers.get("Cache-Control") == "no-store"


def test_a_code_given_as_json_is_not_kept(program: Program, bob: Person) -> None:
    answer = asked(bob, program).values | {"decision": "approve"}

    response = bob.browser.post("/oauth/authorize", json=answer)

    assert response.headers.get("Cache-Control") == "no-store"
