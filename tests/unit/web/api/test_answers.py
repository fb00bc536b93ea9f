"""The fields of a response have the types of the attributes that they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from marshmallow import fields

from flask_activepieces.web.api.answers import fields_of


@dataclass(frozen=True)
class Parcel:
    name: str
    size: Literal["S", "L"] | None = None
    weight: int = 1
    stops: tuple[str, ...] | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)

    @property
    def is_heavy(self) -> bool:
        return self.weight > 10


@pytest.mark.parametrize(
    ("name", "kind", "allow_none"),
    [
        ("name", fields.String, False),
        ("size", fields.String, True),
        ("weight", fields.Integer, False),
        ("stops", fields.List, True),
        ("labels", fields.Dict, False),
        ("is_heavy", fields.Boolean, False),
    ],
)
def test_a_field_has_the_type_of_its_attribute(name: str, kind: type[fields.Field[Any]], allow_none: bool) -> None:
    shown = fields_of(Parcel, name)[name]

    assert type(shown) is kind
    assert shown.allow_none is allow_none


def test_only_named_attributes_are_shown() -> None:
    assert list(fields_of(Parcel, "name", size="how large")) == ["name", "size"]


def test_a_description_is_documented() -> None:
    assert fields_of(Parcel, "name", size="how large")["size"].metadata == {"description": "how large"}


def test_a_name_that_the_class_lacks_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        fields_of(Parcel, "colour")
