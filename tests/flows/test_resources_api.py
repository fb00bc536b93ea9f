"""Projects, flows and runs through the JSON API: metadata only, never step contents or run data."""

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
    """Acme's integration, with its own key."""
    return alice.links(apiKey=server.api_key, projectId=server.project_id)


@pytest.fixture
def activepieces(server: ActivepiecesServer) -> Standin:
    """Direct access to Activepieces."""
    return standin(server)


def test_a_tenant_with_its_own_key_sees_the_keys_projects(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    listed = answer_of(alice.gets(f"/projects/{integration}"))["data"]

    assert server.project_id in [project["id"] for project in listed]
    assert set(listed[0]) == {"id", "displayName", "externalId", "type", "created", "updated"}


def test_a_tenant_on_the_apps_key_sees_only_its_own_project(app: Flask, alice: ApiUser) -> None:
    carol = ApiUser.named(app, "carol")
    listed = {}
    for user in (alice, carol):
        (listed[user.person],) = answer_of(user.gets(f"/projects/{user.links()}"))["data"]

    assert [listed[user.person]["externalId"] for user in (alice, carol)] == ["acme", "globex"]


def test_flows_are_listed_without_their_steps(
    alice: ApiUser, integration: str, activepieces: Standin, server: ActivepiecesServer
) -> None:
    flow = activepieces.flow(action("step_1", PIECE, "whoami", note="a step's input"))
    draft = activepieces.flow(publish=False)

    answer = alice.gets(f"/flows/{integration}")

    listed = {flow["id"]: flow for flow in answer_of(answer)["data"]}
    assert set(listed) == {flow, draft}
    assert (listed[flow]["status"], listed[flow]["published"]) == ("ENABLED", True)
    assert (listed[draft]["status"], listed[draft]["published"]) == ("DISABLED", False)
    assert listed[flow]["projectId"] == server.project_id
    assert "a step's input" not in answer.text


@pytest.mark.parametrize(
    ("query", "count"),
    [({"status": "ENABLED"}, 1), ({"status": "DISABLED"}, 0), ({"name": "flow"}, 1), ({"name": "x"}, 0)],
)
def test_flows_are_filtered(
    alice: ApiUser, integration: str, activepieces: Standin, query: dict[str, str], count: int
) -> None:
    activepieces.flow()

    assert len(answer_of(alice.gets(f"/flows/{integration}", **query))["data"]) == count


def test_runs_are_listed_without_their_data(
    alice: ApiUser, integration: str, activepieces: Standin, server: ActivepiecesServer
) -> None:
    step = action("step_1", PIECE, "whoami", note="a step's input")
    flow = activepieces.flow(step, answering("step_2", "done"))
    Standin(server, "").ask("POST", f"/webhooks/{flow}/sync", {"secret": "a webhook's body"})

    answer = alice.gets(f"/flow-runs/{integration}", flowId=flow)

    (run,) = answer_of(answer)["data"]
    assert (run["flowId"], run["environment"]) == (flow, "PRODUCTION")
    assert run["status"] in ("SUCCEEDED", "FAILED")
    assert "a step's input" not in answer.text
    assert "a webhook's body" not in answer.text


def test_runs_are_paged(alice: ApiUser, integration: str, activepieces: Standin, server: ActivepiecesServer) -> None:
    flow = activepieces.flow(answering("step_1", "done"))
    for _ in range(3):
        Standin(server, "").ask("POST", f"/webhooks/{flow}/sync", {})
    runs: list[dict[str, Any]] = []

    page = answer_of(alice.gets(f"/flow-runs/{integration}", limit="2"))
    runs += page["data"]
    page = answer_of(alice.gets(f"/flow-runs/{integration}", limit="2", cursor=page["next"]))
    runs += page["data"]

    assert page["next"] is None
    assert len({run["id"] for run in runs}) == 3


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/flows", {"status": "BROKEN"}, "status"),
        ("/flows", {"name": "nul\0"}, "name"),
        ("/flow-runs", {"limit": "201"}, "limit"),
        ("/flow-runs", {"flow": "x"}, "flow"),
    ],
)
def test_an_invalid_filter_is_named(
    alice: ApiUser, integration: str, path: str, query: dict[str, str], field: str
) -> None:
    answer = alice.gets(f"{path}/{integration}", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]
