"""The MCP server of a project through the JSON API: both kinds of server, and a token that stays masked."""

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


class Generous(SmallHost):
    """A host that shows new MCP tokens."""

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return principal.user_id == "alice"


@pytest.fixture(params=["0.85", "0.78"])
def server(request: pytest.FixtureRequest) -> Iterator[ActivepiecesServer]:
    """Of both kinds: a list of tools that are off, or one switch."""
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
    """Acme's, with a user of its own: Activepieces lets no key manage MCP servers."""
    return alice.links(userToken=server.user_token(), projectId=server.project_id)


def base_url(server: ActivepiecesServer) -> str:
    """Without nginx in front of it, a 0.78 server has no /api."""
    return server.url if server.state.version == "0.85" else f"{server.url}/v1"


def is_new(server: ActivepiecesServer) -> bool:
    return server.state.version == "0.85"


def true_token(server: ActivepiecesServer) -> str:
    """The token as Activepieces has it."""
    (row,) = [row for row in server.state.store.all("mcp_server") if row.get("projectId")]
    return str(row["token"])


def test_the_server_is_shown_and_its_token_masked(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    answer = alice.gets(f"/mcp/{integration}")

    shown = answer_of(answer)
    assert shown["projectId"] == server.project_id
    assert shown["dialect"] == ("0.85" if is_new(server) else "0.78")
    assert (shown["disabledTools"] is not None) == is_new(server)
    assert (shown["enabled"] is None) == is_new(server)
    assert shown["token"] == f"…{true_token(server)[-4:]}"
    assert true_token(server) not in answer.text


def test_each_kind_is_changed_in_its_own_words(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    there = f"/mcp/{integration}"
    tools, switch = {"disabledTools": ["ap_list_flows"]}, {"enabled": False}
    right, wrong = (tools, switch) if is_new(server) else (switch, tools)

    changed = answer_of(alice.patches(there, right))
    refused = alice.patches(there, wrong)

    assert {name: changed[name] for name in right} == right
    problem(refused, 409, "Not possible")
    assert answer_of(alice.gets(there)) == changed | {
        "updated": answer_of(alice.gets(there))["updated"]
    }


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
def test_a_change_that_does_not_fit_is_refused(
    alice: ApiUser, integration: str, server: ActivepiecesServer, body: dict[str, Any]
) -> None:
    calls = len(server.calls)

    told = problem(alice.patches(f"/mcp/{integration}", body), 422, "Invalid input")

    assert list(told["fields"]) == ["disabledTools"]
    assert len(server.calls) == calls


def test_a_new_token_is_masked_unless_the_host_allows_it(
    app: Flask, alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    alice.gets(f"/mcp/{integration}")
    before = true_token(server)

    answer = alice.posts(f"/mcp/{integration}/rotate")

    assert true_token(server) != before
    assert answer_of(answer)["token"] == f"…{true_token(server)[-4:]}"
    assert rows_of(app, "audit_events")[-1]["name"] == "mcp.token_rotated"


def test_a_generous_host_shows_a_new_token_once(
    make_app: MakeApp, server: ActivepiecesServer
) -> None:
    app = make_app(ACTIVEPIECES_BASE_URL=base_url(server), host=Generous())
    alice = ApiUser.named(app, "alice")
    own = {"userToken": server.user_token(), "projectId": server.project_id}
    there = f"/mcp/{alice.links(**own)}"

    rotated = answer_of(alice.posts(f"{there}/rotate"))
    later = answer_of(alice.gets(there))

    assert rotated["token"] == true_token(server)
    assert later["token"] == f"…{true_token(server)[-4:]}"


def test_a_key_alone_manages_no_mcp_server(alice: ApiUser, server: ActivepiecesServer) -> None:
    integration = alice.links(apiKey=server.api_key, projectId=server.project_id)
    calls = len(server.calls)

    told = problem(alice.gets(f"/mcp/{integration}"), 409, "Not possible with this credential")

    assert "user token" in told["detail"]
    assert len(server.calls) == calls
