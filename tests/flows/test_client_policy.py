"""Which clients that registered themselves the users of a tenant may approve: its admin decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.document_clients import ACCEPTING, Site, agent
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error
from tests.support.problems import problem
from tests.support.storage import row_counts, rows_of

API = "/api/integration/activepieces/client-policy"
HOST = "127.0.0.1"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A small host that accepts agents of every kind."""
    return make_app(**ACCEPTING, ACTIVEPIECES_DYNAMIC_REGISTRATION=True)


def decide(admin: Person, mode: str, hosts: Sequence[str] = ()) -> TestResponse:
    return admin.browser.put(API, json={"mode": mode, "hosts": list(hosts)})


def registered(app: Flask, *uris: str) -> Program:
    """A client that has registered itself."""
    metadata = {"client_name": "Cursor", "redirect_uris": list(uris), "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
    return Program(app, made["client_id"], None, uris[0])


def test_users_may_approve_all_clients_by_default(app: Flask, agent_site: Site, alice: Person) -> None:
    assert answer_of(alice.opens(API)) == {"mode": "all", "hosts": [], "clients": [], "revoked_grants": 0}
    assert Person(app, "bob").answers(agent(app, agent_site).question())["code"]


def test_an_admin_forbids_them(app: Flask, agent_site: Site, alice: Person, bob: Person) -> None:
    robin = agent(app, agent_site)

    assert answer_of(decide(alice, "none"))["mode"] == "none"
    page = assert_error_page(bob.opens(robin.question()), 403)

    assert f"does not allow {HOST}" in page.text
    assert "Nothing was shared" in page.text
    assert answer_of(alice.opens(API))["mode"] == "none"
    # Its document is not even read, and nothing leads to its site.
    assert agent_site.fetched == []
    assert not any(link.startswith("http") for link in page.links.values())


def test_an_admin_allows_the_clients_of_some_hosts(app: Flask, agent_site: Site, alice: Person, bob: Person) -> None:
    robin = agent(app, agent_site)

    decide(alice, "listed", ["claude.ai"])
    assert_error_page(bob.opens(robin.question()), 403)
    decide(alice, "listed", ["claude.ai", HOST])

    assert bob.answers(robin.question())["code"]


@pytest.mark.parametrize(
    ("hosts", "allowed"),
    [
        (["program.test"], False),
        (["localhost"], False),
        (["program.test", "localhost"], True),
        (["program.test", "localhost", "claude.ai"], True),
        (["test", "localhost"], False),
        (["callback.program.test", "localhost"], False),
    ],
)
def test_a_client_that_registered_is_allowed_by_all_its_addresses(
    app: Flask, alice: Person, bob: Person, hosts: list[str], allowed: bool
) -> None:
    """It comes from nowhere. What is known is where it sends its users."""
    program = registered(app, CALLBACK, "http://localhost:8787/callback")

    decide(alice, "listed", hosts)

    assert bob.opens(program.question()).status_code == (200 if allowed else 403)


def test_an_app_on_the_device_is_allowed_by_its_scheme(app: Flask, alice: Person, bob: Person) -> None:
    cursor = registered(app, "cursor://anysphere.cursor-mcp/oauth/callback")

    decide(alice, "listed", ["cursor"])

    assert bob.opens(cursor.question()).status_code == 200


def test_clients_of_operators_and_admins_are_always_allowed(app: Flask, alice: Person, bob: Person) -> None:
    decide(alice, "none")

    assert bob.answers(Program.registered(app).question())["code"]
    assert bob.answers(Program.registered(app, "--tenant", "acme").question())["code"]


def test_a_decision_counts_for_its_tenant_only(app: Flask, agent_site: Site, alice: Person, carol: Person) -> None:
    robin = agent(app, agent_site)

    decide(carol, "none")

    assert_error_page(carol.opens(robin.question()), 403)
    assert Person(app, "bob").opens(robin.question()).status_code == 200
    assert answer_of(alice.opens(API))["mode"] == "all"


def test_a_user_of_two_tenants_may_share_the_one_that_allows_it(app: Flask, agent_site: Site, alice: Person) -> None:
    robin = agent(app, agent_site)
    form = alice.sees(robin.question()).form("decision")
    decide(alice, "none")

    page = alice.sees(robin.question())

    assert page.form("decision").values["workspace"] == "acme-labs"
    # The page that was open before the decision is refused, too.
    late = alice.sends(form, decision="approve", workspace="acme")
    assert late.status_code == 422
    assert "grants" not in row_counts(app)


def test_a_page_that_was_open_before_the_decision_is_refused(
    app: Flask, agent_site: Site, alice: Person, bob: Person
) -> None:
    form = bob.sees(agent(app, agent_site).question()).form("decision")
    decide(alice, "none")

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(form, decision="approve"), 403)


def test_an_app_with_its_own_page_gets_a_problem(make_app: MakeApp, agent_site: Site) -> None:
    app = make_app(**ACCEPTING, ACTIVEPIECES_CONSENT_URL="/consent")
    bob, alice = Person(app, "bob"), Person(app, "alice")
    robin = agent(app, agent_site)
    request_id = bob.opens(robin.question()).location.partition("request_id=")[2]
    decide(alice, "none")

    response = bob.opens(f"/oauth/authorize/request/{request_id}")

    assert problem(response, 403, "Not allowed")["detail"] == (
        "An administrator of the workspace does not allow 'Robin'."
    )


def test_what_is_no_longer_allowed_is_revoked(app: Flask, agent_site: Site, alice: Person, bob: Person) -> None:
    robin = agent(app, agent_site)
    cursor, program = registered(app, CALLBACK), Program.registered(app)
    pairs = {}
    for client in (robin, cursor, program):
        code = bob.allows(client.question(resource="http://localhost"))
        pairs[client.client_id] = answer_of(client.redeems(code))

    answer = answer_of(decide(alice, "listed", ["program.test"]))

    assert answer["revoked_grants"] == 1
    assert robin.calls(pairs[robin.client_id]["access_token"]).status_code == 401
    assert_oauth_error(robin.refreshes(pairs[robin.client_id]["refresh_token"]), 400, "invalid_grant")
    for client in (cursor, program):
        assert client.calls(pairs[client.client_id]["access_token"]).status_code == 200
    assert answer_of(decide(alice, "none"))["revoked_grants"] == 1
    assert cursor.calls(pairs[cursor.client_id]["access_token"]).status_code == 401
    assert program.calls(pairs[program.client_id]["access_token"]).status_code == 200


def test_grants_in_other_tenants_stay(app: Flask, agent_site: Site, alice: Person, carol: Person) -> None:
    robin = agent(app, agent_site)
    code = carol.allows(robin.question(resource="http://localhost"))
    token = answer_of(robin.redeems(code))["access_token"]

    assert answer_of(decide(alice, "none"))["revoked_grants"] == 0
    assert robin.calls(token).status_code == 200


def test_an_admin_sees_which_clients_are_in_use(app: Flask, agent_site: Site, alice: Person, bob: Person) -> None:
    robin, cursor = agent(app, agent_site), registered(app, CALLBACK, "http://localhost:1/x")
    for person in (alice, bob):
        person.answers(robin.question(), **({"workspace": "acme"} if person is alice else {}))
    bob.answers(cursor.question())
    bob.answers(Program.registered(app).question())
    Person(app, "carol").answers(cursor.question())

    clients = answer_of(alice.opens(API))["clients"]

    ids = {row["name"]: row["client_id"] for row in rows_of(app, "oauth_clients")}
    assert clients == [
        {
            "client_id": cursor.client_id,
            "name": "Cursor",
            "document_url": None,
            "hosts": ["localhost", "program.test"],
            "grants": 1,
        },
        {"client_id": ids["Robin"], "name": "Robin", "document_url": robin.client_id, "hosts": [HOST], "grants": 2},
    ]


def test_a_decision_is_recorded(app: Flask, alice: Person) -> None:
    decide(alice, "listed", ["claude.ai", "chatgpt.com"])

    (event,) = [row for row in rows_of(app, "audit_events") if row["name"] == "client_policy.changed"]
    assert (event["tenant_id"], event["user_id"]) == ("acme", "alice")
    assert event["detail"] == '{"mode": "listed", "hosts": "claude.ai chatgpt.com"}'


MISTAKES: list[tuple[Any, str, str]] = [
    ({}, "mode", "Missing data"),
    ({"mode": "some"}, "mode", "Must be one of: all, listed, none."),
    ({"mode": None}, "mode", "may not be null"),
    ({"mode": ["all"]}, "mode", "Not a valid string"),
    ({"mode": "listed"}, "hosts", "List at least one host"),
    ({"mode": "listed", "hosts": []}, "hosts", "List at least one host"),
    ({"mode": "all", "hosts": ["claude.ai"]}, "hosts", "only for the mode listed"),
    ({"mode": "listed", "hosts": "claude.ai"}, "hosts", "Not a valid list"),
    ({"mode": "listed", "hosts": [5]}, "hosts", "Not a valid string"),
    ({"mode": "listed", "hosts": ["https://claude.ai"]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": ["claude.ai/x"]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": ["*.claude.ai"]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": ["claude.ai evil.test"]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": [""]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": ["clåude.ai"]}, "hosts", "is not a host name"),
    ({"mode": "listed", "hosts": [f"{number}.example" for number in range(101)]}, "hosts", "100"),
    ({"mode": "all", "tenant_id": "globex"}, "tenant_id", "Unknown field"),
]


@pytest.mark.parametrize(("body", "field", "word"), MISTAKES, ids=lambda value: str(value)[:40])
def test_an_invalid_decision_is_refused(app: Flask, alice: Person, body: Any, field: str, word: str) -> None:
    with assert_nothing_stored(app):
        response = alice.browser.put(API, json=body)

    fields = problem(response, 422, "Invalid input")["fields"]
    assert word in fields[field]


def test_only_an_admin_decides(app: Flask, bob: Person, stranger: Person) -> None:
    with assert_nothing_stored(app):
        assert decide(bob, "none").status_code == 403
        assert decide(stranger, "none").status_code == 401
        assert bob.opens(API).status_code == 403
        assert stranger.opens(API).status_code == 401


def test_another_site_does_not_decide(app: Flask, alice: Person) -> None:
    with assert_nothing_stored(app):
        response = alice.browser.put(API, json={"mode": "none"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


def test_a_removed_tenant_leaves_no_decision(app: Flask, alice: Person) -> None:
    decide(alice, "none")

    app.test_cli_runner().invoke(args=["activepieces", "tenants", "remove", "acme", "--yes"])

    assert "client_policies" not in row_counts(app)
