"""The version of a piece follows from its content."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flask_activepieces.pieces.installing.versions import Change, Level, compare, next_version
from flask_activepieces.pieces.metadata import metadata_of

GOLDEN = Path(__file__).parents[3] / "pieces" / "golden" / "handmade"
Edit = Callable[[dict[str, Any]], object]


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text("utf-8"))


def changes_after(edit: Edit) -> list[Change]:
    """The changes when the piece of the golden manifest is edited."""
    manifest = golden("manifest.json")
    edit(manifest)
    return compare(golden("metadata.json"), metadata_of(manifest))


def action(manifest: dict[str, Any]) -> Any:
    return manifest["actions"]["everything"]


def props(manifest: dict[str, Any]) -> Any:
    return action(manifest)["props"]


def outputs(manifest: dict[str, Any]) -> Any:
    return action(manifest)["outputSchema"]["fields"]


def reverse(fields: dict[str, Any]) -> None:
    for name in list(fields)[::-1]:
        fields[name] = fields.pop(name)


def text(**more: Any) -> dict[str, Any]:
    return {"type": "SHORT_TEXT", "displayName": "New", "required": False, **more}


def test_what_a_server_stores_of_the_same_piece_is_no_change() -> None:
    assert changes_after(lambda manifest: None) == []


def test_fields_that_only_the_server_adds_are_no_change() -> None:
    stored = {**golden("metadata.json"), "id": "x", "created": "now", "projectUsage": 3, "i18n": {"de": {}}}

    assert compare(stored, metadata_of(golden("manifest.json"))) == []


def test_fields_that_an_old_server_does_not_store_are_no_change() -> None:
    stored = golden("metadata.json")
    for step in (*stored["actions"].values(), *stored["triggers"].values()):
        for name in ("audience", "aiMetadata", "outputSchema"):
            step.pop(name, None)

    assert compare(stored, metadata_of(golden("manifest.json"))) == []


PATCHES: dict[str, Edit] = {
    "title of the piece": lambda m: m.update(displayName="Other"),
    "logo": lambda m: m.update(logoUrl="https://x.example/y.svg"),
    "label of an action": lambda m: action(m).update(displayName="Other"),
    "hint for agents": lambda m: action(m)["aiMetadata"].update(description="Other"),
    "error handling": lambda m: action(m).update(errorHandlingOptions={}),
    "label of a field": lambda m: props(m)["short"].update(displayName="Other"),
    "label of a choice": lambda m: props(m)["priority"]["options"]["options"][0].update(label="Urgent"),
    "field may be left empty": lambda m: props(m)["project"].update(required=False),
    "default": lambda m: props(m)["number"].update(defaultValue=1),
    "description of a field": lambda m: props(m)["short"].update(description="Other"),
    "label of a connection": lambda m: m["auth"][0].update(displayName="Other"),
    "sample": lambda m: m["triggers"]["task_done"].update(sampleData={"id": 2}),
    "label of an output": lambda m: outputs(m)[0].update(label="Other"),
    "connection not needed": lambda m: action(m).update(requireAuth=False),
    "connection may be missing": lambda m: m["auth"][0].update(required=False),
    "pkce": lambda m: m["auth"][0].update(pkce=False),
    "order of the actions": lambda m: reverse(m["actions"]),
    "order of the fields": lambda m: reverse(props(m)),
    "order of the choices": lambda m: props(m)["priority"]["options"]["options"].reverse(),
}
MINORS: dict[str, Edit] = {
    "action": lambda m: m["actions"].update(new={"displayName": "x", "description": "", "props": {}}),
    "trigger": lambda m: m["triggers"].update(new={"displayName": "x", "type": "WEBHOOK", "props": {}}),
    "field": lambda m: props(m).update(new=text()),
    "field with a default": lambda m: props(m).update(new=text(required=True, defaultValue="x")),
    "field of a list": lambda m: props(m)["rows"]["properties"].update(new=text()),
    "choice": lambda m: props(m)["priority"]["options"]["options"].append({"label": "x", "value": 3}),
    "permission": lambda m: m["auth"][0]["scope"].append("tasks:delete"),
    "permission less": lambda m: m["auth"][0]["scope"].pop(),
    "field of the output": lambda m: outputs(m).append({"key": "x", "label": "X"}),
    "output": lambda m: m["actions"]["plain"].update(outputSchema={"fields": [{"key": "x", "label": "X"}]}),
    "oldest server": lambda m: m.update(minimumSupportedRelease="0.86.0"),
}
MAJORS: dict[str, Edit] = {
    "action removed": lambda m: m["actions"].pop("plain"),
    "trigger removed": lambda m: m["triggers"].pop("task_done"),
    "field removed": lambda m: props(m).pop("short"),
    "field renamed": lambda m: props(m).update(other=props(m).pop("short")),
    "field retyped": lambda m: props(m)["short"].update(type="LONG_TEXT"),
    "field of a list retyped": lambda m: props(m)["rows"]["properties"]["name"].update(type="NUMBER"),
    "field must be filled in": lambda m: props(m)["long"].update(required=True),
    "new field must be filled in": lambda m: props(m).update(new=text(required=True)),
    "choice removed": lambda m: props(m)["priority"]["options"]["options"].pop(),
    "field of the output removed": lambda m: action(m)["outputSchema"].update(fields=[{"key": "x"}]),
    "output removed": lambda m: action(m).pop("outputSchema"),
    "output of a trigger removed": lambda m: m["triggers"]["task_done"].pop("outputSchema"),
    "output retyped": lambda m: outputs(m)[0].update(format="date"),
    "output is a list": lambda m: outputs(m)[0].update(listItems=[{"key": "x", "label": "X"}]),
    "output is an object": lambda m: outputs(m)[0].update(children=[{"key": "x", "label": "X"}]),
    "kind of trigger": lambda m: m["triggers"]["task_done"].update(type="POLLING"),
    "connection needed": lambda m: m["triggers"]["task_polled"].update(requireAuth=True),
    "kind of connection removed": lambda m: m["auth"].pop(),
    "token address": lambda m: m["auth"][0].update(tokenUrl="https://other.example/token"),
    "how the client authenticates": lambda m: m["auth"][0].update(authorizationMethod="HEADER"),
    "field of a connection removed": lambda m: m["auth"][3]["props"].pop("short"),
    "field of a connection retyped": lambda m: m["auth"][3]["props"]["short"].update(type="SECRET_TEXT"),
}


@pytest.mark.parametrize(
    ("edit", "level"),
    [
        pytest.param(edit, level, id=f"{level.name}: {name}")
        for level, edits in ((Level.PATCH, PATCHES), (Level.MINOR, MINORS), (Level.MAJOR, MAJORS))
        for name, edit in edits.items()
    ],
)
def test_level_of_a_change(edit: Edit, level: Level) -> None:
    changes = changes_after(edit)

    assert changes[0].level is level, changes


def test_a_connection_that_was_optional_is_required() -> None:
    stored = golden("metadata.json")
    stored["auth"][0]["required"] = False

    (change,) = compare(stored, metadata_of(golden("manifest.json")))

    assert (change.level, change.text) == (Level.MAJOR, "connection OAUTH2 is required now")


@pytest.mark.parametrize("inside", ["children", "listItems"])
def test_an_output_inside_an_output_is_compared(inside: str) -> None:
    def with_output(**more: Any) -> dict[str, Any]:
        nested = {"key": "owner", "label": "Owner", inside: [{"key": "id", "label": "Id", **more}]}
        return {"actions": {"find": {"displayName": "Find", "outputSchema": {"fields": [nested]}}}}

    changes = compare(with_output(), with_output(format="number"))

    (change,) = changes
    assert change.level is Level.MAJOR
    assert change.text == "action find, output owner, output id has the format number, and had none"


def test_a_new_field_among_the_others_is_no_other_order() -> None:
    def edit(manifest: dict[str, Any]) -> None:
        action(manifest)["props"] = {"new": text(), **props(manifest)}

    assert [change.text for change in changes_after(edit)] == ["action everything, field new is new"]


def test_new_kind_of_connection_is_minor() -> None:
    stored = golden("metadata.json")
    stored["auth"] = stored["auth"][0]  # one kind is an object

    changes = compare(stored, metadata_of(golden("manifest.json")))

    assert [change.text for change in changes] == [
        "connection SECRET_TEXT is new",
        "connection BASIC_AUTH is new",
        "connection CUSTOM_AUTH is new",
    ]


def test_changes_are_sentences_with_the_largest_first() -> None:
    def edit(manifest: dict[str, Any]) -> None:
        action(manifest)["description"] = "Other"
        props(manifest)["new"] = text()
        props(manifest)["short"]["type"] = "NUMBER"

    assert [change.text for change in changes_after(edit)] == [
        "action everything, field short is NUMBER, and was SHORT_TEXT",
        "action everything, field new is new",
        "action everything: description changed",
    ]


@pytest.mark.parametrize(
    ("levels", "version"),
    [
        ([], "1.2.4"),
        ([Level.PATCH], "1.2.4"),
        ([Level.PATCH, Level.MINOR], "1.3.0"),
        ([Level.MINOR, Level.MAJOR, Level.PATCH], "2.0.0"),
    ],
)
def test_version_rises_by_the_largest_change(levels: list[Level], version: str) -> None:
    assert next_version("1.2.3", [Change(level, "x") for level in levels]) == version


def test_metadata_in_python_is_that_of_the_runtime() -> None:
    """Except what upstream's functions set by themselves, which no declaration changes."""
    set_by_the_runtime = {
        "name",
        "testStrategy",
        "handshakeConfiguration",
        "renewConfiguration",
        "hasConnectionIdentifier",
    }
    expected = golden("metadata.json")
    del expected["contextInfo"]

    assert without(metadata_of(golden("manifest.json")), set_by_the_runtime) == without(expected, set_by_the_runtime)


def without(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The document whose steps and connections lack these fields."""
    copied = copy.deepcopy(document)
    for each in (*copied["auth"], *copied["actions"].values(), *copied["triggers"].values()):
        for name in names & set(each):
            del each[name]
    return copied
