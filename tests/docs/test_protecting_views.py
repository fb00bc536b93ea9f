"""The examples about ids on the page about protecting views."""

from __future__ import annotations

from uuid import uuid4

from flask import Flask

from flask_activepieces.testing.access_tokens import issue_access_token
from tests.docs.conftest import RunPage
from tests.support.documents import DOCS


def test_integer_and_uuid_ids_are_converted_as_documented(run_page: RunPage) -> None:
    page = run_page(DOCS / "protecting-views.md")
    app: Flask = page["app"]
    company = str(uuid4())
    with app.app_context():
        page["db"].create_all()
    token = issue_access_token(app, user_id="41", tenant_id=company, scope="tasks:read")

    answer = app.test_client().get("/api/my-tasks", headers={"Authorization": f"Bearer {token}"})

    assert answer.get_json() == {"owner": 41, "company": company}
