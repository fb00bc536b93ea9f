"""The piece of an app: its declarations meet the routes, blueprints and settings of the app."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields

from flask_activepieces import Activepieces, Piece, get_state, require_scope
from flask_activepieces.errors import DeclarationError
from flask_activepieces.pieces.definition import PieceDefinition
from tests.support import hosts
from tests.support.hosts import SmallHost

PIECE = Piece(name="@acme/piece-acme", title="Acme")
Make = Callable[..., Flask]


class TaskId(Schema):
    task_id = fields.Integer(required=True)


@pytest.fixture
def activepieces() -> Activepieces:
    return Activepieces(SmallHost(), piece=PIECE)


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes an app with the extension, and with these blueprints and settings."""
    made: list[Flask] = []

    def make(extension: Activepieces, *blueprints: Blueprint, **settings: Any) -> Flask:
        app = Flask(f"tests.app{len(made)}", root_path=str(Path(__file__).parent))
        app.config.update(
            SECRET_KEY=hosts.SECRET_KEY,
            SQLALCHEMY_DATABASE_URI="sqlite://",
            ACTIVEPIECES_SCOPES=hosts.SCOPES,
            ACTIVEPIECES_PUBLIC_URL="https://acme.example",
            **settings,
        )
        SQLAlchemy(app)
        extension.init_app(app)
        for blueprint in blueprints:
            app.register_blueprint(blueprint)
        made.append(app)
        return app

    yield make
    for app in made:
        hosts.dispose(app)


def definition_of(app: Flask) -> PieceDefinition:
    """The definition of the app's piece."""
    return get_state(app).piece.definition()


def problems_of(app: Flask) -> tuple[str, ...]:
    """The problems of the app's piece."""
    with pytest.raises(DeclarationError) as caught:
        definition_of(app)
    return caught.value.problems


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of the app."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


# --- Views that are actions -----------------------------------------------------------------------------


def test_a_protected_view_is_an_action_with_its_route_and_scopes(activepieces: Activepieces, make: Make) -> None:
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.post("/tasks")
    @activepieces.action("create_task")
    @require_scope("tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    definition = definition_of(make(activepieces, api))

    route = definition.routes["create_task"]
    assert (route.method, route.path, route.scopes) == ("POST", "/api/tasks", frozenset(["tasks:write"]))
    assert definition.scopes == ["tasks:write"]


@pytest.mark.parametrize("position", ["above", "below", "both"])
def test_other_decorators_may_stand_in_between(activepieces: Activepieces, make: Make, position: str) -> None:
    api = Blueprint("api", __name__)

    @require_scope("tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    view = create_task if position == "above" else logged(create_task)
    view = activepieces.action("create_task")(view)
    api.post("/tasks")(view if position == "below" else logged(view))

    definition = definition_of(make(activepieces, api))

    assert definition.routes["create_task"].path == "/tasks"
    assert definition.scopes == ["tasks:write"]


def test_the_variables_of_a_route_become_placeholders(activepieces: Activepieces, make: Make) -> None:
    api = Blueprint("api", __name__)

    @api.delete("/projects/<string(length=3):project>/tasks/<int:task_id>")
    @activepieces.action(
        "delete_task",
        input=Schema.from_dict({"project": fields.String(required=True), "task_id": fields.Integer(required=True)}),
    )
    @require_scope("tasks:write")
    def delete_task(project: str, task_id: int) -> str:
        """Deletes a task."""
        return ""

    route = definition_of(make(activepieces, api)).routes["delete_task"]

    assert (route.method, route.path) == ("DELETE", "/projects/{project}/tasks/{task_id}")
    assert route.path_params == ("project", "task_id")


def test_a_view_with_several_methods_is_called_with_the_one_that_changes_something(
    activepieces: Activepieces, make: Make
) -> None:
    api = Blueprint("api", __name__)

    @api.route("/tasks", methods=["GET", "POST"])
    @activepieces.action("create_task")
    @require_scope("tasks:write")
    def tasks() -> str:
        """Adds a task."""
        return ""

    assert definition_of(make(activepieces, api)).routes["create_task"].method == "POST"


def test_a_method_of_a_class_based_view_is_an_action(activepieces: Activepieces, make: Make) -> None:
    api = Blueprint("api", __name__)

    class Task(MethodView):
        decorators = [require_scope("tasks:read")]

        @activepieces.action("find_task", input=TaskId)
        def get(self, task_id: int) -> str:
            """Finds a task."""
            return ""

        @activepieces.action("delete_task", input=TaskId)
        @require_scope("tasks:write")
        def delete(self, task_id: int) -> str:
            """Deletes a task."""
            return ""

    api.add_url_rule("/tasks/<int:task_id>", view_func=Task.as_view("task"))
    definition = definition_of(make(activepieces, api))

    find, delete = definition.routes["find_task"], definition.routes["delete_task"]
    assert (find.method, find.scopes) == ("GET", frozenset(["tasks:read"]))
    assert (delete.method, delete.scopes) == ("DELETE", frozenset(["tasks:read", "tasks:write"]))


def test_a_view_without_require_scope_is_refused(activepieces: Activepieces, make: Make) -> None:
    api = Blueprint("api", __name__)

    @api.post("/tasks")
    @activepieces.action("create_task", scope="tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    (problem,) = problems_of(make(activepieces, api))
    assert problem.startswith("action 'create_task': its view /tasks is not protected; write @require_scope(…)")


def test_a_declaration_above_the_route_is_found_as_well(activepieces: Activepieces, make: Make) -> None:
    """Flask returns the view itself, so the order of these two decorators does not matter."""
    api = Blueprint("api", __name__)

    @activepieces.action("create_task")
    @api.post("/tasks")
    @require_scope("tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    assert "create_task" in definition_of(make(activepieces, api)).routes


def test_a_declaration_below_require_scope_belongs_to_the_view(activepieces: Activepieces, make: Make) -> None:
    api = Blueprint("api", __name__)

    @api.post("/tasks")
    @require_scope("tasks:write")
    @activepieces.action("create_task")
    def create_task() -> str:
        """Adds a task."""
        return ""

    assert definition_of(make(activepieces, api)).scopes == ["tasks:write"]


def test_a_view_of_a_blueprint_that_the_app_lacks_is_refused(activepieces: Activepieces, make: Make) -> None:
    @activepieces.action("create_task")
    @require_scope("tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    (problem,) = problems_of(make(activepieces))
    assert problem.startswith("action 'create_task': its view has no route in this app; ")


# --- Blueprints and apps ----------------------------------------------------------------------------------


def test_two_apps_have_the_declarations_of_their_own_blueprints(activepieces: Activepieces, make: Make) -> None:
    tasks, reports = Blueprint("tasks", __name__), Blueprint("reports", __name__)
    for blueprint in (tasks, reports):
        declarations = activepieces.on(blueprint)
        declarations.action(f"use_{blueprint.name}", scope="tasks:write", description="Uses it")(lambda data: None)
    activepieces.action("always", scope="tasks:read", description="Is always there")(lambda data: None)

    first, second, third = make(activepieces, tasks), make(activepieces, reports), make(activepieces)

    assert list(definition_of(first).actions) == ["always", "use_tasks"]
    assert list(definition_of(second).actions) == ["always", "use_reports"]
    assert list(definition_of(third).actions) == ["always"]


def test_a_blueprint_counts_inside_another_one_and_under_another_name(activepieces: Activepieces, make: Make) -> None:
    parent, tasks = Blueprint("parent", __name__, url_prefix="/parent"), Blueprint("tasks", __name__)

    @tasks.post("/tasks")
    @activepieces.on(tasks).action("create_task")
    @require_scope("tasks:write")
    def create_task() -> str:
        """Adds a task."""
        return ""

    parent.register_blueprint(tasks, name="renamed", url_prefix="/inner")

    assert definition_of(make(activepieces, parent)).routes["create_task"].path == "/parent/inner/tasks"


def test_the_account_of_a_blueprint_counts_with_it(activepieces: Activepieces, make: Make) -> None:
    tasks = Blueprint("tasks", __name__)

    @activepieces.on(tasks).account
    def account(token: Any) -> dict[str, Any]:
        return {"id": token.user_id}

    assert definition_of(make(activepieces, tasks)).describe_account is account
    assert definition_of(make(activepieces)).describe_account is None


# --- When problems are reported -----------------------------------------------------------------------------


def test_all_problems_are_logged_at_the_first_request(
    activepieces: Activepieces, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    activepieces.action("create_task", scope="tasks:wirte")(lambda data: None)
    activepieces.trigger("task_done", scope="tasks:read", payload=TaskId, samples=list)
    app = make(activepieces)

    with caplog.at_level(logging.ERROR, "flask_activepieces.doctor.setup_check"):
        app.test_client().get("/")
        app.test_client().get("/")

    (message,) = [each.getMessage() for each in caplog.records if "piece" in each.getMessage()]
    assert message.splitlines() == [
        "piece-declarations: The piece of this app has problems:",
        "  - action 'create_task': needs a description, or a docstring",
        "  - trigger 'task_done': needs a description",
        "  - action 'create_task': scope 'tasks:wirte' is unknown; add it to ACTIVEPIECES_SCOPES with a description",
        "The piece cannot be built, and its actions and triggers do not work.",
        "Correct the declarations, and restart the app.",
    ]


def test_an_app_without_declarations_logs_no_problem(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    app = make(Activepieces(SmallHost()))

    with caplog.at_level(logging.ERROR):
        app.test_client().get("/")

    assert "piece" not in caplog.text


def test_an_app_without_a_piece_may_declare_actions(make: Make) -> None:
    """They are for agents."""
    activepieces = Activepieces(SmallHost())
    activepieces.action("create_task", scope="tasks:write", description="Adds a task")(lambda data: None)

    definition = definition_of(make(activepieces))

    assert definition.piece.name == "piece-tests-app0"
    assert list(definition.actions) == ["create_task"]


def test_a_missing_logo_is_reported_with_the_other_problems(make: Make) -> None:
    activepieces = Activepieces(SmallHost(), piece=Piece(name="Acme", title="Acme", logo="static/acme.svg"))

    logo, name = problems_of(make(activepieces))

    assert logo.startswith("logo 'static/acme.svg': there is no such file in ")
    assert name.startswith("piece name 'Acme': ")


def test_the_manifest_of_an_app_has_its_addresses(activepieces: Activepieces, make: Make) -> None:
    app = make(activepieces, ACTIVEPIECES_OAUTH_PREFIX="/connect")

    document = get_state(app).piece.manifest(version="1.2.3")

    assert (document["version"], document["baseUrl"]) == ("1.2.3", "https://acme.example")
    assert document["auth"][0]["authUrl"] == "https://acme.example/connect/authorize"


@pytest.mark.parametrize(("setting", "used"), [(None, PIECE.name), ("@acme/piece-beta", "@acme/piece-beta")])
def test_connections_use_the_piece_of_the_app_unless_a_setting_names_another(
    activepieces: Activepieces, make: Make, setting: str | None, used: str
) -> None:
    app = make(activepieces, ACTIVEPIECES_PIECE_NAME=setting)

    assert get_state(app).settings.piece_name == used
