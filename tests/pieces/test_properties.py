"""Fields that the app fills while a form is open. None may ever throw."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_host import API, PieceHost, json_of
from tests.support.piece_manifest import action, text, trigger

OPTIONS = f"{API}/options/projects"


def dropdown(kind: str = "DROPDOWN", **more: Any) -> dict[str, Any]:
    field = {"type": kind, "displayName": "Project", "required": True, "refreshers": ["workspace"], **more}
    return {"refreshOnSearch": True, "options": "projects", **field}


def form(**more: Any) -> dict[str, Any]:
    workspace = text("Workspace", required=True)
    return {
        "actions": action("create", {"workspace": workspace, "other": text("Other"), "project": dropdown(**more)})
    }


ASK = ["action", "create", "props", "project", "options"]


@pytest.mark.parametrize("kind", ["DROPDOWN", "MULTI_SELECT_DROPDOWN"])
def test_options_come_from_the_app(load_piece: LoadPiece, host: PieceHost, kind: str) -> None:
    options = [{"label": "Garden", "value": 7}, {"label": "House", "value": {"id": 8}}]
    host.on("POST", OPTIONS, 200, {"options": options})

    answer = load_piece(**form(kind=kind)).form(ASK, workspace="w", other="x", search="ga")

    assert answer == {"disabled": False, "options": options}
    assert json_of(host.last) == {"inputs": {"workspace": "w"}, "search": "ga"}
    assert "SECRET" not in f"{host.last.headers} {host.last.body!r}"


def test_without_a_search_none_is_sent(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", OPTIONS, 200, {"options": [], "disabled": True, "placeholder": "No projects yet."})

    answer = load_piece(**form()).form(ASK, workspace="w")

    assert answer == {"disabled": True, "placeholder": "No projects yet.", "options": []}
    assert json_of(host.last) == {"inputs": {"workspace": "w"}}


def test_without_a_connection_the_dropdown_asks_for_one(load_piece: LoadPiece, host: PieceHost) -> None:
    answer = load_piece(None, **form()).form(ASK, workspace="w")

    placeholder = "Choose a connection to Tasklane first."
    assert answer == {"disabled": True, "placeholder": placeholder, "options": []}
    assert host.received == []


@pytest.mark.parametrize("inputs", [{}, {"workspace": ""}, {"workspace": None}])
def test_without_a_needed_field_the_dropdown_names_it(
    load_piece: LoadPiece, host: PieceHost, inputs: dict[str, Any]
) -> None:
    answer = load_piece(**form()).form(ASK, **inputs)

    assert (answer["disabled"], answer["placeholder"]) == (True, 'Fill in "Workspace" first.')
    assert host.received == []


def test_failure_is_the_placeholder(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", OPTIONS, 401, {})

    answer = load_piece(**form()).form(ASK, workspace="w")

    placeholder = "Reconnect: the sign-in to Tasklane has ended."
    assert answer == {"disabled": True, "placeholder": placeholder, "options": []}


@pytest.mark.parametrize("body", [b"<html>", [], None, "text"])
def test_answer_of_another_server_is_a_placeholder(load_piece: LoadPiece, host: PieceHost, body: object) -> None:
    host.on("POST", OPTIONS, 200, body)

    answer = load_piece(**form()).form(ASK, workspace="w")

    placeholder = "Tasklane gives an unexpected answer: check its address in the connection."
    assert answer == {"disabled": True, "placeholder": placeholder, "options": []}


def test_dropdown_of_a_trigger_and_in_a_list(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", OPTIONS, 200, {"options": []})
    rows = {
        "type": "ARRAY",
        "displayName": "Rows",
        "required": False,
        "properties": {"project": dropdown(refreshers=[])},
    }
    piece = load_piece(triggers=trigger("done", props={"rows": rows}))

    answer = piece.form(["trigger", "done", "props", "rows", "properties", "project", "options"])

    assert answer == {"disabled": False, "options": []}


DYNAMIC = {
    "type": "DYNAMIC",
    "displayName": "Fields",
    "required": True,
    "refreshers": ["workspace"],
    "props": "projects",
}
ASK_PROPS = ["action", "create", "props", "fields", "props"]


def dynamic_form() -> dict[str, Any]:
    return {"actions": action("create", {"workspace": text("Workspace", required=True), "fields": DYNAMIC})}


def test_dynamic_fields_come_from_the_app(load_piece: LoadPiece, host: PieceHost) -> None:
    props = {"colour": text("Colour")}
    host.on("POST", OPTIONS, 200, {"props": props})

    assert load_piece(**dynamic_form()).form(ASK_PROPS, workspace="w") == props
    assert json_of(host.last) == {"inputs": {"workspace": "w"}}


def test_there_are_no_dynamic_fields_before_their_form_is_filled_in(load_piece: LoadPiece, host: PieceHost) -> None:
    assert load_piece(**dynamic_form()).form(ASK_PROPS) == {}
    assert host.received == []


def test_failure_of_dynamic_fields_is_a_note(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", OPTIONS, 400, {"detail": "The workspace is closed."})

    answer = load_piece(**dynamic_form()).form(ASK_PROPS, workspace="w")

    assert answer["problem"]["type"] == "MARKDOWN"
    assert answer["problem"]["description"] == "The workspace is closed."


def test_values_of_dynamic_fields_are_sent_as_an_object(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", f"{API}/actions/create")

    load_piece(**dynamic_form()).run("create", workspace="w", fields={"colour": "red"})

    assert json_of(host.last) == {"workspace": "w", "fields": {"colour": "red"}}
