"""What pages show of a project through the JSON API: projects, flows and their runs, never what is inside."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.support.actors import answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.problems import problem
from tests.support.standin import Standin, action, answering, standin


@pytest.fixture
def app(linked_app: Flask) -> Flask:
    return linked_app


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def integration(alice: ApiUser, server: ActivepiecesServer) -> str:
    """Acme's, with a key of its own."""
    return alice.links(apiKey=server.api_key, projectId=server.project_id)


@pytest.fixture
def there(server: ActivepiecesServer) -> Standin:
    """Somebody at Activepieces itself."""
    return standin(server)


def test_the_projects_of_ones_own_key_are_listed(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    listed = answer_of(alice.gets(f"/projects/{integration}"))["data"]

    assert server.project_id in [project["id"] for project in listed]
    assert set(listed[0]) == {"id", "displayName", "externalId", "type", "created", "updated"}


def test_of_the_apps_key_only_the_tenants_project_is_there(app: Flask, alice: ApiUser) -> None:
    carol = ApiUser.named(app, "carol")
    listed = {}
    for who in (alice, carol):
        (listed[who.person],) = answer_of(who.gets(f"/projects/{who.links()}"))["data"]

    assert [listed[who.person]["externalId"] for who in (alice, carol)] == ["acme", "globex"]


def test_flows_are_listed_without_their_steps(
    alice: ApiUser, integration: str, there: Standin, server: ActivepiecesServer
) -> None:
    flow = there.flow(action("step_1", PIECE, "whoami", note="what somebody typed"))
    draft = there.flow(publish=False)

    answer = alice.gets(f"/flows/{integration}")

    listed = {one["id"]: one for one in answer_of(answer)["data"]}
    assert set(listed) == {flow, draft}
    assert (listed[flow]["status"], listed[flow]["published"]) == ("ENABLED", True)
    assert (listed[draft]["status"], listed[draft]["published"]) == ("DISABLED", False)
    assert listed[flow]["projectId"] == server.project_id
    assert "what somebody typed" not in answer.text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "ENABLED"}, 1),
        ({"status": "DISABLED"}, 0),
        ({"name": "flow"}, 1),
        ({"name": "x"}, 0),
    ],
)
def test_flows_are_filtered(
    alice: ApiUser, integration: str, there: Standin, query: dict[str, str], count: int
) -> None:
    there.flow()

    assert len(answer_of(alice.gets(f"/flows/{integration}", **query))["data"]) == count


def test_runs_are_listed_without_what_went_through_them(
    alice: ApiUser, integration: str, there: Standin, server: ActivepiecesServer
) -> None:
    typed = action("step_1", PIECE, "whoami", note="what somebody typed")
    flow = there.flow(typed, answering("step_2", "done"))
    Standin(server, "").ask("POST", f"/webhooks/{flow}/sync", {"secret": "what somebody sent"})

    answer = alice.gets(f"/flow-runs/{integration}", flowId=flow)

    (run,) = answer_of(answer)["data"]
    assert (run["flowId"], run["environment"]) == (flow, "PRODUCTION")
    assert run["status"] in ("SUCCEEDED", "FAILED")
    assert "what somebody" not in answer.text


def test_runs_come_in_pages(
    alice: ApiUser, integration: str, there: Standin, server: ActivepiecesServer
) -> None:
    flow = there.flow(answering("step_1", "done"))
    for _ in range(3):
        Standin(server, "").ask("POST", f"/webhooks/{flow}/sync", {})
    seen: list[dict[str, Any]] = []

    page = answer_of(alice.gets(f"/flow-runs/{integration}", limit="2"))
    seen += page["data"]
    page = answer_of(alice.gets(f"/flow-runs/{integration}", limit="2", cursor=page["next"]))
    seen += page["data"]

    assert page["next"] is None
    assert len({run["id"] for run in seen}) == 3


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/flows", {"status": "BROKEN"}, "status"),
        ("/flows", {"name": "nul\0"}, "name"),
        ("/flow-runs", {"limit": "201"}, "limit"),
        ("/flow-runs", {"flow": "x"}, "flow"),
    ],
)
def test_a_filter_that_does_not_fit_is_named(
    alice: ApiUser, integration: str, path: str, query: dict[str, str], field: str
) -> None:
    answer = alice.gets(f"{path}/{integration}", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]
