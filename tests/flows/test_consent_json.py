"""A single-page host shows the question itself: the way to its page, and the JSON pair behind it."""

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
    """The small host, with a consent page of its own."""
    return make_app(ACTIVEPIECES_CONSENT_URL="/consent?theme=dark")


def led_to_the_hosts_page(person: Person, question: str) -> str:
    """The id of the request that the browser takes to the host's own page."""
    sent = person.opens(question)
    assert sent.status_code == 303
    assert sent.location.startswith("/consent?theme=dark&request_id=")
    (request_id,) = parse_qs(urlsplit(sent.location).query)["request_id"]
    return request_id


def asks(person: Person, request_id: str) -> TestResponse:
    return person.opens(f"/oauth/authorize/request/{request_id}")


def shown(person: Person, question: str) -> dict[str, Any]:
    """What the host's page is told."""
    return answer_of(asks(person, led_to_the_hosts_page(person, question)))


def says(person: Person, told: dict[str, Any], **answer: Any) -> TestResponse:
    """The host's page sends the person's answer; None takes a field away."""
    body = {
        "request_id": told["request_id"],
        "consent_token": told["consent_token"],
        "decision": "approve",
        "workspace": told["selected_workspace"],
        "scope": [scope["name"] for scope in told["scopes"]],
    }
    given = {name: value for name, value in (body | answer).items() if value is not None}
    return person.browser.post("/oauth/authorize", json=given)


def sent_back(response: TestResponse) -> dict[str, str]:
    """The parameters that the host's page takes back to the program."""
    url = answer_of(response)["redirect_url"]
    assert url.startswith("https://program.test/callback?")
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


# The question


def test_the_question_is_told_in_plain_values(program: Program, alice: Person) -> None:
    told = shown(alice, program.question())

    assert told.pop("request_id")
    assert told.pop("consent_token")
    assert told == {
        "client": {"client_id": program.client_id, "name": "Program", "description": ""},
        "redirect_host": "https://program.test",
        "account": {"user_id": "alice", "display_name": "Alice"},
        "workspaces": [
            {"key": "acme", "tenant_id": "acme", "name": "Acme"},
            {"key": "acme-labs", "tenant_id": "acme-labs", "name": "Acme-Labs"},
        ],
        "selected_workspace": "acme",
        "scopes": [
            {
                "name": "profile:read",
                "description": "See your name",
                "required": True,
                "checked": True,
            },
            {"name": "tasks:read", "description": "See tasks", "required": False, "checked": True},
            {
                "name": "tasks:write",
                "description": "Change tasks",
                "required": False,
                "checked": True,
            },
        ],
    }


def test_a_stranger_is_led_to_the_same_page_which_sees_to_the_login(
    program: Program, stranger: Person
) -> None:
    request_id = led_to_the_hosts_page(stranger, program.question())

    before = answer_of(asks(stranger, request_id), 401)
    stranger.sign_in("bob")
    after = answer_of(asks(stranger, request_id))

    assert before["title"] == "Not signed in"
    assert after["account"]["user_id"] == "bob"


def test_the_question_may_be_read_again(program: Program, bob: Person) -> None:
    request_id = led_to_the_hosts_page(bob, program.question())

    assert answer_of(asks(bob, request_id)) == answer_of(asks(bob, request_id))


# The answer


def test_a_yes_is_worth_a_code(program: Program, bob: Person) -> None:
    back = sent_back(says(bob, shown(bob, program.question())))

    assert (back["state"], back["iss"]) == ("a state", "http://localhost")
    pair = answer_of(program.redeems(back["code"]))
    assert program.calls(pair["access_token"]).status_code == 200


def test_a_no_is_told_to_the_program_and_stores_no_grant(
    app: Flask, program: Program, bob: Person
) -> None:
    back = sent_back(says(bob, shown(bob, program.question()), decision="deny"))

    assert (back["error"], back["state"]) == ("access_denied", "a state")
    assert "code" not in back
    assert "grants" not in row_counts(app)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (["tasks:read"], "profile:read tasks:read"),
        ("tasks:read tasks:write", ALL_SCOPES),
        ([], "profile:read"),
        (["everything", 5, {}], "profile:read"),
    ],
)
def test_the_person_picks_scopes_and_required_ones_are_always_there(
    program: Program, bob: Person, asked: Any, granted: str
) -> None:
    back = sent_back(says(bob, shown(bob, program.question()), scope=asked))

    assert answer_of(program.redeems(back["code"]))["scope"] == granted


def test_the_person_picks_a_workspace(program: Program, alice: Person) -> None:
    told = shown(alice, program.question())

    pair = answer_of(program.redeems(sent_back(says(alice, told, workspace="acme-labs"))["code"]))

    assert program.calls(pair["access_token"]).get_json()["tenant_id"] == "acme-labs"


def test_the_only_workspace_need_not_be_named(program: Program, bob: Person) -> None:
    assert sent_back(says(bob, shown(bob, program.question()), workspace=None))["code"]


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
def test_an_answer_that_was_not_offered_is_named(
    app: Flask, program: Program, alice: Person, answer: dict[str, Any], field: str
) -> None:
    """Alice has two workspaces, so that she has to name one."""
    response = says(alice, shown(alice, program.question()), **answer)

    assert list(answer_of(response, 422)["fields"]) == [field]
    assert "grants" not in row_counts(app)


def test_a_yes_without_scopes_says_what_is_missing(program: Program, bob: Person) -> None:
    """It was a yes to all that was asked for."""
    refused = says(bob, shown(bob, program.question()), scope=None)

    assert "Required: send the scopes" in answer_of(refused, 422)["fields"]["scope"]


def test_a_no_needs_no_scopes(program: Program, bob: Person) -> None:
    back = sent_back(says(bob, shown(bob, program.question()), decision="deny", scope=None))

    assert back["error"] == "access_denied"


def test_a_yes_to_nothing_is_refused(app: Flask, bob: Person) -> None:
    program = Program.registered(app, scope="tasks:read")
    told = shown(bob, program.question(scope="tasks:read"))

    response = says(bob, told, scope=[])

    assert list(answer_of(response, 422)["fields"]) == ["scope"]
    assert "grants" not in row_counts(app)


def test_one_who_said_yes_before_is_not_asked_again(trusted: Program, bob: Person) -> None:
    says(bob, shown(bob, trusted.question()))

    sent = bob.opens(trusted.question())

    assert sent.location.startswith("https://program.test/callback?code=")


# Not this request, not this browser, not this person


def refused(app: Flask, response: TestResponse) -> None:
    body = answer_of(response, 400)
    assert body["title"] == "Out of date"
    assert "Nothing was changed" in body["detail"]
    assert "grants" not in row_counts(app)


STRANGE = ["", "v1", "v1.e30.AAAA", "..", "é", "\ud800", "v1.\ud800.x", "nul\0", 5, None, [], {}]


def test_a_request_that_is_none_of_ours_is_refused(
    app: Flask, program: Program, bob: Person
) -> None:
    told = shown(bob, program.question())
    body = {"consent_token": told["consent_token"], "decision": "approve"}

    for request_id in STRANGE:
        asked = bob.browser.post("/oauth/authorize", json=body | {"request_id": request_id})
        refused(app, asked)


def test_an_answer_without_the_pages_token_is_refused(
    app: Flask, program: Program, bob: Person
) -> None:
    told = shown(bob, program.question())

    for token in STRANGE:
        refused(app, says(bob, told, consent_token=token))


def test_another_browser_neither_reads_nor_answers(
    app: Flask, program: Program, bob: Person
) -> None:
    told = shown(bob, program.question())
    elsewhere = Person(app, "bob")

    refused(app, asks(elsewhere, told["request_id"]))
    refused(app, says(elsewhere, told))


def test_another_person_at_the_same_browser_answers_only_what_they_were_shown(
    app: Flask, program: Program, bob: Person
) -> None:
    told = shown(bob, program.question())
    bob.sign_in("alice")

    refused(app, says(bob, told))


def test_after_half_an_hour_the_request_is_over(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    told = shown(bob, program.question())

    clock.advance(30 * 60)

    refused(app, asks(bob, told["request_id"]))
    refused(app, says(bob, told))


def test_the_token_of_another_request_is_refused(app: Flask, program: Program, bob: Person) -> None:
    first, second = shown(bob, program.question()), shown(bob, program.question(state="other"))

    refused(app, says(bob, first | {"consent_token": second["consent_token"]}))


def test_a_call_from_another_site_is_refused(app: Flask, program: Program, bob: Person) -> None:
    told = shown(bob, program.question())
    body = {"request_id": told["request_id"], "consent_token": told["consent_token"]}

    response = bob.browser.post(
        "/oauth/authorize",
        json=body | {"decision": "approve"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer_of(response, 403)["title"] == "Cross-site call"
    assert "grants" not in row_counts(app)


def test_a_client_deleted_meanwhile_gets_nothing(app: Flask, program: Program, bob: Person) -> None:
    told = shown(bob, program.question())
    app.test_cli_runner().invoke(
        args=["activepieces", "client", "delete", program.client_id, "--yes"]
    )

    answer = answer_of(says(bob, told), 400)

    assert answer["code"] == "invalid_authorization_request"
    assert answer["detail"].endswith("Go back to it, and start again.")
    assert answer_of(asks(bob, told["request_id"]), 400)


def test_one_who_signs_in_to_the_wrong_tenant_is_told(app: Flask, stranger: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")
    request_id = led_to_the_hosts_page(stranger, program.question())
    stranger.sign_in("carol")

    assert answer_of(asks(stranger, request_id), 403)["title"] == "Refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 5000, 400), (b"null", 422), (b"[]", 422)],
    ids=["empty", "half", "no text", "deep", "null", "a list"],
)
def test_a_body_that_is_no_json_object_is_refused(bob: Person, body: bytes, status: int) -> None:
    response = bob.browser.post("/oauth/authorize", data=body, content_type="application/json")

    assert answer_of(response, status)["status"] == status


def test_while_the_database_is_away_the_request_waits(
    app: Flask, program: Program, bob: Person
) -> None:
    told = shown(bob, program.question())

    with database_away(app):
        assert answer_of(says(bob, told), 503)["retry_after"] == 5

    assert sent_back(says(bob, told))["code"]
    assert len(rows_of(app, "grants")) == 1
