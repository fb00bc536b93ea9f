"""Every problem of the declarations is found, with the rest, and names the thing and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import Schema, fields

from flask_activepieces.config.scopes import Scope
from flask_activepieces.pieces import auth
from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.pieces.declaring.checks import find_problems
from flask_activepieces.pieces.declaring.decorators import Declarations
from flask_activepieces.pieces.definition import ViewRoute, Views, counted, make_definition
from tests.support import every_kind
from tests.support.every_kind import discard

SCOPES = {name: Scope(name, name) for name in ("tasks:read", "tasks:write", "projects:read")}
PIECE = Piece(name="@acme/piece-acme", title="Acme")


def problems(
    *,
    piece: Piece = PIECE,
    declare: Callable[[Declarations], Any] = lambda declarations: None,
    views: Views | None = None,
    protected: Callable[..., bool] = lambda function: False,
    known_scopes: Mapping[str, Scope] = SCOPES,
) -> list[str]:
    """The problems of a piece with these declarations."""
    declarations = Declarations(discard)
    declare(declarations)
    declared = counted(declarations, [])
    definition = make_definition(piece, declared, views=views or {}, logo_url="")
    return find_problems(definition, declared, protected=protected, known_scopes=known_scopes)


def problems_of_field(field: fields.Field[Any], *, name: str = "field") -> list[str]:
    """The problems of an action whose form has this field."""
    return problems_of_form({name: field})


def problems_of_form(form: Mapping[str, fields.Field[Any]]) -> list[str]:
    """The problems of an action with this form."""
    return problems(declare=lambda each: action(each, input=Schema.from_dict(dict(form))))


def action(declarations: Declarations, name: str = "create_task", **options: Any) -> None:
    """Declare a valid action, apart from the options."""
    options = {"scope": "tasks:write", "description": "Adds a task", **options}
    declarations.action(name, **options)(_view)


def trigger(declarations: Declarations, name: str = "task_done", **options: Any) -> None:
    """Declare a valid trigger, apart from the options."""
    payload = Schema.from_dict({"id": fields.Integer()})
    options = {"scope": "tasks:read", "payload": payload, "description": "When a task is done", **options}
    declarations.trigger(name, samples=list, **options)


def _view(data: Any = None) -> None: ...


def test_a_piece_with_every_kind_has_no_problem() -> None:
    declarations = every_kind.declare()
    declared = counted(declarations, [])
    definition = make_definition(every_kind.PIECE, declared, views={}, logo_url="")

    assert find_problems(definition, declared, protected=lambda function: False, known_scopes=SCOPES) == []


def test_all_problems_are_found_together() -> None:
    def declare(declarations: Declarations) -> None:
        action(declarations, "Create task", description="")
        trigger(declarations, description="")

    found = problems(piece=replace(PIECE, title=" "), declare=declare)

    assert [problem.partition(":")[0] for problem in found] == [
        "the piece has no title",
        "action 'Create task'",
        "action 'Create task'",
        "trigger 'task_done'",
    ]


def test_a_translation_of_a_text_that_is_gone_is_reported() -> None:
    """It is easily forgotten when a title changes."""
    piece = replace(PIECE, translations={"de": {"Make task": "Aufgabe anlegen", "Create task": "Aufgabe anlegen"}})

    assert problems(piece=piece, declare=action) == [
        "translations: Activepieces translates no text 'Make task' of this piece (de);"
        " correct it to 'Create task', or remove it"
    ]


# --- The piece ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["piece-acme", "@acme/piece-acme", "@a-b.c_d/p1"])
def test_a_name_of_a_package_is_accepted(name: str) -> None:
    assert problems(piece=replace(PIECE, name=name)) == []


@pytest.mark.parametrize(
    "name", ["", "Acme", "@Acme/piece", "piece acme", "a/b", "@a/b/c", "piece..acme", "-piece", "é"]
)
def test_any_other_name_is_refused(name: str) -> None:
    assert problems(piece=replace(PIECE, name=name)) == [
        f"piece name {name!r}: use @scope/piece-name or piece-name, in lower case"
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": ""}, "the piece has no title: Piece(..., title=...)"),
        ({"authors": "ada"}, "authors of the piece: use a list, as in authors=['ada']"),
        ({"categories": "CORE"}, "categories of the piece: use a list, as in categories=['CORE']"),
        ({"categories": ["TASKS"]}, "categories of the piece: TASKS do not exist; use ACCOUNTING, "),
        ({"translations": {"xx": {}}}, "translations: Activepieces has no language 'xx'; use ar, de, "),
        ({"auth": []}, "auth of the piece is empty, so no one could connect: Piece(..., auth=[auth.OAuth2()])"),
        ({"auth": [auth.OAuth2(), auth.OAuth2()]}, "auth: two of the kind OAUTH2; Activepieces accepts one of each"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_problem_of_the_piece_names_the_remedy(changes: dict[str, Any], problem: str) -> None:
    (found,) = problems(piece=replace(PIECE, **changes))

    assert found.startswith(problem)


# --- Authentication -----------------------------------------------------------------------------------


def problem_of_auth(kind: auth.Auth, **options: Any) -> str:
    """The only problem of a piece with this kind."""
    (found,) = problems(piece=replace(PIECE, auth=[kind]), **options)
    return found


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"grant_type": "PASSWORD"}, "grant_type 'PASSWORD' does not exist; use 'AUTHORIZATION_CODE' or"),
        ({"authorization_method": "QUERY"}, "authorization_method 'QUERY' does not exist; use 'HEADER' or 'BODY'"),
        ({"prompt": "select"}, "prompt 'select' does not exist; use 'none' or 'consent' or 'login' or 'omit'"),
        ({"extra": {"state": "x"}}, "remove 'state' from extra, because Activepieces sends it itself"),
        ({"scopes": ["tasks:all"]}, "scope 'tasks:all' is unknown; add it to ACTIVEPIECES_SCOPES with a description"),
        (
            {"form": Schema.from_dict({"base_url": fields.Url()})},
            "remove base_url from the form, and use OAuth2(asks_for_address=True)",
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_problem_of_oauth2_names_the_remedy(options: dict[str, Any], problem: str) -> None:
    assert problem_of_auth(auth.OAuth2(**options)).startswith(f"auth OAUTH2: {problem}")


def test_scopes_of_oauth2_must_cover_the_actions() -> None:
    found = problem_of_auth(auth.OAuth2(scopes=["tasks:read"]), declare=action)

    assert found == ("auth OAUTH2: scopes lack tasks:write, which actions or triggers need; add them, or omit scopes")


@pytest.mark.parametrize(
    ("kind", "field"),
    [(auth.OAuth2, fields.Integer()), (auth.OAuth2, own.Note("Hi")), (auth.CustomAuth, fields.Dict())],
    ids=["number in OAuth2", "note in OAuth2", "object in CustomAuth"],
)
def test_a_field_that_an_authentication_cannot_have_is_named(kind: Any, field: fields.Field[Any]) -> None:
    declared = kind(form=Schema.from_dict({"extra": field}))

    assert problem_of_auth(declared).startswith(f"auth {declared.kind}, field extra: a field of the kind ")


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_token_of_custom_auth_must_expire(seconds: int) -> None:
    found = problem_of_auth(auth.CustomAuth(form=Schema.from_dict({"key": own.Secret()}), refresh=seconds))

    assert found == "auth CUSTOM_AUTH: refresh is the lifetime of a token in seconds, such as 3600"


# --- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Create", "create-task", "1st", "create task", "a" * 65])
def test_a_name_that_is_no_identifier_is_refused(name: str) -> None:
    assert problems(declare=lambda each: action(each, name)) == [
        f"action {name!r}: a name has lower-case letters, digits and _, and begins with a letter"
    ]


def test_two_actions_with_one_name_are_refused() -> None:
    def declare(declarations: Declarations) -> None:
        action(declarations)
        action(declarations)

    assert problems(declare=declare) == [
        "action 'create_task' is declared twice; remove one, or declare each with on(blueprint) for apps of its own"
    ]


def test_an_action_and_a_trigger_may_share_a_name() -> None:
    def declare(declarations: Declarations) -> None:
        action(declarations, "task")
        trigger(declarations, "task")

    assert problems(declare=declare) == []


def test_two_functions_for_the_account_are_refused() -> None:
    def declare(declarations: Declarations) -> None:
        declarations.account(lambda token: {})
        declarations.account(lambda token: {})

    (found,) = problems(declare=declare)
    assert found.startswith("the function for account is declared twice")


def test_the_name_of_the_custom_api_call_is_taken_only_if_the_piece_has_one() -> None:
    def declare(declarations: Declarations) -> None:
        action(declarations, "custom_api_call")

    assert problems(declare=declare) == []
    assert problems(piece=replace(PIECE, custom_api_call=True), declare=declare) == [
        "action 'custom_api_call': use another name, because this one is that of Piece(custom_api_call=True)"
    ]


# --- Actions and triggers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scope": ()}, "needs a scope, as in action('create_task', scope='tasks:write'), or @require_scope"),
        ({"description": ""}, "needs a description, or a docstring"),
    ],
)
def test_an_action_needs_a_scope_and_a_description(options: dict[str, Any], problem: str) -> None:
    assert problems(declare=lambda each: action(each, **options)) == [f"action 'create_task': {problem}"]


def test_an_audience_that_does_not_exist_is_refused() -> None:
    assert problems(declare=lambda each: action(each, audience="robots")) == [
        "action 'create_task': audience 'robots' does not exist; use 'human' or 'ai' or 'both'"
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scope": ()}, "needs a scope, as in trigger('task_done', scope='tasks:read')"),
        ({"description": ""}, "needs a description"),
        (
            {"matches": lambda payload, inputs: True},
            "matches= compares an event with the fields of input=, which is missing",
        ),
        (
            {"payload": Schema.from_dict({"at": fields.Raw(metadata={"example": object})})},
            "the metadata example of a field in payload= must be JSON (Object of type type is not JSON serializable)",
        ),
    ],
    ids=["scope", "description", "matches", "example"],
)
def test_a_problem_of_a_trigger_names_the_remedy(options: dict[str, Any], problem: str) -> None:
    assert problems(declare=lambda each: trigger(each, **options)) == [f"trigger 'task_done': {problem}"]


def test_every_unknown_scope_is_found_with_its_user() -> None:
    def declare(declarations: Declarations) -> None:
        action(declarations)
        person = Schema.from_dict({"pay": fields.Integer(metadata={"scope": "pay:read"})})
        trigger(declarations, payload=Schema.from_dict({"people": fields.List(fields.Nested(person))}))
        declarations.options("projects", scope="projects:read")(lambda inputs, search: [])

    assert problems(declare=declare, known_scopes={}) == [
        f"{what}: scope {scope!r} is unknown; add it to ACTIVEPIECES_SCOPES with a description"
        for what, scope in [
            ("action 'create_task'", "tasks:write"),
            ("trigger 'task_done'", "pay:read"),
            ("trigger 'task_done'", "tasks:read"),
            ("options 'projects'", "projects:read"),
        ]
    ]


# --- Forms --------------------------------------------------------------------------------------------


def test_every_field_without_a_form_is_named() -> None:
    found = problems_of_form({"one": fields.Constant(1), "two": fields.Tuple(()), "three": fields.String()})

    assert found == [
        "action 'create_task', field one: Constant has no form in Activepieces; see docs/piece-properties.md",
        "action 'create_task', field two: Tuple has no form in Activepieces; see docs/piece-properties.md",
    ]


def test_every_unsuitable_field_in_a_list_of_objects_is_named_once() -> None:
    row = Schema.from_dict({"object": fields.Dict(), "color": own.Color()})

    found = problems_of_field(fields.List(fields.Nested(row)), name="rows")

    assert [problem.partition(": a field")[0] for problem in found] == [
        "action 'create_task', field rows.object",
        "action 'create_task', field rows.color",
    ]


def test_the_name_of_the_connection_is_taken() -> None:
    """The engine passes the connection as `auth`, next to the fields of the form."""
    message = "action 'create_task', field auth: Activepieces uses this name for the connection; set another data_key"

    assert problems_of_field(fields.String(), name="auth") == [message]
    assert problems_of_field(fields.String(data_key="auth"), name="sign_in") == [message]
    assert problems_of_field(fields.String(data_key="sign_in"), name="auth") == []


def test_a_style_of_a_note_that_does_not_exist_is_refused() -> None:
    assert problems_of_field(own.Note("Hi", style="LOUD"), name="hint") == [  # type: ignore[arg-type]
        "action 'create_task', field hint: style 'LOUD' does not exist;"
        " use 'INFO' or 'WARNING' or 'TIP' or 'BORDERLESS'"
    ]


def test_the_field_with_the_format_must_exist() -> None:
    assert problems_of_field(own.RichText(format_field="format"), name="body") == [
        "action 'create_task', field body: the form has no field 'format' with the format"
    ]


@pytest.mark.parametrize(
    "field",
    [
        fields.String(metadata={"options": "project"}),
        fields.List(fields.String(metadata={"options": "project"})),
        own.Dynamic("project"),
    ],
    ids=["one", "several", "dynamic"],
)
def test_options_must_be_declared(field: fields.Field[Any]) -> None:
    assert problems_of_field(field) == [
        "action 'create_task', field field: there are no options 'project'; declare them with @….options('project')"
    ]


def test_options_in_a_list_of_objects_must_be_declared() -> None:
    row = Schema.from_dict({"members": fields.List(fields.String(metadata={"options": "members"}))})

    assert problems_of_field(fields.List(fields.Nested(row)), name="rows") == [
        "action 'create_task', field rows.members: there are no options 'members';"
        " declare them with @….options('members')"
    ]


@pytest.mark.parametrize("where", ["field", "options"])
def test_what_loads_options_again_must_be_in_the_form(where: str) -> None:
    refreshers = {"field": (["workspace"], []), "options": ([], ["workspace"])}[where]
    field = fields.String(metadata={"options": "projects", "refreshers": refreshers[0]})

    def declare(declarations: Declarations) -> None:
        declarations.options("projects", scope="projects:read", refreshers=refreshers[1])(lambda inputs, search: [])
        action(declarations, input=Schema.from_dict({"project": field}))
        trigger(declarations, input=Schema.from_dict({"project": field}))

    assert problems(declare=declare) == [
        "action 'create_task', field project: the form has no field 'workspace' to refresh by",
        "trigger 'task_done', field project: the form has no field 'workspace' to refresh by",
    ]


# --- Views --------------------------------------------------------------------------------------------


def route(
    method: str = "POST", path: str = "/tasks", *params: str, scopes: frozenset[str] | None = None
) -> ViewRoute:
    """A protected route, unless other scopes are given."""
    scopes = frozenset(["tasks:write"]) if scopes is None else scopes
    return ViewRoute(method=method, path=path, rule=path, path_params=params, scopes=scopes)


def test_a_protected_view_without_a_route_is_refused() -> None:
    assert problems(declare=action, protected=lambda function: True) == [
        "action 'create_task': its view has no route in this app; write @….action directly below the decorator of the"
        " route, and declare it with on(blueprint) if not every app has that blueprint"
    ]


def test_a_view_that_is_not_protected_is_refused() -> None:
    assert problems(declare=action, views={_view: [route(scopes=frozenset())]}) == [
        "action 'create_task': its view /tasks is not protected; write @require_scope(…) directly above the function"
    ]


def test_a_protected_view_needs_no_other_scope() -> None:
    assert problems(declare=lambda each: action(each, scope=()), views={_view: [route()]}) == []


def test_a_part_of_the_route_must_be_a_field() -> None:
    assert problems(declare=action, views={_view: [route("PUT", "/tasks/{task_id}", "task_id")]}) == [
        "action 'create_task': the input schema has no field 'task_id', which the route /tasks/{task_id} needs"
    ]


def test_a_part_of_the_route_must_be_required() -> None:
    form = Schema.from_dict({"task_id": fields.Integer()})

    found = problems(
        declare=lambda each: action(each, input=form), views={_view: [route("PUT", "/tasks/{task_id}", "task_id")]}
    )

    assert found == [
        "action 'create_task', field 'task_id': is a part of the route /tasks/{task_id}, so it must have"
        " required=True"
    ]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_file_needs_a_route_with_a_body(method: str) -> None:
    form = Schema.from_dict({"attachment": own.File()})

    found = problems(declare=lambda each: action(each, input=form), views={_view: [route(method)]})

    assert found == [
        f"action 'create_task', field 'attachment': {method} has no body for a file; use a route with POST or PUT"
    ]
