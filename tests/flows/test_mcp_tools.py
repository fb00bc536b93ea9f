"""Calling the app's actions as tools: functions and views, files, errors as sentences, lists by scope."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask, abort, jsonify, make_response, redirect, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields

from flask_activepieces import Activepieces, InvalidInput, current_token, require_scope
from flask_activepieces.pieces.fields import File
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.agents import LEGACY, McpAgent, error_of, text_of, tokens_for_agent
from tests.support.pieces import Effects, create_token, make_piece_app


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture
def agent(app: Flask, bob: Person) -> McpAgent:
    return McpAgent(app, create_token(bob))


# --- Functions ------------------------------------------------------------------------------------


def test_a_function_gets_the_loaded_input_and_its_output_is_dumped(agent: McpAgent, effects: Effects) -> None:
    result = agent.calls("create_task", title="Buy milk", due="2027-01-31")

    assert result["structuredContent"] == {"title": "Buy milk", "due": "2027-01-31", "secret_note": "acme"}
    assert json.loads(text_of(result)) == result["structuredContent"]
    assert effects.created == ["Buy milk"]


def test_a_function_without_input_needs_no_arguments(agent: McpAgent) -> None:
    result = agent.asks("tools/call", {"name": "count_tasks"})

    assert (text_of(result), result["isError"]) == ("0", False)


def test_invalid_arguments_are_an_error_that_names_each(agent: McpAgent, effects: Effects) -> None:
    result = agent.calls("create_task", titel="x", due="soon")

    assert result["isError"] is True
    assert text_of(result) == "title: Missing data for required field. due: Not a valid date. titel: Unknown field."
    assert effects.created == []


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("invalid input", "This project is archived."),
        ("abort", "You have no tasks left."),
        ("validation", "title: Too short."),
    ],
)
def test_an_error_is_the_sentence_that_a_person_would_get(
    agent: McpAgent, effects: Effects, how: str, sentence: str
) -> None:
    def reject() -> None:
        from marshmallow import ValidationError

        from flask_activepieces import InvalidInput

        match how:
            case "invalid input":
                raise InvalidInput({"_schema": "This project is archived."})
            case "abort":
                abort(409, "You have no tasks left.")
            case "validation":
                raise ValidationError({"title": ["Too short."]})

    effects.during = reject

    result = agent.calls("create_task", title="x")

    assert (text_of(result), result["isError"]) == (sentence, True)


def test_an_exception_of_the_app_says_only_a_reference(
    agent: McpAgent, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a detail of the database at 10.0.0.1")

    effects.during = fail

    result = agent.calls("create_task", title="x")

    text = text_of(result)
    assert result["isError"] is True
    assert text.startswith("The app failed. Its log explains the cause: reference ")
    assert "10.0.0.1" not in text
    assert text.removesuffix(".").rpartition(" ")[2] in caplog.text


def test_files_are_given_as_base64_or_as_data_urls(agent: McpAgent) -> None:
    hello = base64.b64encode(b"hello").decode()
    lines = [{"label": "a", "scan": hello}, {"label": "b"}]

    result = agent.calls("add_receipt", receipt=f"data:text/plain;name=a%20b.txt;base64,{hello}", lines=lines)
    plain = agent.calls("add_receipt", receipt="data:,hello%20you")

    assert json.loads(text_of(result)) == [["a b.txt", "hello"], ["file", "hello"], None]
    assert json.loads(text_of(plain)) == [["file", "hello you"]]


@pytest.mark.parametrize(
    "text", ["not base64!", "data:text/plain;base64", "data:text/plain;base64,???", "https://a.b/c"]
)
def test_a_text_that_is_no_file_is_rejected_and_nothing_is_fetched(
    agent: McpAgent, effects: Effects, text: str
) -> None:
    result = agent.calls("add_receipt", receipt=text)

    assert text_of(result) == "receipt: Send the content of the file as base64, or as a data URL."
    assert effects.created == []


def test_files_in_a_result_are_blocks_of_their_own(agent: McpAgent) -> None:
    blocks = agent.calls("export")["content"]

    assert blocks[1]["resource"] == {"uri": "file:///tasks.csv", "mimeType": "text/csv", "text": "title\n"}


def test_what_a_failed_call_of_a_batch_wrote_is_void(app: Flask, agent: McpAgent, effects: Effects) -> None:
    """The calls of a batch share a request, and must not share a broken transaction."""
    session = app.extensions["sqlalchemy"].session

    def write_and_fail() -> None:
        from sqlalchemy import text

        effects.during = lambda: None
        session.execute(text("CREATE TABLE leftover (id INTEGER)"))
        raise RuntimeError

    effects.during = write_and_fail
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "create_task", "arguments": {"title": "x"}}}

    first, second = McpAgent(app, agent.token, LEGACY[0]).posts([{**call, "id": 1}, {**call, "id": 2}]).get_json()

    assert (first["result"]["isError"], second["result"]["isError"]) == (True, False)


# --- Lists ----------------------------------------------------------------------------------------


def test_a_list_shows_what_the_scopes_allow_in_the_order_of_names(app: Flask, bob: Person) -> None:
    both = McpAgent(app, create_token(bob)).tools()
    reader = McpAgent(app, create_token(bob, scope="profile:read tasks:read")).tools()
    nothing = McpAgent(app, create_token(bob, scope="profile:read")).tools()

    assert both == sorted(both)
    assert set(reader) < set(both) and "create_task" not in reader and "export" in reader
    assert nothing == []


def test_what_is_for_people_only_is_not_a_tool(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        for audience in ("human", "ai", "both"):

            @activepieces.action(audience, scope="tasks:read", audience=audience, description="Does it.")
            def do_it() -> None: ...

    app = make_app(declare=declare)

    assert McpAgent(app, create_token(Person(app, "bob"))).tools() == ["ai", "both"]


def test_a_long_list_has_pages(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        for number in range(450):
            activepieces.action(f"tool_{number:03}", scope="tasks:read", description="Does it.")(lambda: None)

    app = make_app(declare=declare)
    agent = McpAgent(app, create_token(Person(app, "bob")))

    pages = [agent.asks("tools/list")]
    while "nextCursor" in pages[-1]:
        pages.append(agent.asks("tools/list", {"cursor": pages[-1]["nextCursor"]}))

    assert [len(page["tools"]) for page in pages] == [200, 200, 50]
    assert agent.tools() == [f"tool_{number:03}" for number in range(450)]


# --- Long errors ----------------------------------------------------------------------------------


def test_a_long_error_of_the_app_is_cut(make_app: MakeApp) -> None:
    def fails(data: dict[str, Any]) -> Any:
        match data["kind"]:
            case "abort":
                abort(409, "x" * 3_000_000)
            case "response":
                abort(make_response({"detail": "x" * 3_000_000}, 409))
        raise InvalidInput({f"field {number}": "x" * 1000 for number in range(3000)})

    def declare(activepieces: Activepieces) -> None:
        form = Schema.from_dict({"kind": fields.String(required=True)})
        activepieces.action("fail", scope="tasks:read", input=form, description="Fails.")(fails)
        activepieces.trigger(
            "failed", scope="tasks:read", input=form, payload=form, samples=fails, description="Starts on failure."
        )

    app = make_app(declare=declare)
    agent = McpAgent(app, create_token(Person(app, "bob")))

    for kind in ("abort", "response", "input"):
        tool = text_of(agent.calls("fail", kind=kind))
        samples = error_of(agent.sends("resources/read", {"uri": f"trigger://failed/samples?kind={kind}"}), 200)
        assert "xxx" in tool and len(tool) == 1000
        assert samples["message"] == tool


# --- Samples --------------------------------------------------------------------------------------


def test_samples_are_resources_as_far_as_the_scopes_allow(app: Flask, bob: Person) -> None:
    writer = McpAgent(app, create_token(bob))
    reader = McpAgent(app, create_token(bob, scope="profile:read tasks:read"))
    uri = "trigger://task_done/samples?limit=2"

    names = [[each["name"] for each in agent.asks("resources/list")["resources"]] for agent in (writer, reader)]
    (content,) = reader.asks("resources/read", {"uri": uri})["contents"]
    (whole,) = writer.asks("resources/read", {"uri": uri})["contents"]

    assert names == [["task_done", "task_gone"], ["task_done"]]
    assert (content["uri"], content["mimeType"]) == (uri, "application/json")
    assert json.loads(content["text"]) == [{"title": "acme 2"}, {"title": "acme 1"}]
    assert json.loads(whole["text"])[0] == {"title": "acme 2", "secret_note": "note"}


def test_a_sample_with_a_form_has_a_template(agent: McpAgent) -> None:
    (template,) = agent.asks("resources/templates/list")["resourceTemplates"]

    assert template["uriTemplate"] == "trigger://task_done/samples{?project,limit}"


def test_invalid_fields_of_a_sample_are_an_error(agent: McpAgent) -> None:
    error = error_of(agent.sends("resources/read", {"uri": "trigger://task_done/samples?limit=many"}), 200)

    assert (error["code"], error["message"]) == (-32602, "limit: Not a valid integer.")


def test_samples_too_long_for_an_agent_are_shortened_and_say_so(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        activepieces.trigger(
            "task_done",
            scope="tasks:read",
            payload=TaskSchema,
            samples=lambda: [{"title": "x" * 1_000_000}] * 5,
            description="Starts when a task is done.",
        )

    app = make_app(declare=declare, ACTIVEPIECES_MCP=True)
    agent = McpAgent(app, create_token(Person(app, "bob")))

    sample, note = agent.asks("resources/read", {"uri": "trigger://task_done/samples"})["contents"]

    assert len(sample["text"]) < 100_000
    assert [each["title"][:3] for each in json.loads(sample["text"])] == ["xxx"] * 5
    assert (note["mimeType"], sample["mimeType"]) == ("text/plain", "application/json")
    assert "is not complete" in note["text"]


# --- Views ----------------------------------------------------------------------------------------


class TaskForm(Schema):
    task_id = fields.Integer(required=True)
    title = fields.String()
    tags = fields.List(fields.String())
    done = fields.Boolean()


class UploadForm(Schema):
    note = fields.String()
    scan = File(required=True)


class TaskSchema(Schema):
    title = fields.String()


@pytest.fixture
def views(make_app: MakeApp) -> Flask:
    """An app whose actions are views of each kind."""

    def declare(activepieces: Activepieces) -> None:
        declared["activepieces"] = activepieces

    declared: dict[str, Activepieces] = {}
    app = make_app(declare=declare)
    activepieces = declared["activepieces"]

    @app.patch("/api/tasks/<int:task_id>")
    @activepieces.action("change_task", input=TaskForm, output=TaskSchema)
    @require_scope("tasks:write")
    def change_task(task_id: int) -> ResponseReturnValue:
        """Changes a task."""
        who = [current_token.user_id, current_token.tenant_id, request.remote_addr]
        return jsonify(title=json.dumps([task_id, request.get_json(), who]))

    @app.get("/api/search")
    @activepieces.action("search", input=TaskForm(exclude=["task_id"]), output=TaskSchema(many=True))
    @require_scope("tasks:read")
    def search() -> ResponseReturnValue:
        """Searches."""
        return jsonify([{"title": json.dumps(request.args.to_dict(flat=False))}])

    @app.post("/api/upload")
    @activepieces.action("upload", input=UploadForm)
    @require_scope("tasks:write")
    def upload() -> ResponseReturnValue:
        """Uploads."""
        file = request.files["scan"]
        return jsonify(json.loads(request.form["input"]) | {"name": file.filename, "content": file.read().decode()})

    @app.get("/api/answers/<kind>")
    @activepieces.action("answer", input=Schema.from_dict({"kind": fields.String(required=True)}))
    @require_scope("tasks:read")
    def answer(kind: str) -> ResponseReturnValue:
        """Answers."""
        answers: dict[str, Any] = {
            "text": ("plain", 200, {"Content-Type": "text/plain"}),
            "empty": ("", 204),
            "file": (
                b"%PDF",
                200,
                {"Content-Type": "application/pdf", "Content-Disposition": 'inline; filename="a.pdf"'},
            ),
            "redirect": redirect("/login"),
            "problem": (jsonify(detail="The project is full."), 409),
            "fields": (jsonify(errors={"title": ["Too long."]}), 422),
            "page": ("<h1>secret trace</h1>", 500),
        }
        if kind == "crash":
            raise RuntimeError("a detail")
        return make_response(answers[kind])

    return app


@pytest.fixture
def viewer(views: Flask) -> McpAgent:
    return McpAgent(views, create_token(Person(views, "bob")))


def test_a_view_is_called_at_its_route_for_the_user_of_the_token(viewer: McpAgent) -> None:
    result = viewer.calls("change_task", task_id=5, title="x", tags=["a"])

    task_id, body, who = json.loads(result["structuredContent"]["title"])
    assert (task_id, body) == (5, {"title": "x", "tags": ["a"]})
    assert who == ["bob", "acme", "127.0.0.1"]


def test_a_view_with_get_has_the_arguments_in_its_query(viewer: McpAgent) -> None:
    result = viewer.calls("search", title="a b&c", tags=["x", "y"], done=True)

    (item,) = result["structuredContent"]["items"]
    assert json.loads(item["title"]) == {"title": ["a b&c"], "tags": ["x", "y"], "done": ["true"]}


def test_a_view_gets_files_as_a_form(viewer: McpAgent) -> None:
    result = viewer.calls("upload", note="n", scan="data:text/plain;name=a.txt;base64,aGk=")

    assert result["structuredContent"] == {"note": "n", "name": "a.txt", "content": "hi"}


def test_arguments_are_checked_before_the_view_is_called(viewer: McpAgent) -> None:
    assert text_of(viewer.calls("change_task", task_id="five")) == "task_id: Not a valid integer."
    assert text_of(viewer.calls("change_task")) == "task_id: Missing data for required field."


@pytest.mark.parametrize(
    ("kind", "blocks"),
    [("text", [{"type": "text", "text": "plain"}]), ("empty", [{"type": "text", "text": "Done."}])],
)
def test_any_success_of_a_view_is_a_result(viewer: McpAgent, kind: str, blocks: list[dict[str, str]]) -> None:
    assert viewer.calls("answer", kind=kind)["content"] == blocks


def test_a_file_of_a_view_is_a_resource(viewer: McpAgent) -> None:
    resource = viewer.calls("answer", kind="file")["content"][1]["resource"]

    assert resource == {"uri": "file:///a.pdf", "mimeType": "application/pdf", "blob": "JVBERg=="}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("problem", "The project is full."),
        ("fields", "title: Too long."),
        ("redirect", "The app answered with status 302."),
        ("page", "The app answered with status 500."),
        ("crash", "The app answered with status 500."),
    ],
)
def test_an_error_of_a_view_is_its_sentence_and_no_more(viewer: McpAgent, kind: str, sentence: str) -> None:
    result = viewer.calls("answer", kind=kind)

    assert (text_of(result), result["isError"]) == (sentence, True)


@pytest.mark.parametrize("kind", ["..", ".", "a/b", "../tasks", "%2e%2e"])
def test_an_argument_in_a_path_leads_to_no_other_route(viewer: McpAgent, kind: str) -> None:
    assert viewer.calls("answer", kind=kind)["isError"] is True


def test_an_oauth_client_calls_views_too(views: Flask) -> None:
    bob = Person(views, "bob")
    agent = McpAgent(views, tokens_for_agent(Program.registered(views), bob)["access_token"])

    assert agent.calls("change_task", task_id=1)["isError"] is False


def test_a_view_under_a_prefix_is_found(views: Flask) -> None:
    """The app is mounted below a path by its server."""
    agent = McpAgent(views, create_token(Person(views, "bob")))
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "answer", "arguments": {"kind": "text"}},
    }

    answer = views.test_client(use_cookies=False).post(
        "/mcp", base_url="http://localhost/mounted", json=call, headers={"Authorization": f"Bearer {agent.token}"}
    )

    assert text_of(answer.get_json()["result"]) == "plain"
