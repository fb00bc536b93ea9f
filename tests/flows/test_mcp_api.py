"""MCP servers through the JSON API, for each kind that Activepieces has had; their tokens stay masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.host.interface import Principal
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import answer_of
from tests.support.api_user import ApiUser
from tests.support.hosts import SmallHost
from tests.support.problems import problem
from tests.support.standin import standin
from tests.support.storage import rows_of


class HostThatShowsTokens(SmallHost):
    """A host that shows new MCP tokens."""

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return principal.user_id == "alice"


#: What each version can change, and its name in the answer.
CHANGES: dict[str, dict[str, Any]] = {
    "0.78": {"enabled": True},
    "0.83": {"enabledTools": ["ap_list_flows"]},
    "0.85": {"disabledTools": ["ap_list_flows"]},
    "0.86": {"disabledTools": ["ap_list_flows"]},
    "0.92": {"disabledTools": ["ap_list_flows"]},
}
DIALECTS = {"0.78": "0.78", "0.83": "0.80"}


@pytest.fixture(params=CHANGES, scope="module")
def started(request: pytest.FixtureRequest) -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(version=request.param) as server:
        yield server


@pytest.fixture
def server(started: ActivepiecesServer) -> ActivepiecesServer:
    """Each version."""
    started.reset()
    return started


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(ACTIVEPIECES_BASE_URL=base_url(server))


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def integration(alice: ApiUser, server: ActivepiecesServer) -> str:
    """Acme's integration, with a user token: an API key cannot manage MCP servers."""
    return alice.links(userToken=server.user_token(), projectId=server.project_id)


def base_url(server: ActivepiecesServer) -> str:
    """A server before 0.85 has no /api without nginx."""
    return f"{server.url}/v1" if server.state.version in DIALECTS else server.url


def stored_token(server: ActivepiecesServer) -> str:
    """The token as Activepieces stores it."""
    (row,) = [row for row in server.state.store.all("mcp_server") if row.get("projectId")]
    return str(row["token"])


def test_the_server_is_shown_with_a_masked_token(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    answer = alice.gets(f"/mcp/{integration}")

    fetched = answer_of(answer)
    assert fetched["projectId"] == server.project_id
    dialect = DIALECTS.get(server.state.version, "0.85")
    assert fetched["dialect"] == dialect
    assert fetched["disabledTools"] == ([] if dialect == "0.85" else None)
    assert fetched["enabled"] is (False if dialect == "0.78" else None)
    assert fetched["enabledTools"] is None
    assert fetched["token"] == f"…{stored_token(server)[-4:]}"
    assert stored_token(server) not in answer.text


def test_each_version_is_changed_with_its_own_field(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    path = f"/mcp/{integration}"
    supported = CHANGES[server.state.version]
    others = [change for change in CHANGES.values() if change.keys() != supported.keys()]

    changed = answer_of(alice.patches(path, supported))
    refused = [alice.patches(path, other) for other in others]

    assert {name: changed[name] for name in supported} == supported
    for answer in refused:
        problem(answer, 409, "Not possible")
    assert answer_of(alice.gets(path)) == changed | {"updated": answer_of(alice.gets(path))["updated"]}


def test_an_invalid_change_is_refused(alice: ApiUser, integration: str, server: ActivepiecesServer) -> None:
    bodies: list[dict[str, Any]] = [
        {},
        {"enabled": True, "disabledTools": []},
        {"enabledTools": [], "disabledTools": []},
        {"disabledTools": "all"},
        {"disabledTools": [""]},
        {"disabledTools": ["nul\0"]},
        {"disabledTools": ["x"] * 501},
    ]
    calls = len(server.calls)

    errors = [problem(alice.patches(f"/mcp/{integration}", body), 422, "Invalid input") for body in bodies]

    assert [list(error["fields"]) for error in errors] == [["disabledTools"]] * len(bodies)
    assert len(server.calls) == calls


def test_a_new_token_is_masked_unless_the_host_allows_it(
    app: Flask, alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    alice.gets(f"/mcp/{integration}")
    before = stored_token(server)

    answer = alice.posts(f"/mcp/{integration}/rotate")

    assert stored_token(server) != before
    assert answer_of(answer)["token"] == f"…{stored_token(server)[-4:]}"
    assert rows_of(app, "audit_events")[-1]["name"] == "mcp.token_rotated"


def test_a_host_may_allow_showing_a_new_token_once(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=base_url(server), host=HostThatShowsTokens())
    alice = ApiUser.named(app, "alice")
    credentials = {"userToken": server.user_token(), "projectId": server.project_id}
    path = f"/mcp/{alice.links(**credentials)}"

    rotated = answer_of(alice.posts(f"{path}/rotate"))
    later = answer_of(alice.gets(path))

    assert rotated["token"] == stored_token(server)
    assert later["token"] == f"…{stored_token(server)[-4:]}"


# --- All projects, and the platform ---------------------------------------------------------------


def test_the_servers_of_all_projects_are_listed(alice: ApiUser, integration: str, server: ActivepiecesServer) -> None:
    answer = alice.gets(f"/mcp/{integration}/servers")

    listed = answer_of(answer)["data"]
    assert answer_of(answer)["projectCount"] == len(listed)
    assert {each["projectId"] for each in listed} == {row["id"] for row in server.state.store.all("project")}
    assert all(each["token"].startswith("…") for each in listed)


def test_a_list_that_is_cut_says_how_many_projects_there_are(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    standin(server).projects(60)

    listed = answer_of(alice.gets(f"/mcp/{integration}/servers"))

    assert (len(listed["data"]), listed["projectCount"]) == (50, 60)


def test_the_server_of_the_platform_is_shown_or_refused(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    path = f"/mcp/{integration}/platform"
    change = CHANGES[server.state.version]
    if server.state.version == "0.78":
        problem(alice.gets(path), 502, "Not offered by this Activepieces")
        problem(alice.patches(path, {"disabledTools": []}), 502, "Not offered by this Activepieces")
        problem(alice.posts(f"{path}/rotate"), 502, "Not offered by this Activepieces")
        return

    before, changed = answer_of(alice.gets(path)), answer_of(alice.patches(path, change))
    rotated = answer_of(alice.posts(f"{path}/rotate"))

    assert before["projectId"] is None
    assert {name: changed[name] for name in change} == change
    assert len(rotated["token"]) == 5 and rotated["token"] != before["token"]
    problem(alice.patches(path, {"enabled": True}), 422, "Invalid input")


def test_a_member_of_a_project_is_no_administrator_of_the_platform(
    app: Flask, alice: ApiUser, server: ActivepiecesServer
) -> None:
    token = standin(server).by_member("Editor").token
    integration = alice.links(userToken=token, projectId=server.project_id)

    answer = alice.gets(f"/mcp/{integration}/platform")

    if server.state.version == "0.78":
        problem(answer, 502, "Not offered by this Activepieces")
    else:
        problem(answer, 409, "Not allowed by Activepieces")


def test_an_mcp_server_needs_a_user_token(alice: ApiUser, server: ActivepiecesServer) -> None:
    integration = alice.links(apiKey=server.api_key, projectId=server.project_id)
    calls = len(server.calls)

    error = problem(alice.gets(f"/mcp/{integration}"), 409, "Not possible with this credential")

    assert "user token" in error["detail"]
    assert len(server.calls) == calls
