"""A project's MCP server through the JSON API, for both server versions; its token stays masked."""

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
from tests.support.storage import rows_of


class HostThatShowsTokens(SmallHost):
    """A host that shows new MCP tokens."""

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return principal.user_id == "alice"


@pytest.fixture(params=["0.85", "0.78"])
def server(request: pytest.FixtureRequest) -> Iterator[ActivepiecesServer]:
    """Both versions: one has a list of disabled tools, the other a single switch."""
    with ActivepiecesServer(version=request.param) as server:
        yield server


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
    """A 0.78 server without nginx has no /api."""
    return server.url if server.state.version == "0.85" else f"{server.url}/v1"


def is_new(server: ActivepiecesServer) -> bool:
    return server.state.version == "0.85"


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
    assert fetched["dialect"] == ("0.85" if is_new(server) else "0.78")
    assert (fetched["disabledTools"] is not None) == is_new(server)
    assert (fetched["enabled"] is None) == is_new(server)
    assert fetched["token"] == f"…{stored_token(server)[-4:]}"
    assert stored_token(server) not in answer.text


def test_each_version_is_changed_with_its_own_field(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    path = f"/mcp/{integration}"
    tools, switch = {"disabledTools": ["ap_list_flows"]}, {"enabled": False}
    supported, unsupported = (tools, switch) if is_new(server) else (switch, tools)

    changed = answer_of(alice.patches(path, supported))
    refused = alice.patches(path, unsupported)

    assert {name: changed[name] for name in supported} == supported
    problem(refused, 409, "Not possible")
    assert answer_of(alice.gets(path)) == changed | {"updated": answer_of(alice.gets(path))["updated"]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": True, "disabledTools": []},
        {"disabledTools": "all"},
        {"disabledTools": [""]},
        {"disabledTools": ["nul\0"]},
        {"disabledTools": ["x"] * 501},
    ],
)
def test_an_invalid_change_is_refused(
    alice: ApiUser, integration: str, server: ActivepiecesServer, body: dict[str, Any]
) -> None:
    calls = len(server.calls)

    error = problem(alice.patches(f"/mcp/{integration}", body), 422, "Invalid input")

    assert list(error["fields"]) == ["disabledTools"]
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


def test_an_mcp_server_needs_a_user_token(alice: ApiUser, server: ActivepiecesServer) -> None:
    integration = alice.links(apiKey=server.api_key, projectId=server.project_id)
    calls = len(server.calls)

    error = problem(alice.gets(f"/mcp/{integration}"), 409, "Not possible with this credential")

    assert "user token" in error["detail"]
    assert len(server.calls) == calls
