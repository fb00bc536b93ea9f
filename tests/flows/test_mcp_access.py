"""Who may call which tool: the challenge for a token, step-up for a scope, limits, and the record of calls."""

from __future__ import annotations

import json
import re
import secrets
from itertools import chain, combinations
from typing import Any

import pytest
from flask import Flask, Response, abort, request
from flask_limiter import Limiter
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces, check_scopes, current_token, require_scope, signals
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.agents import LEGACY, REVISIONS, McpAgent, error_of, result_of, text_of, tokens_for_agent
from tests.support.clock import StoppedClock
from tests.support.hosts import SCOPES
from tests.support.pieces import PREFIX, Effects, Flow, create_token, make_piece_app
from tests.support.requirements import require
from tests.support.storage import rows_of

METADATA = "http://localhost/.well-known/oauth-protected-resource/mcp"
CALL = {"name": "create_task", "arguments": {"title": "x"}}


class KindSchema(Schema):
    kind = fields.String(required=True)


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture(scope="module")
def closed_app(make_shared_app: MakeApp) -> Flask:
    """An app without tokens."""
    return make_piece_app(make_shared_app)[0]


@pytest.fixture
def agent(app: Flask, bob: Person) -> McpAgent:
    return McpAgent(app, create_token(bob))


def challenge_of(answer: Any) -> dict[str, str]:
    """The parameters of ``WWW-Authenticate`` (RFC 6750 §3)."""
    scheme, _, parameters = answer.headers["WWW-Authenticate"].partition(" ")
    assert scheme == "Bearer" and 'realm="mcp"' in parameters
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters))


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("method", ["initialize", "server/discover", "tools/list", "tools/call", "ping", "unknown"])
def test_without_a_token_the_answer_says_where_to_get_one(closed_app: Flask, revision: str, method: str) -> None:
    answer = McpAgent(closed_app, None, revision).sends(method, dict(CALL))

    assert answer.status_code == 401
    challenge = challenge_of(answer)
    assert challenge["resource_metadata"] == METADATA
    assert challenge["scope"] == "tasks:read tasks:write", "all that the tools and samples need"
    assert "error" not in challenge, "RFC 6750 §3.1"


def test_the_metadata_leads_to_the_authorization_server(app: Flask) -> None:
    found = app.test_client().get(METADATA).get_json()

    assert found["resource"] == "http://localhost/mcp"
    assert found["authorization_servers"] == ["http://localhost"]


@pytest.mark.parametrize("token", ["x", "apat_unknown", "a.b.c", "é"])
def test_a_wrong_token_is_refused(closed_app: Flask, token: str) -> None:
    answer = McpAgent(closed_app, token).sends("tools/list")

    assert answer.status_code == 401
    assert challenge_of(answer)["error"] == "invalid_token"
    assert challenge_of(answer)["scope"] == "tasks:read tasks:write"


def test_a_token_for_the_api_is_refused_and_the_reverse(app: Flask, bob: Person) -> None:
    """RFC 8707, RFC 9068 §4: each token is for one resource of the app."""
    program = Program.registered(app)
    for_api, for_agents = program.connects(bob)["access_token"], tokens_for_agent(program, bob)["access_token"]

    answer = McpAgent(app, for_api).sends("tools/list")

    assert answer.status_code == 401
    assert challenge_of(answer)["error"] == "invalid_token"
    assert challenge_of(answer)["error_description"] == "The access token is not for http://localhost/mcp."
    assert program.calls(for_agents).status_code == 401
    assert McpAgent(app, for_agents).tools() and program.calls(for_api).status_code == 200


@pytest.mark.parametrize("authorization", ["Basic eDp5", "Bearer", "Bearer ", "apat_x", ""])
def test_other_ways_to_authenticate_are_no_token(agent: McpAgent, authorization: str) -> None:
    assert agent.sends("tools/list", Authorization=authorization).status_code == 401


def test_a_revoked_token_ends_at_once(app: Flask, bob: Person) -> None:
    program = Program.registered(app)
    tokens = tokens_for_agent(program, bob)
    agent = McpAgent(app, tokens["access_token"])
    assert agent.tools()

    program.revokes(tokens["refresh_token"])

    assert agent.sends("tools/list").status_code == 401


# --- Scopes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_tool_beyond_the_scopes_asks_for_all_that_it_needs(
    app: Flask, bob: Person, effects: Effects, revision: str
) -> None:
    answer = McpAgent(app, create_token(bob, scope="profile:read tasks:read"), revision).sends(
        "tools/call", dict(CALL)
    )

    assert answer.status_code == 403
    challenge = challenge_of(answer)
    assert challenge["error"] == "insufficient_scope"
    assert challenge["resource_metadata"] == METADATA
    # With those that the token has: some clients ask for exactly these, and would lose the others.
    assert challenge["scope"] == "profile:read tasks:read tasks:write"
    assert effects.created == []


def test_a_sample_beyond_the_scopes_asks_for_them_too(app: Flask, bob: Person) -> None:
    agent = McpAgent(app, create_token(bob, scope="profile:read"))

    answer = agent.sends("resources/read", {"uri": "trigger://task_gone/samples"})

    assert (answer.status_code, challenge_of(answer)["scope"]) == (403, "profile:read tasks:write")


def test_a_batch_beyond_the_scopes_runs_nothing(app: Flask, bob: Person, effects: Effects) -> None:
    agent = McpAgent(app, create_token(bob, scope="profile:read tasks:write"), LEGACY[0])
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CALL}]
    calls += [{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "export"}}]

    answer = agent.posts(calls)

    assert (answer.status_code, challenge_of(answer)["scope"]) == (403, "profile:read tasks:read tasks:write")
    assert effects.created == []


@pytest.fixture
def checking(make_app: MakeApp) -> Flask:
    """An app whose view, function and trigger learn only from the request which scopes they need."""

    def declare(activepieces: Activepieces) -> None:
        @activepieces.action("export_view", input=KindSchema)
        @require_scope("tasks:read")
        def export_view() -> Any:
            """Exports."""
            if request.args["kind"] == "all":
                check_scopes({"tasks:read", "tasks:write"})
            return {"kind": request.args["kind"], "user": current_token.user_id}

        @activepieces.action("export_function", input=KindSchema, scope="tasks:read")
        def export_function(data: dict[str, Any]) -> Any:
            """Exports."""
            if data["kind"] == "all":
                check_scopes({"tasks:read", "tasks:write"})
            return {"kind": data["kind"], "user": current_token.user_id}

        @activepieces.action("forward", input=KindSchema, scope="tasks:read")
        def forward(data: dict[str, Any]) -> Any:
            """Passes on what another API answers."""
            challenge = 'Bearer error="insufficient_scope", scope="mail:send"'
            abort(
                Response(json.dumps({"detail": "Not you."}), 403, {"WWW-Authenticate": challenge}, "application/json")
            )

        def newest(data: dict[str, Any]) -> Any:
            if data.get("kind") == "all":
                check_scopes("tasks:write")
            return [{"kind": "one"}]

        activepieces.trigger(
            "exported",
            scope="tasks:read",
            input=KindSchema(partial=True),
            payload=KindSchema,
            samples=newest,
            description="Starts when something is exported.",
        )
        views.append(export_view)

    views: list[Any] = []
    app = make_piece_app(make_app, declare=declare)[0]
    app.add_url_rule("/api/export", view_func=views[0])
    return app


def reader(app: Flask, revision: str) -> McpAgent:
    """An agent that may only read."""
    return McpAgent(app, create_token(Person(app, "bob"), scope="profile:read tasks:read"), revision)


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("tool", ["export_view", "export_function"])
def test_an_action_that_checks_more_scopes_asks_for_them_too(checking: Flask, tool: str, revision: str) -> None:
    agent = reader(checking, revision)

    answer = agent.sends("tools/call", {"name": tool, "arguments": {"kind": "all"}})

    assert answer.status_code == 403
    challenge = challenge_of(answer)
    assert challenge["error"] == "insufficient_scope"
    assert challenge["resource_metadata"] == METADATA
    assert challenge["scope"] == "profile:read tasks:read tasks:write"
    assert records(checking) == [("bob", tool, "denied", 1)]
    assert agent.calls(tool, kind="mine")["structuredContent"] == {"kind": "mine", "user": "bob"}


@pytest.mark.parametrize("tool", ["export_view", "export_function"])
def test_an_action_of_an_oauth_client_checks_its_scopes(checking: Flask, tool: str) -> None:
    tokens = tokens_for_agent(Program.registered(checking), Person(checking, "bob"))

    result = McpAgent(checking, tokens["access_token"]).calls(tool, kind="all")

    assert result["structuredContent"] == {"kind": "all", "user": "bob"}


def test_samples_that_check_more_scopes_ask_for_them_too(checking: Flask) -> None:
    answer = reader(checking, REVISIONS[-1]).sends("resources/read", {"uri": "trigger://exported/samples?kind=all"})

    assert (answer.status_code, challenge_of(answer)["scope"]) == (403, "profile:read tasks:read tasks:write")


def test_in_a_batch_the_call_that_lacks_a_scope_names_all_that_it_needs(checking: Flask) -> None:
    calls = [
        {"jsonrpc": "2.0", "id": kind, "method": "tools/call", "params": {"name": tool, "arguments": {"kind": kind}}}
        for tool, kind in (("export_view", "mine"), ("export_view", "all"))
    ]

    done, denied = reader(checking, LEGACY[0]).posts(calls).get_json()

    assert done["result"]["structuredContent"]["kind"] == "mine"
    assert denied["id"] == "all"
    assert denied["error"]["message"] == (
        "The access token lacks a scope. It needs: profile:read, tasks:read, tasks:write."
    )


def test_scopes_of_another_api_are_not_asked_for(checking: Flask) -> None:
    result = reader(checking, REVISIONS[-1]).calls("forward", kind="all")

    assert (text_of(result), result["isError"]) == ("Not you.", True)


def scope_sets() -> list[str]:
    optional = [scope for scope in SCOPES if scope != "profile:read"]
    chosen = chain.from_iterable(combinations(optional, size) for size in range(len(optional) + 1))
    return [" ".join(["profile:read", *each]) for each in chosen]


TITLE = {"title": "x"}
#: What `make_piece_app` declares: the scopes that each tool needs, and arguments with which it succeeds.
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "add_receipt": ("tasks:write", {"note": "x"}),
    "count_tasks": ("tasks:read", {}),
    "create_task": ("tasks:write", TITLE),
    "download": ("tasks:read", {}),
    "export": ("tasks:read", {}),
    "fail": ("tasks:read", {"value": "nothing"}),
    "protected_view": ("tasks:read", TITLE),
    "rename_tasks": ("tasks:read tasks:write", {}),
    "set_title": ("tasks:write", TITLE),
}


#: The routes of the piece that accept an access token, and the one that gives one for a password.
PROTECTED = [
    ("GET", f"{PREFIX}/me"),
    ("POST", f"{PREFIX}/actions/<name>"),
    ("POST", f"{PREFIX}/options/<name>"),
    ("POST", f"{PREFIX}/subscriptions"),
    ("POST", f"{PREFIX}/subscriptions/<subscription_id>/renew"),
    ("DELETE", f"{PREFIX}/subscriptions/<subscription_id>"),
    ("GET", f"{PREFIX}/triggers/<name>/samples"),
    ("POST", f"{PREFIX}/triggers/<name>/poll"),
]
SIGN_IN = f"{PREFIX}/token"


def may_call(scope: str) -> set[str]:
    """The tools that a token with these scopes may call."""
    return {tool for tool, (needed, _) in TOOLS.items() if set(needed.split()) <= set(scope.split())}


@pytest.mark.parametrize("scope", scope_sets())
@pytest.mark.parametrize("kind", ["access token", "personal access token"])
def test_each_tool_is_shown_and_runs_with_its_scopes_only(app: Flask, bob: Person, kind: str, scope: str) -> None:
    program = Program.registered(app)
    is_personal = kind == "personal access token"
    everything = create_token(bob) if is_personal else tokens_for_agent(program, bob)["access_token"]
    token = create_token(bob, scope=scope) if is_personal else scoped_token(program, bob, scope)
    agent = McpAgent(app, token)

    assert set(McpAgent(app, everything).tools()) == set(TOOLS)
    assert set(agent.tools()) == may_call(scope)
    for tool, (needed, arguments) in TOOLS.items():
        answer = agent.sends("tools/call", {"name": tool, "arguments": arguments})
        if tool in may_call(scope):
            assert result_of(answer)["isError"] is False, tool
        else:
            assert answer.status_code == 403, tool
            assert set(needed.split()) <= set(challenge_of(answer)["scope"].split())


@pytest.mark.parametrize("scope", scope_sets())
def test_a_token_for_the_endpoint_opens_no_route_of_the_app(app: Flask, bob: Person, scope: str) -> None:
    """Not even for what it may do as a tool."""
    program = Program.registered(app)
    for_agents = scoped_token(program, bob, scope)

    paths = {path for _, path in PROTECTED}
    assert {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"{PREFIX}/")} == paths | {SIGN_IN}
    names = {"actions": sorted(set(TOOLS) - {"protected_view"}), "options": ["projects", "form"]}
    names["triggers"] = ["task_done", "task_gone"]
    routes = [
        (method, path.replace("<name>", name).replace("<subscription_id>", "1"))
        for method, path in [*PROTECTED, ("GET", "/api/whoami"), ("POST", "/api/tasks"), ("POST", "/api/view")]
        for name in names.get(path.removeprefix(f"{PREFIX}/").partition("/")[0], [""])
    ]
    answers = [program.calls(for_agents, path, method) for method, path in routes]

    assert {answer.status_code for answer in answers} == {401}
    assert {challenge["realm"] for challenge in map(api_challenge_of, answers)} == {"api"}
    assert {challenge["error"] for challenge in map(api_challenge_of, answers)} == {"invalid_token"}


@pytest.mark.parametrize("scope", scope_sets())
def test_a_token_for_the_api_calls_no_tool(app: Flask, bob: Person, effects: Effects, scope: str) -> None:
    """Not even what it may do as an action."""
    program = Program.registered(app)
    for_api = answer_of(program.redeems(bob.allows(program.question(scope=scope))))["access_token"]
    agent, flow = McpAgent(app, for_api), Flow(app, for_api)

    for tool, (_, arguments) in TOOLS.items():
        assert agent.sends("tools/call", {"name": tool, "arguments": arguments}).status_code == 401, tool
    assert effects.created == []
    for tool in set(TOOLS) - {"protected_view"}:
        assert flow.runs(tool, TOOLS[tool][1]).status_code == (200 if tool in may_call(scope) else 403), tool


def scoped_token(program: Program, person: Person, scope: str) -> str:
    """An access token for the endpoint."""
    return str(tokens_for_agent(program, person, scope=scope)["access_token"])


def api_challenge_of(answer: TestResponse) -> dict[str, str]:
    """The parameters of ``WWW-Authenticate`` of the API."""
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["WWW-Authenticate"]))


def test_the_user_and_the_tenant_are_those_of_the_token(app: Flask, bob: Person, carol: Person) -> None:
    notes = [
        McpAgent(app, create_token(person)).calls("create_task", title="x")["structuredContent"]["secret_note"]
        for person in (bob, carol)
    ]

    assert notes == ["acme", "globex"]


def test_the_samples_are_those_of_the_tenant(app: Flask, bob: Person, carol: Person) -> None:
    read = [
        McpAgent(app, create_token(person)).asks("resources/read", {"uri": "trigger://task_done/samples"})
        for person in (bob, carol)
    ]

    texts = [each["contents"][0]["text"] for each in read]
    assert "acme 9" in texts[0] and "globex" not in texts[0]
    assert "globex 9" in texts[1] and "acme" not in texts[1]


# --- Limits ---------------------------------------------------------------------------------------


@pytest.fixture
def limited(make_app: MakeApp) -> Flask:
    return make_piece_app(make_app, ACTIVEPIECES_MCP_TOKEN_LIMIT=3, ACTIVEPIECES_MCP_TENANT_LIMIT=5)[0]


def test_a_token_has_a_limit_and_begins_anew_with_the_next_minute(limited: Flask, clock: StoppedClock) -> None:
    agent = McpAgent(limited, create_token(Person(limited, "bob")), LEGACY[2])
    clock.advance(-clock.now % 60 + 10)

    statuses = [agent.sends("ping").status_code for _ in range(4)]
    answer = agent.sends("ping")
    clock.advance(50)

    assert statuses == [200, 200, 200, 429]
    assert error_of(answer, 429)["message"] == "Too many calls. Try again in a minute."
    assert answer.headers["Retry-After"] == "50"
    assert agent.sends("ping").status_code == 200


def test_a_refreshed_token_does_not_begin_anew(limited: Flask) -> None:
    program = Program.registered(limited)
    tokens = tokens_for_agent(program, Person(limited, "bob"))
    agent = McpAgent(limited, tokens["access_token"])
    for _ in range(3):
        assert agent.sends("tools/list").status_code == 200

    agent.token = program.refreshes(tokens["refresh_token"]).get_json()["access_token"]

    assert agent.sends("tools/list").status_code == 429


def test_the_agents_of_a_tenant_share_a_limit(limited: Flask) -> None:
    agents = [McpAgent(limited, create_token(Person(limited, name))) for name in ("bob", "alice", "carol")]

    statuses = [[agent.sends("tools/list").status_code for _ in range(3)] for agent in agents]

    assert statuses == [[200, 200, 200], [200, 200, 429], [200, 200, 200]], "Carol is of another tenant"


def test_the_limit_is_kept_in_the_apps_flask_limiter(make_app: MakeApp) -> None:
    storage = f"memory://{secrets.token_hex(4)}"
    limiters: list[Limiter] = []

    def add_limiter(app: Flask) -> None:
        limiters.append(Limiter(lambda: "", app=app, storage_uri=storage))

    app = make_piece_app(make_app, first=add_limiter, ACTIVEPIECES_MCP_TOKEN_LIMIT=2)[0]
    agent = McpAgent(app, create_token(Person(app, "bob")))
    statuses = [agent.sends("tools/list").status_code for _ in range(3)]
    limiters[0].reset()

    assert statuses == [200, 200, 429]
    assert agent.sends("tools/list").status_code == 200, "counted in the limiter of the app, and nowhere else"


@pytest.mark.redis
def test_workers_with_redis_share_a_limit(make_app: MakeApp) -> None:
    options = {"ACTIVEPIECES_REDIS_URL": require("redis"), "ACTIVEPIECES_MCP_TOKEN_LIMIT": 3}
    app = make_piece_app(make_app, **options)[0]
    another_worker = make_piece_app(make_app, tables=False, **options)[0]
    agent = McpAgent(app, create_token(Person(app, "bob")))

    statuses = [agent.sends("tools/list").status_code for _ in range(2)]
    agent.app = another_worker
    statuses += [agent.sends("tools/list").status_code for _ in range(2)]

    assert statuses == [200, 200, 200, 429]


def test_each_request_of_a_batch_counts(limited: Flask, clock: StoppedClock) -> None:
    agent = McpAgent(limited, create_token(Person(limited, "bob")), LEGACY[0])
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    assert agent.posts([ping] * 4).status_code == 429


# --- The record of calls --------------------------------------------------------------------------


def records(app: Flask) -> list[tuple[Any, ...]]:
    return [(row["user_id"], row["tool"], row["outcome"], row["count"]) for row in rows_of(app, "tool_calls")]


def test_calls_are_recorded_and_counted_by_the_hour(app: Flask, agent: McpAgent, clock: StoppedClock) -> None:
    clock.advance(-clock.now % 3600)
    for _ in range(3):
        agent.calls("create_task", title="a secret title")
        clock.advance(60)
    agent.calls("create_task", titel="x")
    clock.advance(hours=1)
    agent.calls("create_task", title="x")

    assert sorted(records(app)) == [
        ("bob", "create_task", "rejected", 1),
        ("bob", "create_task", "succeeded", 1),
        ("bob", "create_task", "succeeded", 3),
    ]
    (row,) = [row for row in rows_of(app, "tool_calls") if row["count"] == 3]
    assert row["last_at"] - row["first_at"] == 120
    assert (row["tenant_id"], row["client_id"]) == ("acme", None)
    assert row["personal_token_id"]
    assert "secret title" not in str(rows_of(app, "tool_calls"))


def test_the_record_names_the_client(app: Flask, bob: Person, effects: Effects) -> None:
    program = Program.registered(app)
    effects.during = lambda: 1 / 0

    McpAgent(app, tokens_for_agent(program, bob)["access_token"]).calls("create_task", title="x")

    (row,) = rows_of(app, "tool_calls")
    assert (row["client_id"], row["outcome"]) == (program.client_id, "failed")


def test_a_call_beyond_the_scopes_is_recorded(app: Flask, bob: Person) -> None:
    McpAgent(app, create_token(bob, scope="profile:read")).sends("tools/call", dict(CALL))

    assert records(app) == [("bob", "create_task", "denied", 1)]


def test_names_that_are_no_tool_are_not_recorded(app: Flask, agent: McpAgent) -> None:
    error_of(agent.sends("tools/call", {"name": "unknown"}), 200)

    assert records(app) == []


def test_a_signal_reports_each_call(app: Flask, agent: McpAgent) -> None:
    reported: list[Any] = []

    def listen(sender: Flask, event: Any) -> None:
        reported.append(event)

    with signals.tool_called.connected_to(listen, app):
        agent.calls("create_task", title="x")
        agent.calls("create_task")

    assert [(each.user_id, each.tenant_id, dict(each.detail)) for each in reported] == [
        ("bob", "acme", {"tool": "create_task", "outcome": "succeeded"}),
        ("bob", "acme", {"tool": "create_task", "outcome": "rejected"}),
    ]
