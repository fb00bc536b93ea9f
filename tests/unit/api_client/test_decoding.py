"""JSON becomes frozen dataclasses, or an error that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from flask_activepieces.api_client.decoding import decode_list, decode_object
from flask_activepieces.api_client.errors import UnexpectedResponse


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    position: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    id: str
    display_name: str
    cost: float
    folder_id: str | None
    owner: Step | None = None
    steps: tuple[Step, ...] = ()
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = False
    anything: Any = None
    renamed: str = field(default="none", metadata={"wire": "x-name"})


LEAST: dict[str, Any] = {"id": "p", "displayName": "P", "cost": 1, "folderId": None}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in LEAST.items() if key != name}


@pytest.mark.parametrize("wrong", ["", "x" * 65, "nul\0", "line\nbreak", "ünïcode", "\x1b[2J"])
def test_an_id_that_a_database_cannot_store_is_rejected(wrong: str) -> None:
    with pytest.raises(UnexpectedResponse, match="id: not an id"):
        decode_object(Plan, LEAST | {"id": wrong}, "plans.get")


def test_names_types_and_nested_objects_follow_the_dataclass() -> None:
    answer = LEAST | {
        "cost": 1.5,
        "folderId": "f",
        "owner": {"name": "Ada", "position": 1, "unknown": True},
        "steps": [{"name": "a"}, {"name": "b", "position": 2}],
        "tags": ["x"],
        "metadata": {"k": [1]},
        "enabled": True,
        "anything": {"at": "all"},
        "x-name": "renamed value",
        "addedBy": "a newer server",
    }

    assert decode_object(Plan, answer, "plans.get") == Plan(
        id="p",
        display_name="P",
        cost=1.5,
        folder_id="f",
        owner=Step(name="Ada", position=1),
        steps=(Step(name="a"), Step(name="b", position=2)),
        tags=("x",),
        metadata={"k": [1]},
        enabled=True,
        anything={"at": "all"},
        renamed="renamed value",
    )


@pytest.mark.parametrize("absent", [None, ...])
def test_fields_with_a_default_may_be_null_or_absent(absent: object) -> None:
    names = ["owner", "steps", "tags", "metadata", "enabled", "anything", "x-name"]
    answer = LEAST if absent is ... else LEAST | dict.fromkeys(names)

    plan = decode_object(Plan, answer, "plans.get")

    assert plan == Plan(id="p", display_name="P", cost=1, folder_id=None)


def test_decoded_objects_are_ordinary_frozen_dataclasses() -> None:
    plan = decode_object(Plan, LEAST, "plans.get")

    with pytest.raises(FrozenInstanceError):
        plan.id = "q"  # type: ignore[misc]
    assert replace(plan, id="q").id == "q"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "not an object"),
        ([], "not an object"),
        ("page", "not an object"),
        (without("id"), "id: missing"),
        (LEAST | {"id": None}, "id: null"),
        (LEAST | {"id": 5}, "id: not a string"),
        (LEAST | {"cost": "much"}, "cost: not a number"),
        (LEAST | {"enabled": "maybe"}, "enabled: not a boolean"),
        (LEAST | {"enabled": 1}, "enabled: not a boolean"),
        (LEAST | {"owner": []}, "owner: not an object"),
        (LEAST | {"owner": {"position": 1}}, "owner.name: missing"),
        (LEAST | {"steps": {}}, "steps: not a list"),
        (LEAST | {"steps": [{"name": "a"}, {}]}, "steps.1.name: missing"),
        (LEAST | {"tags": ["a", None]}, "tags.1: not a string"),
        (LEAST | {"metadata": []}, "metadata: not an object"),
    ],
)
def test_the_first_field_that_does_not_fit_is_named(answer: object, problem: str) -> None:
    with pytest.raises(UnexpectedResponse) as failed:
        decode_object(Plan, answer, "plans.get")

    assert failed.value.operation == "plans.get"
    assert failed.value.detail.startswith("unexpected response for Plan: ")
    assert problem in failed.value.detail


def test_a_value_that_does_not_fit_is_not_quoted() -> None:
    with pytest.raises(UnexpectedResponse) as failed:
        decode_object(Plan, LEAST | {"steps": "canary", "cost": "canary", "id": ["canary"]}, "plans.get")

    assert "canary" not in f"{failed.value} {failed.value.__cause__} {failed.value.__context__}"


# --- Lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [False, True])
def test_a_list_is_bare_or_a_page(page: bool) -> None:
    items = [LEAST, LEAST | {"id": "q", "steps": [{"name": "a"}]}]
    answer = {"data": items, "next": None} if page else items

    rows = decode_list(Plan, answer, "plans.list")

    assert [plan.id for plan in rows] == ["p", "q"]
    assert rows[-1].steps == (Step(name="a"),)


def test_a_list_is_an_ordinary_list() -> None:
    plans = decode_list(Plan, [LEAST | {"id": name} for name in "abcd"], "plans.list")

    assert type(plans) is list
    assert [plan.id for plan in plans] == ["a", "b", "c", "d"]


def test_items_may_omit_different_fields() -> None:
    items = [LEAST, LEAST | {"enabled": True}, LEAST | {"enabled": None}]

    assert [plan.enabled for plan in decode_list(Plan, items, "plans.list")] == [False, True, False]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "Plan: not a list"),
        ({"data": None}, "Plan: not a list"),
        ({"id": "p"}, "Plan: not a list"),
        ([LEAST, None], "1: not an object"),
        ([LEAST, LEAST, without("cost")], "2.cost: missing"),
    ],
)
def test_one_item_that_does_not_fit_fails_the_list(answer: object, problem: str) -> None:
    with pytest.raises(UnexpectedResponse) as failed:
        decode_list(Plan, answer, "plans.list")

    assert problem in failed.value.detail
