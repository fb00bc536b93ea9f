"""The manifest says everything that the declarations say, in the words of Activepieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import Schema, fields

from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import DeclarationError, SetupError
from flask_activepieces.pieces import auth
from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.pieces.declaring.decorators import Declarations
from flask_activepieces.pieces.definition import PieceDefinition, ViewRoute
from flask_activepieces.pieces.manifest import Addresses, Manifest, build_manifest
from flask_activepieces.pieces.registry import PieceRegistry
from tests.support import every_kind
from tests.support.every_kind import ADDRESSES, definition_of, discard

PIECE = Piece(name="@acme/piece-acme", title="Acme")


def manifest_of(definition: PieceDefinition, addresses: Addresses = ADDRESSES) -> Manifest:
    """The manifest of version 1.0.0."""
    return build_manifest(definition, addresses, version="1.0.0")


def manifest_with(piece: Piece = PIECE, addresses: Addresses = ADDRESSES) -> Manifest:
    """The manifest of a piece without actions."""
    return manifest_of(definition_of(Declarations(discard), piece), addresses)


def action_with(options: Mapping[str, Any], *routes: ViewRoute) -> Manifest:
    """The manifest of one action."""
    declarations = Declarations(discard)
    declarations.action("create_task", scope="tasks:write", description="Adds a task", **options)(_view)
    views = {_view: list(routes)} if routes else {}
    return dict(manifest_of(definition_of(declarations, PIECE, views=views))["actions"]["create_task"])


def _view(data: Any = None) -> None: ...


def test_the_manifest_of_every_kind_is_the_reviewed_one() -> None:
    """`python -m tests.support.every_kind` writes it anew; review the difference."""
    assert every_kind.as_text(every_kind.manifest()) == every_kind.GOLDEN.read_text("utf-8")


def test_the_reviewed_manifest_has_every_kind() -> None:
    document = every_kind.manifest()

    kinds = {each["type"] for each in document["actions"]["everything"]["props"].values()}
    assert kinds == {
        *("SHORT_TEXT", "LONG_TEXT", "RICH_TEXT", "MARKDOWN", "DROPDOWN", "STATIC_DROPDOWN", "NUMBER", "CHECKBOX"),
        *("ARRAY", "OBJECT", "JSON", "MULTI_SELECT_DROPDOWN", "STATIC_MULTI_SELECT_DROPDOWN", "DYNAMIC"),
        *("DATE_TIME", "DATE_RANGE", "FILE", "CUSTOM", "COLOR"),
    }
    assert [each["type"] for each in document["auth"]] == ["OAUTH2", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"]


# --- The app's addresses ------------------------------------------------------------------------------


def addresses_of(**settings: str) -> Addresses:
    """The addresses of an app with these settings."""
    config = {f"ACTIVEPIECES_{name}": value for name, value in settings.items()}
    return Addresses.from_settings(Settings.from_app_config({"SECRET_KEY": every_kind.__doc__ or "", **config}))


def test_the_addresses_come_from_the_settings() -> None:
    found = addresses_of(PUBLIC_URL="https://acme.example/app", OAUTH_PREFIX="/connect", URL_PREFIX="/api/ap")

    assert found == Addresses(base_url="https://acme.example/app", oauth_prefix="/connect", api_path="/api/ap/piece")


def test_a_piece_without_the_public_url_is_refused() -> None:
    with pytest.raises(SetupError, match="ACTIVEPIECES_PUBLIC_URL is not set.*Set it to the app's public URL"):
        manifest_with(addresses=addresses_of())


ASKING: list[auth.Auth] = [
    auth.OAuth2(asks_for_address=True),
    auth.CustomAuth(form=Schema.from_dict({"base_url": fields.Url(required=True), "key": own.Secret()})),
]


def test_a_piece_that_always_asks_for_the_address_needs_no_public_url() -> None:
    document = manifest_with(replace(PIECE, auth=ASKING), addresses_of())

    assert document["baseUrl"] is None
    assert document["auth"][0]["authUrl"] == "{base_url}/oauth/authorize"
    assert "defaultValue" not in document["auth"][0]["props"]["base_url"]


def test_one_kind_that_does_not_ask_for_the_address_needs_the_public_url() -> None:
    with pytest.raises(SetupError, match="ACTIVEPIECES_PUBLIC_URL is not set"):
        manifest_with(replace(PIECE, auth=[*ASKING, auth.SecretText()]), addresses_of())


@pytest.mark.parametrize(("delivery", "type_"), [("webhook", "WEBHOOK"), ("polling", "POLLING")])
def test_the_setting_chooses_how_events_reach_flows(delivery: str, type_: str) -> None:
    addresses = addresses_of(PUBLIC_URL="https://acme.example", TRIGGER_DELIVERY=delivery)

    described = manifest_of(definition_of(every_kind.declare(), PIECE), addresses)["triggers"]["task_done"]

    assert described["type"] == type_
    assert ("renew" in described) is (type_ == "WEBHOOK")


# --- The piece ----------------------------------------------------------------------------------------


def test_a_piece_without_new_kinds_runs_on_older_servers() -> None:
    assert manifest_with()["minimumSupportedRelease"] == "0.73.0"


@pytest.mark.parametrize("field", [own.RichText(), own.DateRange()], ids=["rich text", "period"])
def test_a_new_kind_needs_a_newer_server(field: fields.Field[Any]) -> None:
    declarations = Declarations(discard)
    form = Schema.from_dict({"field": field})
    declarations.action("one", scope="a", input=form, description="One")(_view)

    assert manifest_of(definition_of(declarations, PIECE))["minimumSupportedRelease"] == "0.86.0"


def test_a_custom_api_call_is_an_action_only_if_the_piece_asks_for_it() -> None:
    assert manifest_with()["actions"] == {}
    assert list(manifest_with(replace(PIECE, custom_api_call=True))["actions"]) == ["custom_api_call"]


def test_a_translation_is_found_under_as_much_of_the_text_as_activepieces_compares() -> None:
    piece = replace(PIECE, translations={"de": {"x" * 600: "lang"}})

    assert manifest_with(piece)["translations"] == {"de": {"x" * 512: "lang"}}


def test_declarations_of_another_blueprint_do_not_count() -> None:
    here, elsewhere = object(), object()
    declarations = Declarations(discard)
    declarations.on(here).action("one", scope="a", description="One")(_view)
    declarations.on(elsewhere).action("two", scope="b", description="Two")(_view)

    document = manifest_of(definition_of(declarations, PIECE, blueprints=[here]))

    assert list(document["actions"]) == ["one"]
    assert document["auth"][0]["scope"] == ["a"]


# --- Actions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "described"),
    [
        (True, {"defaultValue": True, "hide": False}),
        (False, {"defaultValue": False, "hide": False}),
        (None, {"defaultValue": False, "hide": True}),
    ],
    ids=["on", "off", "hidden"],
)
def test_error_handling_may_be_on_or_off_or_hidden(default: bool | None, described: dict[str, bool]) -> None:
    handling = action_with({"retry": default, "continue_on_failure": default})["errorHandlingOptions"]

    assert handling == {"retryOnFailure": described, "continueOnFailure": described}


def test_an_agent_reads_the_description_if_there_is_no_other_text() -> None:
    plain, described = action_with({}), action_with({"ai": "Use this to add a task.", "idempotent": True})

    assert plain["aiMetadata"] == {"description": "Adds a task", "idempotent": False}
    assert described["aiMetadata"] == {"description": "Use this to add a task.", "idempotent": True}


@pytest.mark.parametrize("audience", ["human", "ai", "both"])
def test_an_action_may_be_for_people_or_agents(audience: Any) -> None:
    assert action_with({"audience": audience})["audience"] == audience


def test_an_action_without_an_output_schema_describes_no_output() -> None:
    assert "outputSchema" not in action_with({})


def test_a_function_is_called_at_the_route_of_the_piece() -> None:
    form = Schema.from_dict({"title": fields.String(), "hint": own.Note("Hi"), "file": own.File()})

    assert action_with({"input": form})["request"] == {
        "method": "POST",
        "path": "/api/integration/activepieces/piece/actions/create_task",
        "pathParams": [],
        "query": [],
        "body": ["title"],
        "files": ["file"],
    }


FORM = Schema.from_dict({"task_id": fields.Integer(required=True), "title": fields.String(data_key="newTitle")})


def route(method: str, path: str, *params: str) -> ViewRoute:
    """A protected route."""
    return ViewRoute(method=method, path=path, rule=path, path_params=params, scopes=frozenset(["tasks:write"]))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_view_gets_the_fields_that_are_not_in_its_path_as_json(method: str) -> None:
    request = action_with({"input": FORM}, route(method, "/api/tasks/{task_id}", "task_id"))["request"]

    assert request == {
        "method": method,
        "path": "/api/tasks/{task_id}",
        "pathParams": ["task_id"],
        "query": [],
        "body": ["newTitle"],
        "files": [],
    }


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_view_without_a_body_gets_them_in_the_query(method: str) -> None:
    request = action_with({"input": FORM}, route(method, "/api/tasks/{task_id}", "task_id"))["request"]

    assert (request["query"], request["body"]) == (["newTitle"], [])


def test_of_several_routes_the_action_uses_the_one_that_takes_its_fields() -> None:
    routes = [route("PUT", "/tasks"), route("PUT", "/tasks/{task_id}", "task_id"), route("PUT", "/{other}", "other")]

    assert action_with({"input": FORM}, *routes)["request"]["path"] == "/tasks/{task_id}"


# --- The registry -------------------------------------------------------------------------------------


def test_the_definition_is_made_once() -> None:
    made: list[PieceDefinition] = []

    def define() -> PieceDefinition:
        made.append(definition_of(Declarations(discard), PIECE))
        return made[-1]

    registry = PieceRegistry(define, ADDRESSES, title="Acme")

    assert registry.definition() is registry.definition()
    assert registry.manifest(version="2.0.0")["version"] == "2.0.0"
    assert len(made) == 1


def test_an_app_without_a_piece_has_no_manifest() -> None:
    registry = PieceRegistry(lambda: definition_of(Declarations(discard)), ADDRESSES, title=None)

    with pytest.raises(SetupError, match=r"The app has no piece: .* Activepieces\(host, piece=Piece"):
        registry.manifest(version="1.0.0")


def test_problems_are_reported_each_time() -> None:
    def define() -> PieceDefinition:
        raise DeclarationError(["one", "two"])

    registry = PieceRegistry(define, ADDRESSES, title="Acme")

    for _ in range(2):
        with pytest.raises(DeclarationError, match="  - one\n  - two") as caught:
            registry.definition()
        assert caught.value.problems == ("one", "two")
