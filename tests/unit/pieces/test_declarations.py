"""What an app writes becomes frozen declarations, with texts from names and docstrings."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import Schema, fields

from flask_activepieces.pieces.declarations import Account, Action, Options, Trigger
from flask_activepieces.pieces.declaring.decorators import Declarations
from tests.support.every_kind import discard


class Task(Schema):
    title = fields.String(required=True)
    salary = fields.Integer(metadata={"scope": "salaries:read"}, data_key="pay")


@pytest.fixture
def declarations() -> Declarations:
    return Declarations(discard)


def only(declarations: Declarations) -> Any:
    """The only declaration."""
    (declared,) = declarations
    return declared


def test_an_action_has_the_texts_of_its_function(declarations: Declarations) -> None:
    @declarations.action("create_task", scope="tasks:write")
    def create_task(data: Any) -> None:
        """Adds a task
        to the list.

        Not part of the description.
        """

    action = only(declarations)
    assert isinstance(action, Action)
    assert (action.title, action.description) == ("Create task", "Adds a task to the list.")


def test_given_texts_win_over_those_of_the_function(declarations: Declarations) -> None:
    @declarations.action("create_task", scope="tasks:write", title="Add a task", description="To a list")
    def create_task(data: Any) -> None:
        """Adds a task."""

    assert (only(declarations).title, only(declarations).description) == ("Add a task", "To a list")


def test_a_declared_function_stays_as_it_is(declarations: Declarations) -> None:
    def create_task(data: Any) -> str:
        return f"created {data}"

    assert declarations.action("create_task", scope="tasks:write")(create_task) is create_task
    assert declarations.options("tasks", scope="tasks:read")(create_task) is create_task
    assert declarations.account(create_task) is create_task


def test_a_schema_may_be_a_class_or_an_instance(declarations: Declarations) -> None:
    declarations.action("one", scope="tasks:write", input=Task)(lambda data: None)
    declarations.action("two", scope="tasks:write", input=Task(only=["title"]))(lambda data: None)

    of_class, of_instance = (each.input for each in declarations if isinstance(each, Action))
    assert list(of_class.fields if of_class else ()) == ["title", "salary"]
    assert list(of_instance.fields if of_instance else ()) == ["title"]


@pytest.mark.parametrize("given", [dict, {"title": "str"}, "Task"])
def test_what_is_no_schema_is_refused_at_once(declarations: Declarations, given: Any) -> None:
    with pytest.raises(TypeError, match="a marshmallow schema is needed, not"):
        declarations.action("create_task", scope="tasks:write", input=given)(lambda data: None)


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [("tasks:read", {"tasks:read"}), (["a", "b"], {"a", "b"}), ((), set())],
    ids=["one", "several", "none"],
)
def test_a_scope_may_be_one_or_several(declarations: Declarations, scope: Any, scopes: set[str]) -> None:
    declarations.action("create_task", scope=scope)(lambda data: None)

    assert only(declarations).scopes == scopes


def test_options_keep_what_loads_them_again(declarations: Declarations) -> None:
    @declarations.options("projects", scope="tasks:read", refreshers=["workspace"], search=True)
    def projects(inputs: Any, search: Any) -> list[tuple[str, str]]:
        return []

    options = only(declarations)
    assert isinstance(options, Options)
    assert (options.refreshers, options.search) == (("workspace",), True)


def test_declarations_keep_their_order(declarations: Declarations) -> None:
    declarations.action("second", scope="a")(lambda data: None)
    declarations.on("blueprint").action("third", scope="a")(lambda data: None)
    declarations.account(lambda token: {})

    assert [type(each) for each in declarations] == [Action, Account, Action]


def test_declarations_on_a_blueprint_name_it(declarations: Declarations) -> None:
    blueprint = object()
    tasks = declarations.on(blueprint)

    tasks.action("create_task", scope="a")(lambda data: None)
    tasks.options("projects", scope="a")(lambda inputs, search: [])
    tasks.trigger("task_done", scope="a", payload=Task, samples=list)
    tasks.account(lambda token: {})

    assert [each.blueprint for each in declarations] == [blueprint] * 4


# --- Events -----------------------------------------------------------------------------------------


def emitting() -> tuple[Declarations, list[dict[str, Any]]]:
    """Declarations, and what their triggers emit."""
    stored: list[dict[str, Any]] = []

    def store(trigger: Trigger, payloads: Any, **recipients: Any) -> None:
        stored.append({"trigger": trigger.name, "payloads": payloads, **recipients})

    return Declarations(store), stored


def test_a_trigger_emits_one_event_for_the_tenant() -> None:
    declarations, stored = emitting()
    task_done = declarations.trigger("task_done", scope="tasks:read", payload=Task, samples=list)

    task_done.emit({"title": "Rest"}, tenant_id="acme", user_id="7")

    assert stored == [
        {
            "trigger": "task_done",
            "payloads": [{"title": "Rest"}],
            "tenant_id": "acme",
            "organization_id": None,
            "user_id": "7",
        }
    ]


def test_several_events_are_stored_together() -> None:
    declarations, stored = emitting()
    task_done = declarations.on(object()).trigger("task_done", scope="tasks:read", payload=Task, samples=list)

    task_done.emit_many((f"task {number}" for number in range(3)), tenant_id="acme", organization_id="labs")

    assert [(each["payloads"], each["organization_id"]) for each in stored] == [
        (["task 0", "task 1", "task 2"], "labs")
    ]


def test_an_event_needs_a_tenant() -> None:
    declarations, _ = emitting()
    task_done = declarations.trigger("task_done", scope="tasks:read", payload=Task, samples=list)

    with pytest.raises(TypeError, match="tenant_id"):
        task_done.emit({})  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("scopes", "visible"),
    [([], {"title": "Rest"}), (["tasks:read"], {"title": "Rest"}), (["salaries:read"], {"title": "Rest", "pay": 5})],
)
def test_a_subscriber_sees_the_fields_that_its_scopes_allow(
    declarations: Declarations, scopes: list[str], visible: dict[str, Any]
) -> None:
    task_done = declarations.trigger("task_done", scope="tasks:read", payload=Task, samples=list)

    assert task_done.visible_payload({"title": "Rest", "pay": 5}, scopes) == visible
