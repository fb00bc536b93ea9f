"""The MCP endpoint speaks every revision by the book: handshake, discovery, lists, notifications, batches, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person
from tests.support.agents import LEGACY, META, MODERN, REVISIONS, McpAgent, error_of, result_of
from tests.support.pieces import create_token, make_piece_app

PING = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
TOOLS = {"jsonrpc": "2.0", "id": 8, "method": "tools/list"}
NOTIFICATION = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.fixture(scope="module")
def app(make_shared_app: MakeApp) -> Flask:
    return make_piece_app(make_shared_app, ACTIVEPIECES_MCP_TOKEN_LIMIT=10_000)[0]


@pytest.fixture(scope="module")
def token(app: Flask) -> str:
    return create_token(Person(app, "bob"))


@pytest.fixture(params=REVISIONS)
def agent(request: pytest.FixtureRequest, app: Flask, token: str) -> McpAgent:
    """An agent of each revision."""
    return McpAgent(app, token, request.param)


@pytest.fixture
def modern(app: Flask, token: str) -> McpAgent:
    return McpAgent(app, token)


@pytest.fixture
def oldest(app: Flask, token: str) -> McpAgent:
    return McpAgent(app, token, LEGACY[0])


# --- Handshake and discovery ----------------------------------------------------------------------


@pytest.mark.parametrize("revision", LEGACY)
def test_a_handshake_agrees_on_the_revision_and_names_the_app(app: Flask, token: str, revision: str) -> None:
    agent = McpAgent(app, token, revision)
    hello = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}

    result = result_of(agent.sends("initialize", hello, MCP_Protocol_Version=None))

    assert result["protocolVersion"] == revision
    assert result["capabilities"] == {"tools": {}, "resources": {}}
    assert result["serverInfo"]["name"] == "@acme/piece-tasks"
    assert result["serverInfo"]["title"] == "Tasks"
    assert result["serverInfo"]["version"] and result["serverInfo"]["icons"][0]["src"].startswith("data:image/")
    assert agent.posts(NOTIFICATION).status_code == 202


def test_discovery_names_the_revisions_and_the_app(modern: McpAgent) -> None:
    result = modern.asks("server/discover")

    assert result["supportedVersions"] == [MODERN, *reversed(LEGACY)]
    assert result["capabilities"] == {"tools": {}, "resources": {}}
    assert (result["resultType"], result["cacheScope"]) == ("complete", "public")
    assert result["ttlMs"] > 0
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "@acme/piece-tasks"


def test_the_version_of_the_app_is_shown(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app, VERSION="7.1")
    agent = McpAgent(app, create_token(Person(app, "bob")), LEGACY[2])

    assert agent.asks("initialize", {"protocolVersion": LEGACY[2]})["serverInfo"]["version"] == "7.1"


def test_no_session_is_made_and_none_is_needed(oldest: McpAgent) -> None:
    answer = oldest.sends("tools/list", Mcp_Session_Id="unknown", Last_Event_ID="5")

    assert "tools" in result_of(answer)
    assert "Mcp-Session-Id" not in answer.headers


# --- Requests -------------------------------------------------------------------------------------


def test_each_revision_lists_and_calls_tools(agent: McpAgent) -> None:
    assert "create_task" in agent.tools()
    assert agent.calls("create_task", title="Feed the cat")["structuredContent"]["title"] == "Feed the cat"


def test_only_the_newest_revision_marks_its_results(agent: McpAgent) -> None:
    results = [agent.asks("tools/list"), agent.asks("resources/list"), agent.asks("resources/templates/list")]
    results += [agent.asks("resources/read", {"uri": "trigger://task_done/samples"})]

    for result in results:
        assert ({"resultType", "ttlMs", "cacheScope"} <= set(result)) is (agent.revision == MODERN)
        assert ("_meta" in result) is (agent.revision == MODERN)
        assert result.get("cacheScope", "private") == "private"


def test_ping_is_a_method_of_the_older_revisions(agent: McpAgent) -> None:
    if agent.revision == MODERN:
        assert error_of(agent.sends("ping"), 404)["code"] == -32601
    else:
        assert agent.asks("ping") == {}


@pytest.mark.parametrize("method", ["prompts/list", "logging/setLevel", "resources/subscribe", "tasks/get", "", "x"])
def test_an_unknown_method_is_an_error(agent: McpAgent, method: str) -> None:
    error = error_of(agent.sends(method), 404 if agent.revision == MODERN else 200)

    assert error["code"] == -32601


@pytest.mark.parametrize("method", ["server/discover", "subscriptions/listen"])
def test_methods_of_the_newest_revision_are_unknown_to_the_older(oldest: McpAgent, method: str) -> None:
    assert error_of(oldest.sends(method), 200)["code"] == -32601


@pytest.mark.parametrize("method", ["initialize", "ping", "resources/unsubscribe", "subscriptions/listen"])
def test_what_the_newest_revision_does_not_have_is_not_found(modern: McpAgent, method: str) -> None:
    answer = modern.sends(method)

    assert error_of(answer, 404)["code"] == -32601
    assert answer.get_json()["id"] == 7


def test_extra_parameters_are_ignored(modern: McpAgent) -> None:
    extra = {"_meta": {**META, "progressToken": 1, "traceparent": "x"}, "inputResponses": {}, "requestState": "x"}

    assert modern.asks("tools/call", {"name": "count_tasks", "arguments": {}, **extra})["isError"] is False


# --- Notifications and batches --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "notifications/unknown"])
def test_notifications_are_accepted(agent: McpAgent, method: str) -> None:
    answer = agent.posts({"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}})

    assert (answer.status_code, answer.data) == (202, b"")


@pytest.mark.parametrize("revision", LEGACY)
def test_an_answer_of_an_older_client_is_accepted(app: Flask, token: str, revision: str) -> None:
    answer = McpAgent(app, token, revision).posts({"jsonrpc": "2.0", "id": 1, "result": {}})

    assert (answer.status_code, answer.data) == (202, b"")


def test_a_newer_client_has_nothing_to_answer(modern: McpAgent) -> None:
    assert error_of(modern.posts({"jsonrpc": "2.0", "id": 1, "result": {}}), 400)["code"] == -32600


@pytest.mark.parametrize("header", [LEGACY[0], None])
def test_the_oldest_revision_has_batches(oldest: McpAgent, header: str | None) -> None:
    answer = oldest.posts([PING, NOTIFICATION, TOOLS], MCP_Protocol_Version=header)

    assert [each["id"] for each in answer.get_json()] == [7, 8]


def test_a_batch_of_notifications_has_no_answer(oldest: McpAgent) -> None:
    answer = oldest.posts([NOTIFICATION, NOTIFICATION])

    assert (answer.status_code, answer.data) == (202, b"")


def test_a_batch_reports_the_errors_of_each_request(oldest: McpAgent) -> None:
    unknown = {"jsonrpc": "2.0", "id": 9, "method": "unknown"}

    first, second = oldest.posts([PING, unknown]).get_json()

    assert first == {"jsonrpc": "2.0", "id": 7, "result": {}}
    assert (second["id"], second["error"]["code"]) == (9, -32601)


@pytest.mark.parametrize("revision", [*LEGACY[1:], MODERN])
def test_later_revisions_have_no_batches(app: Flask, token: str, revision: str) -> None:
    assert error_of(McpAgent(app, token, revision).posts([PING]), 400)["code"] == -32600


@pytest.mark.parametrize(
    "batch",
    [[], [PING] * 51, [PING, 5], [PING, {**PING, "id": None}], [{**PING, "method": "initialize"}], [[PING]]],
    ids=["empty", "too many", "number", "no id", "handshake", "nested"],
)
def test_a_wrong_batch_runs_nothing(oldest: McpAgent, batch: list[Any]) -> None:
    assert error_of(oldest.posts(batch), 400)["code"] == -32600


# --- Errors ---------------------------------------------------------------------------------------


def test_invalid_json_is_a_parse_error_without_an_id(agent: McpAgent) -> None:
    answer = agent.posts(b'{"jsonrpc": ')

    assert error_of(answer, 400)["code"] == -32700
    assert "id" not in answer.get_json()


def test_an_invalid_request_keeps_its_id(agent: McpAgent) -> None:
    answer = agent.posts({"jsonrpc": "1.0", "id": 3, "method": "ping"})

    assert error_of(answer, 400)["code"] == -32600
    assert answer.get_json()["id"] == 3


@pytest.mark.parametrize(
    "params", [{}, {"name": None}, {"name": 5}, {"name": "unknown"}, {"name": "count_tasks", "arguments": []}]
)
def test_a_call_of_no_tool_is_an_error_of_the_protocol(agent: McpAgent, params: dict[str, Any]) -> None:
    assert error_of(agent.sends("tools/call", params), 200)["code"] == -32602


@pytest.mark.parametrize("uri", [None, 5, "", "trigger://unknown/samples", "file:///etc/passwd"])
def test_an_unknown_resource_is_an_error(agent: McpAgent, uri: Any) -> None:
    error = error_of(agent.sends("resources/read", {"uri": uri}, Mcp_Name=str(uri)), 200)

    assert error["code"] == (-32602 if agent.revision == MODERN else -32002)
    assert error["data"] == {"uri": uri}


@pytest.mark.parametrize("cursor", ["", "x", "====", 5, "Y3JlYXRlX3Rhc2s=\n", {"a": 1}])
def test_a_cursor_that_is_none_is_an_error(agent: McpAgent, cursor: Any) -> None:
    assert error_of(agent.sends("tools/list", {"cursor": cursor}), 200)["code"] == -32602


@pytest.mark.parametrize("version", ["2024-11-05", "2099-01-01", "x"])
def test_an_unknown_revision_is_refused(modern: McpAgent, version: str) -> None:
    meta = {**META, "io.modelcontextprotocol/protocolVersion": version}

    error = error_of(modern.sends("tools/list", {"_meta": meta}, MCP_Protocol_Version=version), 400)

    assert error["code"] == -32022
    assert error["data"] == {"supported": [MODERN, *reversed(LEGACY)], "requested": version}


def test_a_header_that_contradicts_the_body_is_refused(modern: McpAgent) -> None:
    for headers in ({"MCP_Protocol_Version": LEGACY[0]}, {"Mcp_Method": "ping"}, {"Mcp_Method": None}):
        answer = modern.sends("tools/list", **headers)
        assert error_of(answer, 400)["code"] == -32020
        assert answer.get_json()["id"] == 7


# --- HTTP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
def test_there_is_no_stream_to_listen_to_and_no_session_to_end(modern: McpAgent, method: str) -> None:
    answer = modern.posts(b"", method=method, Content_Type=None)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    "accept", ["application/json, text/event-stream", "*/*", "application/*", None, "application/json"]
)
def test_the_answer_is_json(oldest: McpAgent, accept: str | None) -> None:
    answer = oldest.sends("ping", Accept=accept)

    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["text/event-stream", "text/event-stream, text/html", "text/*;q=0.5"])
def test_a_client_of_streams_gets_one_event(oldest: McpAgent, accept: str) -> None:
    answer = oldest.sends("ping", Accept=accept)

    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    event, data, *rest = answer.text.split("\n")
    assert (event, rest) == ("event: message", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {"jsonrpc": "2.0", "id": 7, "result": {}}


def test_a_client_that_reads_neither_is_refused(oldest: McpAgent) -> None:
    assert error_of(oldest.sends("ping", Accept="text/html"), 406)["code"] == -32600


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_only_json_is_read(oldest: McpAgent, content_type: str | None) -> None:
    assert error_of(oldest.sends("ping", Content_Type=content_type), 415)["code"] == -32600


def test_the_charset_of_json_may_be_said(oldest: McpAgent) -> None:
    assert oldest.sends("ping", Content_Type="application/json; charset=utf-8").status_code == 200


# --- On and off -----------------------------------------------------------------------------------


def test_an_app_without_actions_has_no_endpoint(make_app: MakeApp) -> None:
    app = make_app()

    assert McpAgent(app, create_token(Person(app, "bob"))).sends("tools/list").status_code == 404


def test_an_app_can_switch_it_on_before_the_first_action(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True)

    assert McpAgent(app, create_token(Person(app, "bob"))).tools() == []


def test_an_app_can_switch_it_off_and_have_its_own_route(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app, ACTIVEPIECES_MCP=False)
    app.add_url_rule("/mcp", "own", lambda: "own", methods=["GET", "POST"])

    assert McpAgent(app, None).posts(b"").text == "own"


def test_the_path_is_a_setting(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app, ACTIVEPIECES_MCP_PATH="/agents/mcp")
    agent = McpAgent(app, create_token(Person(app, "bob")), path="/agents/mcp")

    assert "create_task" in agent.tools()
    assert McpAgent(app, agent.token).posts(b"").status_code == 404


def test_two_routes_at_one_path_are_reported(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app, _ = make_piece_app(make_app)
    app.add_url_rule("/mcp", "own", lambda: "own", methods=["POST"])

    app.test_client().get("/")

    (message,) = [each for each in caplog.messages if "/mcp" in each]
    assert "the view own of the app" in message and "ACTIVEPIECES_MCP_PATH" in message
