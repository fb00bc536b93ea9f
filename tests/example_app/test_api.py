"""The JSON API of Tasklane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.example_app.actors import Person, Program


def test_request_without_a_token_gets_401(tasklane: Flask) -> None:
    for method, path in (("GET", "/api/me"), ("GET", "/api/tasks"), ("POST", "/api/tasks")):
        response = tasklane.test_client().open(path, method=method)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")


def test_me_returns_the_user_and_the_workspace_of_the_token(program: Program, ada: Person) -> None:
    program.connect(ada, workspace="acme-labs")

    assert program.call("GET", "/api/me").json == {
        "id": "1",
        "name": "Ada Acker",
        "email": "admin@acme.test",
        "workspace": {"id": "acme-labs", "name": "Acme Labs"},
    }


def test_list_contains_only_tasks_of_the_workspace(program: Program, gwen: Person) -> None:
    program.connect(gwen)

    assert program.task_titles() == ["Water the office plants", "Plan the move to the coast"]


def test_created_task_gets_201_and_appears_on_the_page(program: Program, ada: Person) -> None:
    program.connect(ada)

    response = program.call("POST", "/api/tasks", json={"title": " Buy a longer rope "})

    assert response.status_code == 201
    assert response.json
    assert response.json["title"] == "Buy a longer rope"
    assert response.json["done"] is False
    assert response.json["created_by"] == "1"
    assert "Buy a longer rope" in program.task_titles()
    assert "Buy a longer rope" in ada.get_page("/").text


def test_task_can_be_changed(program: Program, ada: Person) -> None:
    program.connect(ada)

    response = program.call("PATCH", "/api/tasks/1", json={"done": True})

    assert response.status_code == 200
    assert response.json
    assert response.json["done"] is True
    assert response.json["title"] == "Order new anvils"


def test_task_of_another_company_cannot_be_changed(program: Program, ada: Person, gwen: Person) -> None:
    program.connect(gwen)

    response = program.call("PATCH", "/api/tasks/1", json={"title": "Ours now"})

    assert response.status_code == 404
    assert "Ours now" not in ada.get_page("/").text


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("tasks:read tasks:write", "GET", "/api/me"),
        ("profile:read tasks:write", "GET", "/api/tasks"),
        ("profile:read tasks:read", "POST", "/api/tasks"),
        ("profile:read tasks:read", "PATCH", "/api/tasks/1"),
    ],
)
def test_each_request_requires_its_scope(program: Program, ada: Person, scope: str, method: str, path: str) -> None:
    program.connect(ada, requested_scope=scope)

    response = program.call(method, path, json={"title": "x"} if method != "GET" else None)

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


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
def test_invalid_fields_are_reported_by_name(program: Program, ada: Person, body: Any, field: str) -> None:
    program.connect(ada)
    before = program.task_titles()

    response = program.call("POST", "/api/tasks", json=body)

    assert response.status_code == 422
    assert response.json
    assert list(response.json["fields"]) == [field]
    assert program.task_titles() == before


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": {"title": "a form"}}, 415),
        ({"data": b"x" * 2_000_000, "content_type": "application/json"}, 413),
    ],
)
def test_other_bodies_are_rejected_with_json(
    program: Program, ada: Person, options: dict[str, Any], status: int
) -> None:
    program.connect(ada)

    response = program.call("POST", "/api/tasks", **options)

    assert response.status_code == status
    assert response.json
    assert response.json["error"]


def test_list_is_paginated(program: Program, ada: Person) -> None:
    program.connect(ada)

    all_tasks = program.call("GET", "/api/tasks").json
    first = program.call("GET", "/api/tasks?limit=2").json
    assert all_tasks
    assert first
    second = program.call("GET", f"/api/tasks?limit=2&after={first['next_after']}").json
    assert second

    assert [len(first["tasks"]), len(second["tasks"])] == [2, 1]
    assert first["next_after"] == first["tasks"][-1]["id"]
    assert second["next_after"] is None
    assert first["tasks"] + second["tasks"] == all_tasks["tasks"]


def test_list_can_be_filtered_by_done(program: Program, ada: Person) -> None:
    program.connect(ada)
    program.call("PATCH", "/api/tasks/2", json={"done": True})

    done = program.call("GET", "/api/tasks?done=true").json
    open_tasks = program.call("GET", "/api/tasks?done=false").json

    assert done
    assert open_tasks
    assert [task["id"] for task in done["tasks"]] == [2]
    assert 2 not in [task["id"] for task in open_tasks["tasks"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "after=-1", "after=" + "9" * 30, "done=x", "page=2"]
)
def test_invalid_query_is_rejected(program: Program, ada: Person, query: str) -> None:
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
def test_errors_of_the_api_are_json(program: Program, ada: Person, method: str, path: str, status: int) -> None:
    program.connect(ada)

    response = program.call(method, path, json={})

    assert response.status_code == status
    assert response.json
    assert response.json["error"]


def test_client_credentials_token_has_a_workspace_but_no_user(tasklane: Flask) -> None:
    program = Program.register(tasklane, "--client-credentials", "--tenant", "acme")
    program.token = program.get_token(grant_type="client_credentials")

    created = program.call("POST", "/api/tasks", json={"title": "From a machine"})

    assert created.status_code == 201
    assert created.json
    assert created.json["created_by"] is None
    assert program.call("GET", "/api/me").status_code == 404
    assert "From a machine" in program.task_titles()


def test_token_for_an_unknown_workspace_changes_nothing(tasklane: Flask) -> None:
    program = Program.register(tasklane, "--client-credentials", "--tenant", "nowhere")
    program.token = program.get_token(grant_type="client_credentials")

    assert program.call("POST", "/api/tasks", json={"title": "x"}).status_code == 403
    assert program.task_titles() == []


def test_unavailable_database_gets_503(program: Program, ada: Person, lose_database: Callable[[], None]) -> None:
    program.connect(ada)
    lose_database()

    for method, path in (("GET", "/api/me"), ("GET", "/api/tasks"), ("POST", "/api/tasks")):
        response = program.call(method, path, json={"title": "x"} if method == "POST" else None)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.json
        assert response.json["error"]
