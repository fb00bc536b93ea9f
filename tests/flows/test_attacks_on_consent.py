"""Attacks on the user's approval: forged, reused, tampered with, or sent from another site."""

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


def open_consent(person: Person, program: Program, **changes: str | None) -> Form:
    """Open the consent page; return its form."""
    return person.sees(program.question(**changes)).form("decision")


def token_of(form: Form) -> str:
    token = form.values["consent_token"]
    assert isinstance(token, str)
    return token


def test_an_approval_needs_the_pages_token(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)
    genuine = token_of(form)
    forged = ["", "x", genuine[:-1], genuine + "A", genuine.swapcase(), "é", genuine + "\n", "\x00"]

    with assert_nothing_stored(app):
        for token in forged:
            assert_error_page(bob.sends(form, decision="approve", consent_token=token))
            assert_error_page(bob.sends(form, decision="deny", consent_token=token))
        del form.values["consent_token"]
        assert_error_page(bob.sends(form, decision="approve"))


def test_the_token_of_another_request_is_refused(app: Flask, program: Program, bob: Person) -> None:
    narrow, wide = open_consent(bob, program, scope="profile:read"), open_consent(bob, program)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(wide, decision="approve", consent_token=token_of(narrow)))


def test_the_token_of_another_user_is_refused(app: Flask, program: Program, alice: Person, bob: Person) -> None:
    """The attacker also has an account and a consent page."""
    alices_form, bobs_form = open_consent(alice, program), open_consent(bob, program)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(bobs_form, decision="approve", consent_token=token_of(alices_form)))
        assert_error_page(bob.sends(alices_form, decision="approve"))


def test_a_form_from_the_users_other_browser_is_refused(app: Flask, program: Program) -> None:
    browser, other_browser = Person(app, "bob"), Person(app, "bob")
    form = open_consent(other_browser, program)
    open_consent(browser, program)

    with assert_nothing_stored(app):
        assert "another browser" in assert_error_page(browser.sends(form, decision="approve")).text


def test_a_page_shown_to_one_user_cannot_be_answered_by_another(app: Flask, program: Program, alice: Person) -> None:
    form = open_consent(alice, program)
    alice.sign_in("bob")

    with assert_nothing_stored(app):
        assert_error_page(alice.sends(form, decision="approve"))


def test_a_get_decides_nothing(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)

    with assert_nothing_stored(app):
        for names in (form.values, {"request_id": form.values["request_id"]}):
            query = names | {"decision": "approve"}
            response = bob.browser.get("/oauth/authorize", query_string=query)
            assert response.status_code == 200
        for decision in ("approve", "deny"):
            response = bob.opens(program.question() + f"&decision={decision}&consent_token=x")
            assert response.status_code == 200


def test_an_approval_in_the_query_of_a_post_is_ignored(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)

    with assert_nothing_stored(app):
        query = form.values | {"decision": "approve"}
        assert_error_page(bob.browser.post("/oauth/authorize", query_string=query))


def test_a_form_cannot_add_scopes_that_were_not_requested(program: Program, bob: Person) -> None:
    form = open_consent(bob, program, scope="tasks:read")

    answer = bob.sends(form, decision="approve", scope=["tasks:read", "tasks:write", "admin"])
    tokens = answer_of(program.redeems(brought_back(answer)["code"]))

    assert tokens["scope"] == "tasks:read"


def test_a_form_cannot_choose_a_workspace_that_was_not_offered(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)

    with assert_nothing_stored(app):
        for workspace in ("globex", "ACME", "", "acme ", "acme\x00", "*"):
            response = bob.sends(form, decision="approve", workspace=workspace)
            assert response.status_code == 422, workspace
            assert response.location is None


def test_a_tenants_client_cannot_get_the_users_other_workspaces(app: Flask, alice: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = open_consent(alice, program)

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


def test_json_from_another_site_is_refused_even_with_the_token(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)
    answer = form.values | {"decision": "approve"}

    with assert_nothing_stored(app):
        for headers in CROSS_SITE:
            response = bob.browser.post("/oauth/authorize", json=answer, headers=headers)
            assert response.status_code == 403, headers
            assert response.mimetype == "application/problem+json"
    same_origin = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    response = bob.browser.post("/oauth/authorize", json=answer, headers=same_origin)
    assert "code=" in answer_of(response)["redirect_url"]


@pytest.fixture
def switching_app(make_app: MakeApp) -> Flask:
    """A host whose users can switch between tenants."""
    return make_app(host=SwitchingHost())


class SwitchingHost(SmallHost):
    def current_principal(self) -> Principal | None:
        principal = super().current_principal()
        tenant_id = session.get("tenant", "acme")
        return principal and replace(principal, tenant_id=tenant_id)


def switch_tenant(person: Person, tenant_id: str) -> None:
    with person.browser.session_transaction() as stored:
        stored["tenant"] = tenant_id


def test_a_consent_page_of_another_tenant_is_out_of_date(switching_app: Flask) -> None:
    program, alice = Program.registered(switching_app), Person(switching_app, "alice")
    form = open_consent(alice, program)
    switch_tenant(alice, "acme-labs")

    with assert_nothing_stored(switching_app):
        assert_error_page(alice.sends(form, decision="approve", workspace="acme"))
    switch_tenant(alice, "acme")
    assert alice.sends(form, decision="approve", workspace="acme").status_code == 303


def test_a_page_token_of_another_tenant_is_refused(switching_app: Flask) -> None:
    alice = Person(switching_app, "alice")
    form = alice.sees("/automation/clients/new").form("redirect_uris")
    form.values |= {"name": "N", "redirect_uris": "https://n.test/", "scope": "tasks:read"}
    switch_tenant(alice, "acme-labs")

    with assert_nothing_stored(switching_app):
        page = assert_error_page(alice.sends(form), 409)

    assert "Nothing was changed: the form was for the workspace Acme." in page.text


def test_json_without_the_right_token_is_refused(app: Flask, program: Program, bob: Person) -> None:
    form = open_consent(bob, program)
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


def test_only_the_requests_browser_and_user_can_read_its_json(app: Flask, program: Program, bob: Person) -> None:
    """The JSON contains the token needed to approve."""
    path = f"/oauth/authorize/request/{open_consent(bob, program).values['request_id']}"
    signed_out = Person(app, "bob")
    open_consent(signed_out, program)

    for person in (Person(app), Person(app, "bob"), Person(app, "alice"), signed_out):
        response = person.opens(path)
        assert response.status_code in (400, 401)
        assert "consent_token" not in response.text
    described = bob.opens(path)
    assert described.status_code == 200
    assert "Access-Control-Allow-Origin" not in described.headers
    assert described.headers.get("Cache-Control") == "no-store"


def test_a_json_answer_with_a_code_is_not_cached(program: Program, bob: Person) -> None:
    answer = open_consent(bob, program).values | {"decision": "approve"}

    response = bob.browser.post("/oauth/authorize", json=answer)

    assert response.headers.get("Cache-Control") == "no-store"
