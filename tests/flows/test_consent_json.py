"""Hosts with their own consent page: the redirect to it, and the JSON API it uses."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.hosts import ALL_SCOPES
from tests.support.storage import database_away, row_counts, rows_of


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The small host with its own consent page."""
    return make_app(ACTIVEPIECES_CONSENT_URL="/consent?theme=dark")


def open_consent_page(person: Person, question: str) -> str:
    """Open the authorization URL; return the request id passed to the host's page."""
    sent = person.opens(question)
    assert sent.status_code == 303
    assert sent.location.startswith("/consent?theme=dark&request_id=")
    (request_id,) = parse_qs(urlsplit(sent.location).query)["request_id"]
    return request_id


def fetch_request(person: Person, request_id: str) -> TestResponse:
    return person.opens(f"/oauth/authorize/request/{request_id}")


def consent_request(person: Person, question: str) -> dict[str, Any]:
    """The request as the host's page fetches it."""
    return answer_of(fetch_request(person, open_consent_page(person, question)))


def answer_consent(person: Person, consent: dict[str, Any], **answer: Any) -> TestResponse:
    """Send the person's answer as the host's page does; None removes a field."""
    body = {
        "request_id": consent["request_id"],
        "consent_token": consent["consent_token"],
        "decision": "approve",
        "workspace": consent["selected_workspace"],
        "scope": [scope["name"] for scope in consent["scopes"]],
    }
    payload = {name: value for name, value in (body | answer).items() if value is not None}
    return person.browser.post("/oauth/authorize", json=payload)


def redirect_parameters(response: TestResponse) -> dict[str, str]:
    """The parameters of the redirect back to the program."""
    url = answer_of(response)["redirect_url"]
    assert url.startswith("https://program.test/callback?")
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def scope_json(name: str, description: str, *, kind: str, required: bool = False) -> dict[str, Any]:
    shown = {"name": name, "description": description, "details": "", "kind": kind}
    return shown | {"required": required, "checked": True}


# The question


def test_the_consent_request_is_plain_json(program: Program, alice: Person) -> None:
    consent = consent_request(alice, program.question())

    assert consent.pop("request_id")
    assert consent.pop("consent_token")
    assert consent == {
        "client": {
            "client_id": program.client_id,
            "name": "Program",
            "description": "",
            "logo_uri": None,
            "is_verified": True,
            "host": None,
            "is_on_device": False,
            "registered_by": "app",
            "registered_at": "2027-01-15T08:00:00Z",
        },
        "redirect_host": "https://program.test",
        "account": {"user_id": "alice", "display_name": "Alice"},
        "workspaces": [
            {"key": "acme", "tenant_id": "acme", "name": "Acme"},
            {"key": "acme-labs", "tenant_id": "acme-labs", "name": "Acme-Labs"},
        ],
        "selected_workspace": "acme",
        "scopes": [
            scope_json("profile:read", "See your name", kind="read", required=True),
            scope_json("tasks:read", "See tasks", kind="read"),
            scope_json("tasks:write", "Change tasks", kind="change"),
        ],
    }


def test_the_consent_request_says_who_registered_the_client(make_app: MakeApp) -> None:
    agents = {"ACTIVEPIECES_MCP": True, "ACTIVEPIECES_DYNAMIC_REGISTRATION": True}
    app = make_app(ACTIVEPIECES_CONSENT_URL="/consent?theme=dark", **agents)
    metadata = {"redirect_uris": ["https://program.test/callback"], "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
    own, unknown = Program.registered(app, "--tenant", "acme"), Program(app, made["client_id"], None)

    registered_by = [
        consent_request(Person(app, "bob"), program.question())["client"]["registered_by"]
        for program in (own, unknown)
    ]

    assert registered_by == ["workspace", None]


def test_an_anonymous_user_is_redirected_to_the_hosts_page_and_signs_in_there(
    program: Program, stranger: Person
) -> None:
    request_id = open_consent_page(stranger, program.question())

    before = answer_of(fetch_request(stranger, request_id), 401)
    stranger.sign_in("bob")
    after = answer_of(fetch_request(stranger, request_id))

    assert before["title"] == "Not signed in"
    assert after["account"]["user_id"] == "bob"


def test_the_consent_request_may_be_read_again(program: Program, bob: Person) -> None:
    request_id = open_consent_page(bob, program.question())

    assert answer_of(fetch_request(bob, request_id)) == answer_of(fetch_request(bob, request_id))


# The answer


def test_approving_returns_a_code(program: Program, bob: Person) -> None:
    back = redirect_parameters(answer_consent(bob, consent_request(bob, program.question())))

    assert (back["state"], back["iss"]) == ("a state", "http://localhost")
    pair = answer_of(program.redeems(back["code"]))
    assert program.calls(pair["access_token"]).status_code == 200


def test_denying_is_reported_to_the_program_and_stores_no_grant(app: Flask, program: Program, bob: Person) -> None:
    back = redirect_parameters(answer_consent(bob, consent_request(bob, program.question()), decision="deny"))

    assert (back["error"], back["state"]) == ("access_denied", "a state")
    assert "code" not in back
    assert "grants" not in row_counts(app)


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (["tasks:read"], "profile:read tasks:read"),
        ("tasks:read tasks:write", ALL_SCOPES),
        ([], "profile:read"),
        (["everything", 5, {}], "profile:read"),
    ],
)
def test_the_person_chooses_scopes_and_required_ones_are_always_granted(
    program: Program, bob: Person, scope: Any, granted: str
) -> None:
    back = redirect_parameters(answer_consent(bob, consent_request(bob, program.question()), scope=scope))

    assert answer_of(program.redeems(back["code"]))["scope"] == granted


def test_the_person_chooses_a_workspace(program: Program, alice: Person) -> None:
    consent = consent_request(alice, program.question())

    pair = answer_of(
        program.redeems(redirect_parameters(answer_consent(alice, consent, workspace="acme-labs"))["code"])
    )

    assert program.calls(pair["access_token"]).get_json()["tenant_id"] == "acme-labs"


def test_a_single_workspace_is_the_default(program: Program, bob: Person) -> None:
    assert redirect_parameters(answer_consent(bob, consent_request(bob, program.question()), workspace=None))["code"]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"workspace": "globex"}, "workspace"),
        ({"workspace": ["acme"]}, "workspace"),
        ({"workspace": None}, "workspace"),
        ({"decision": None}, "decision"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": ["approve"]}, "decision"),
        ({"scope": 5}, "scope"),
        ({"scope": None}, "scope"),
        ({"scope": {"tasks:read": True}}, "scope"),
    ],
)
def test_an_invalid_answer_names_the_field(
    app: Flask, program: Program, alice: Person, answer: dict[str, Any], field: str
) -> None:
    """Alice has two workspaces, so she must choose one."""
    response = answer_consent(alice, consent_request(alice, program.question()), **answer)

    assert list(answer_of(response, 422)["fields"]) == [field]
    assert "grants" not in row_counts(app)


def test_approving_without_scopes_names_the_missing_field(program: Program, bob: Person) -> None:
    """It must not count as approval of every requested scope."""
    refused = answer_consent(bob, consent_request(bob, program.question()), scope=None)

    assert "Required: send the scopes" in answer_of(refused, 422)["fields"]["scope"]


def test_denying_needs_no_scopes(program: Program, bob: Person) -> None:
    back = redirect_parameters(
        answer_consent(bob, consent_request(bob, program.question()), decision="deny", scope=None)
    )

    assert back["error"] == "access_denied"


def test_approving_no_scopes_is_refused(app: Flask, bob: Person) -> None:
    program = Program.registered(app, scope="tasks:read")
    consent = consent_request(bob, program.question(scope="tasks:read"))

    response = answer_consent(bob, consent, scope=[])

    assert list(answer_of(response, 422)["fields"]) == ["scope"]
    assert "grants" not in row_counts(app)


def test_a_remembered_approval_skips_the_consent_page(trusted: Program, bob: Person) -> None:
    answer_consent(bob, consent_request(bob, trusted.question()))

    sent = bob.opens(trusted.question())

    assert sent.location.startswith("https://program.test/callback?code=")


# Wrong request, browser or person


def assert_out_of_date(app: Flask, response: TestResponse) -> None:
    body = answer_of(response, 400)
    assert body["title"] == "Out of date"
    assert "Nothing was changed" in body["detail"]
    assert "grants" not in row_counts(app)


INVALID_VALUES = ["", "v1", "v1.e30.AAAA", "..", "é", "\ud800", "v1.\ud800.x", "nul\0", 5, None, [], {}]


def test_a_forged_request_id_is_refused(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())
    body = {"consent_token": consent["consent_token"], "decision": "approve"}

    for request_id in INVALID_VALUES:
        response = bob.browser.post("/oauth/authorize", json=body | {"request_id": request_id})
        assert_out_of_date(app, response)


def test_an_answer_without_the_pages_token_is_refused(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())

    for token in INVALID_VALUES:
        assert_out_of_date(app, answer_consent(bob, consent, consent_token=token))


def test_another_browser_neither_reads_nor_answers(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())
    other_browser = Person(app, "bob")

    assert_out_of_date(app, fetch_request(other_browser, consent["request_id"]))
    assert_out_of_date(app, answer_consent(other_browser, consent))


def test_a_person_cannot_answer_a_request_shown_to_someone_else_in_the_same_browser(
    app: Flask, program: Program, bob: Person
) -> None:
    consent = consent_request(bob, program.question())
    bob.sign_in("alice")

    assert_out_of_date(app, answer_consent(bob, consent))


def test_a_request_expires_after_half_an_hour(app: Flask, program: Program, bob: Person, clock: StoppedClock) -> None:
    consent = consent_request(bob, program.question())

    clock.advance(30 * 60)

    assert_out_of_date(app, fetch_request(bob, consent["request_id"]))
    assert_out_of_date(app, answer_consent(bob, consent))


def test_the_token_of_another_request_is_refused(app: Flask, program: Program, bob: Person) -> None:
    first, second = (consent_request(bob, program.question()), consent_request(bob, program.question(state="other")))

    assert_out_of_date(app, answer_consent(bob, first | {"consent_token": second["consent_token"]}))


def test_a_call_from_another_site_is_refused(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())
    body = {"request_id": consent["request_id"], "consent_token": consent["consent_token"]}

    response = bob.browser.post(
        "/oauth/authorize", json=body | {"decision": "approve"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer_of(response, 403)["title"] == "Cross-site call"
    assert "grants" not in row_counts(app)


def test_a_client_deleted_meanwhile_gets_nothing(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())
    app.test_cli_runner().invoke(args=["activepieces", "client", "delete", program.client_id, "--yes"])

    answer = answer_of(answer_consent(bob, consent), 400)

    assert answer["code"] == "invalid_authorization_request"
    assert answer["detail"].endswith("Go back to it and start again.")
    assert answer_of(fetch_request(bob, consent["request_id"]), 400)


def test_signing_in_to_the_wrong_tenant_is_refused(app: Flask, stranger: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")
    request_id = open_consent_page(stranger, program.question())
    stranger.sign_in("carol")

    assert answer_of(fetch_request(stranger, request_id), 403)["title"] == "Refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 5000, 400), (b"null", 422), (b"[]", 422)],
    ids=["empty", "half", "not UTF-8", "deep", "null", "a list"],
)
def test_a_body_that_is_not_a_json_object_is_refused(bob: Person, body: bytes, status: int) -> None:
    response = bob.browser.post("/oauth/authorize", data=body, content_type="application/json")

    assert answer_of(response, status)["status"] == status


def test_a_request_can_be_answered_after_a_database_outage(app: Flask, program: Program, bob: Person) -> None:
    consent = consent_request(bob, program.question())

    with database_away(app):
        assert answer_of(answer_consent(bob, consent), 503)["retry_after"] == 5

    assert redirect_parameters(answer_consent(bob, consent))["code"]
    assert len(rows_of(app, "grants")) == 1
