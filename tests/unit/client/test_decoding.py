"""From JSON to dataclasses: what is new is left out, what is missing is said, and nothing of the data with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from flask_activepieces.client.decoding import read, read_all
from flask_activepieces.client.errors import NotActivepieces


@dataclass(frozen=True, kw_only=True)
class Wheel:
    size: int


@dataclass(frozen=True, kw_only=True)
class Cart:
    id: str
    display_name: str
    has_roof: bool = False
    note: str | None = None
    tags: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    by_side: Mapping[str, Wheel] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    maker: str = field(default="", metadata={"data_key": "madeBy"})


CART = {"id": "c1", "displayName": "Cart"}


def cart(**more: Any) -> Cart:
    return read(Cart, {**CART, **more}, call="carts.get")


def test_names_on_the_wire_are_in_camel_case() -> None:
    assert cart(hasRoof=True) == Cart(id="c1", display_name="Cart", has_roof=True)


def test_a_field_may_have_another_name_on_the_wire() -> None:
    assert cart(madeBy="Bob").maker == "Bob"


def test_what_a_newer_server_adds_is_left_out() -> None:
    assert cart(new={"a": 1}) == cart()


@pytest.mark.parametrize(
    "key", ["hasRoof", "note", "tags", "wheels", "spare", "bySide", "metadata"]
)
def test_null_is_as_good_as_absent(key: str) -> None:
    assert cart(**{key: None}) == cart()


def test_things_within_are_read_too() -> None:
    read_cart = cart(
        tags=["a", "b"],
        wheels=[{"size": 1}],
        spare={"size": 2, "x": 0},
        bySide={"left": {"size": 3}},
    )

    assert read_cart.tags == ("a", "b")
    assert read_cart.wheels == (Wheel(size=1),)
    assert read_cart.spare == Wheel(size=2)
    assert read_cart.by_side == {"left": Wheel(size=3)}


def test_free_data_stays_as_it_is() -> None:
    assert cart(metadata={"aB": {"c_d": [1, None]}}).metadata == {"aB": {"c_d": [1, None]}}


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"displayName": "Cart"}, "id"),
        ({**CART, "id": None}, "id"),
        ({**CART, "displayName": 7}, "displayName"),
        ({**CART, "spare": {}}, "spare.size"),
        ({**CART, "wheels": [{"size": 1}, {}]}, "wheels.1.size"),
        ({**CART, "tags": "abc"}, "tags"),
    ],
)
def test_an_answer_of_another_shape_is_not_activepieces_and_names_its_fields(
    data: Mapping[str, Any], fields: str
) -> None:
    with pytest.raises(NotActivepieces) as refused:
        read(Cart, data, call="carts.get")

    assert refused.value.call == "carts.get"
    assert f"({fields})" in refused.value.hint


@pytest.mark.parametrize("data", [None, [], "text", 7, True])
def test_what_is_no_object_is_not_activepieces(data: object) -> None:
    with pytest.raises(NotActivepieces):
        read(Cart, data, call="carts.get")


def test_an_unexpected_answer_is_not_repeated() -> None:
    with pytest.raises(NotActivepieces) as refused:
        cart(id={"secret": "canary"}, note=["canary"])

    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("data", [[CART], {"data": [CART], "next": None, "previous": None}])
def test_a_list_comes_bare_or_as_a_page(data: object) -> None:
    assert read_all(Cart, data, call="carts.list") == (cart(),)


@pytest.mark.parametrize("data", [None, {}, {"data": None}, {"data": {}}, "text"])
def test_a_list_that_is_none_is_not_activepieces(data: object) -> None:
    with pytest.raises(NotActivepieces):
        read_all(Cart, data, call="carts.list")
