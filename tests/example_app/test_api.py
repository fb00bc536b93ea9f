"""The API of Tasklane, as an outside program meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.example_app.actors import Person, Program


def test_without_a_token_the_answer_is_401(tasklane: Flask) -> None:
    for method, path in (("GET", "/api/me"), ("GET", "/api/tasks"), ("POST", "/api/tasks")):
        answer = tasklane.test_client().open(path, method=method)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_me_says_whose_token_it_is(program: Program, ada: Person) -> None:
    program.connect(ada, workspace="acme-labs")

    assert program.call("GET", "/api/me").json == {
        "id": "1",
        "name": "Ada Acker",
        "email": "admin@acme.test",
        "workspace": {"id": "acme-labs", "name": "Acme Labs"},
    }


def test_tasks_are_those_of_the_workspace_and_no_others(program: Program, gwen: Person) -> None:
    program.connect(gwen)

    assert program.titles() == ["Water the office plants", "Plan the move to the coast"]


def test_created_task_is_answered_with_201_and_seen_by_people(
    program: Program, ada: Person
) -> None:
    program.connect(ada)

    answer = program.call("POST", "/api/tasks", json={"title": " Buy a longer rope "})

    assert answer.status_code == 201
    assert answer.json
    assert answer.json["title"] == "Buy a longer rope"
    assert answer.json["done"] is False
    assert answer.json["created_by"] == "1"
    assert "Buy a longer rope" in program.titles()
    assert "Buy a longer rope" in ada.sees("/").text


def test_task_is_changed(program: Program, ada: Person) -> None:
    program.connect(ada)

    answer = program.call("PATCH", "/api/tasks/1", json={"done": True})

    assert answer.status_code == 200
    assert answer.json
    assert answer.json["done"] is True
    assert answer.json["title"] == "Order new anvils"


def test_task_of_another_company_cannot_be_changed(
    program: Program, ada: Person, gwen: Person
) -> None:
    program.connect(gwen)

    answer = program.call("PATCH", "/api/tasks/1", json={"title": "Ours now"})

    assert answer.status_code == 404
    assert "Ours now" not in ada.sees("/").text


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("tasks:read tasks:write", "GET", "/api/me"),
        ("profile:read tasks:write", "GET", "/api/tasks"),
        ("profile:read tasks:read", "POST", "/api/tasks"),
        ("profile:read tasks:read", "PATCH", "/api/tasks/1"),
    ],
)
def test_each_request_needs_its_scope(
    program: Program, ada: Person, scope: str, method: str, path: str
) -> None:
    program.connect(ada, asks=scope)

    answer = program.call(method, path, json={"title": "x"} if method != "GET" else None)

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": None}, "title"),
        ({"title": 5}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "nul\0"}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"title": "x", "done": "maybe"}, "done"),
        ({"title": "x", "company_id": "globex"}, "company_id"),
        ([], "_schema"),
        ("title", "_schema"),
    ],
)
def test_bad_fields_are_named(program: Program, ada: Person, body: Any, field: str) -> None:
    program.connect(ada)
    before = program.titles()

    answer = program.call("POST", "/api/tasks", json=body)

    assert answer.status_code == 422
    assert answer.json
    assert list(answer.json["fields"]) == [field]
    assert program.titles() == before


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": {"title": "a form"}}, 415),
        ({"data": b"x" * 2_000_000, "content_type": "application/json"}, 413),
    ],
)
def test_other_bodies_are_refused_in_json(
    program: Program, ada: Person, options: dict[str, Any], status: int
) -> None:
    program.connect(ada)

    answer = program.call("POST", "/api/tasks", **options)

    assert answer.status_code == status
    assert answer.json
    assert answer.json["error"]


def test_list_comes_in_pages(program: Program, ada: Person) -> None:
    program.connect(ada)

    everything = program.call("GET", "/api/tasks").json
    first = program.call("GET", "/api/tasks?limit=2").json
    assert everything
    assert first
    second = program.call("GET", f"/api/tasks?limit=2&after={first['next_after']}").json
    assert second

    assert [len(first["tasks"]), len(second["tasks"])] == [2, 1]
    assert first["next_after"] == first["tasks"][-1]["id"]
    assert second["next_after"] is None
    assert first["tasks"] + second["tasks"] == everything["tasks"]


def test_list_can_be_narrowed_to_what_is_done(program: Program, ada: Person) -> None:
    program.connect(ada)
    program.call("PATCH", "/api/tasks/2", json={"done": True})

    done = program.call("GET", "/api/tasks?done=true").json
    still_open = program.call("GET", "/api/tasks?done=false").json

    assert done
    assert still_open
    assert [task["id"] for task in done["tasks"]] == [2]
    assert 2 not in [task["id"] for task in still_open["tasks"]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "after=-1", "after=" + "9" * 30, "done=x", "page=2"],
)
def test_bad_query_is_refused(program: Program, ada: Person, query: str) -> None:
    program.connect(ada)

    assert program.call("GET", f"/api/tasks?{query}").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("PATCH", "/api/tasks/999999", 404),
        ("PATCH", "/api/tasks/99999999999999999999", 404),
        ("DELETE", "/api/tasks", 405),
    ],
)
def test_faults_of_the_api_are_json(
    program: Program, ada: Person, method: str, path: str, status: int
) -> None:
    program.connect(ada)

    answer = program.call(method, path, json={})

    assert answer.status_code == status
    assert answer.json
    assert answer.json["error"]


def test_program_that_acts_for_itself_has_a_workspace_and_no_user(tasklane: Flask) -> None:
    program = Program.registered(tasklane, "--client-credentials", "--tenant", "acme")
    program.token = program.take_token(grant_type="client_credentials")

    created = program.call("POST", "/api/tasks", json={"title": "From a machine"})

    assert created.status_code == 201
    assert created.json
    assert created.json["created_by"] is None
    assert program.call("GET", "/api/me").status_code == 404
    assert "From a machine" in program.titles()


def test_program_of_an_unknown_workspace_changes_nothing(tasklane: Flask) -> None:
    program = Program.registered(tasklane, "--client-credentials", "--tenant", "nowhere")
    program.token = program.take_token(grant_type="client_credentials")

    assert program.call("POST", "/api/tasks", json={"title": "x"}).status_code == 403
    assert program.titles() == []


def test_absent_database_is_answered_with_503(
    program: Program, ada: Person, lose_database: Callable[[], None]
) -> None:
    program.connect(ada)
    lose_database()

    for method, path in (("GET", "/api/me"), ("GET", "/api/tasks"), ("POST", "/api/tasks")):
        answer = program.call(method, path, json={"title": "x"} if method == "POST" else None)

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json
        assert answer.json["error"]
