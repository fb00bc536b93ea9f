"""The examples on the page about pieces."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import get_state
from flask_activepieces.testing.access_tokens import issue_access_token
from tests.docs.conftest import RunPage
from tests.support.documents import DOCS, blocks, page

PIECES = DOCS / "pieces.md"


@pytest.fixture
def namespace(run_page: RunPage) -> dict[str, Any]:
    """What the page defines."""
    return run_page(PIECES)


def test_the_piece_of_the_page_has_no_problem(namespace: dict[str, Any]) -> None:
    namespace["test_the_piece_can_be_built"]()

    document = get_state(namespace["app"]).piece.manifest(version="1.0.0")
    assert list(document["actions"]) == ["create_task", "finish_task", "number_lines", "assign_project"]
    assert document["auth"][0]["scope"] == ["tasks:read", "tasks:write"]


def test_the_view_of_the_page_is_called_at_its_route(namespace: dict[str, Any]) -> None:
    actions = get_state(namespace["app"]).piece.manifest(version="1.0.0")["actions"]

    request = actions["finish_task"]["request"]
    assert (request["method"], request["path"]) == ("PUT", "/api/tasks/{task_id}/done")


def test_the_declarations_of_the_blueprint_count_with_it(namespace: dict[str, Any]) -> None:
    app: Flask = namespace["create_app"]()
    app.register_blueprint(namespace["reports"])

    try:
        assert "create_report" in get_state(app).piece.definition().actions
    finally:
        with app.app_context():
            namespace["db"].engine.dispose()


def test_finishing_a_task_emits_an_event(namespace: dict[str, Any]) -> None:
    app: Flask = namespace["app"]
    with app.app_context():
        namespace["db"].create_all()
        task = namespace["Task"](company_id="acme", title="Call Ada", project="Home")
        namespace["db"].session.add(task)
        namespace["db"].session.commit()
    token = issue_access_token(app, user_id="1", tenant_id="acme", scope="tasks:write")

    answer = app.test_client().put("/api/tasks/1/done", headers={"Authorization": f"Bearer {token}"})

    assert answer.get_json() == {"id": 1, "title": "Call Ada", "project": "Home", "done": True}


def test_the_action_with_files_gets_one_and_returns_one(namespace: dict[str, Any]) -> None:
    app: Flask = namespace["app"]
    with app.app_context():
        namespace["db"].create_all()
    token = issue_access_token(app, user_id="1", tenant_id="acme", scope="tasks:read")
    form = {"file": (BytesIO(b"a\nb\n"), "list.txt")}

    url = "/api/integration/activepieces/piece/actions/number_lines"
    answer = app.test_client().post(url, data=form, headers={"Authorization": f"Bearer {token}"})

    file = answer.get_json()["numbered"]["$file"]
    assert (file["name"], b64decode(file["base64"])) == ("numbered list.txt", b"1 a\n2 b\n")


def test_the_messages_of_the_page_are_those_of_the_code(namespace: dict[str, Any]) -> None:
    (example,) = blocks(page("pieces"), "text")
    declared = namespace["activepieces"]
    declared.trigger("later", scope="tasks:read", payload=namespace["TaskSchema"], samples=list)
    app: Flask = namespace["create_app"]()

    try:
        with pytest.raises(Exception, match="trigger 'later': needs a description") as caught:
            get_state(app).piece.definition()
    finally:
        with app.app_context():
            namespace["db"].engine.dispose()
    assert str(caught.value).splitlines()[0] == example.splitlines()[0]
