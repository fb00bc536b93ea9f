"""From JSON to frozen dataclasses: a dataclass says once what a thing of Activepieces looks like.

``Shape(Flow)`` reads the fields of ``Flow`` and their types. ``external_id`` is ``externalId`` on the wire, unless
``field(metadata={"wire": "…"})`` names it. A field with a default may be absent or null, and so may one of a type
``X | None``; any other must be there. What a newer Activepieces adds is left alone.

An answer is checked whole before anybody gets a part of it. The check goes by columns, all values of one field at
once, because that costs a fraction of what reading the JSON does; marshmallow then says in words what does not fit.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from marshmallow import EXCLUDE, Schema, ValidationError
from marshmallow import fields as wire
from marshmallow.exceptions import SCHEMA

from .errors import UnexpectedResponse
from .rows import Rows

T = TypeVar("T")


class Shape(Generic[T]):
    """What the JSON of a thing must look like, and how the thing is made of it."""

    def __init__(self, cls: type[T]) -> None:
        self._cls = cls
        hints = get_type_hints(cls)
        self._members = [_member(each, hints[each.name]) for each in fields(cast(Any, cls))]
        self._names = [member.name for member in self._members]
        self._keys = [member.key for member in self._members]
        self._made = [member for member in self._members if not member.value.is_plain]

    def one(self, answer: object, call: str) -> T:
        """The thing that an answer is."""
        if not self.fits([answer]):
            raise self._unlike(call, self.schema().validate(cast(Any, answer)))
        return self.build(answer)

    def many(self, answer: object, call: str) -> Rows[T]:
        """The things that an answer lists, bare or as the ``data`` of a page."""
        items = answer.get("data") if isinstance(answer, dict) else answer
        if not isinstance(items, list):
            raise self._unlike(call, {"data": ["Not a list."]})
        if not self.fits(items):
            raise self._unlike(call, self.schema().validate(items, many=True))
        return Rows(items, self.build)

    def fits(self, items: Sequence[Any]) -> bool:
        """Whether each of them is the JSON of such a thing."""
        return set(map(type, items)) <= {dict} and all(
            member.fits(items) for member in self._members
        )

    def build(self, item: Any) -> T:
        """The thing, of JSON that fits."""
        values = dict(zip(self._names, map(item.get, self._keys), strict=True))
        for member in self._made:
            values[member.name] = member.value.build(values[member.name])
        # The constructor of a frozen dataclass does the same field by field, at several times the cost.
        thing = object.__new__(self._cls)
        object.__setattr__(thing, "__dict__", values)
        return thing

    def schema(self) -> Schema:
        """The same for marshmallow."""
        members = {member.name: member.schema() for member in self._members}
        return Schema.from_dict(members, name=self._cls.__name__)(unknown=EXCLUDE)

    def _unlike(self, call: str, problems: Mapping[Any, Any]) -> UnexpectedResponse:
        detail = f"the answer is no {self._cls.__name__}: {_in_words(problems)}"
        return UnexpectedResponse(call, detail=detail, outcome_unknown=True)


@dataclass(frozen=True)
class _Value:
    """What a type hint allows: JSON of these types, or of any if there are none."""

    types: frozenset[type]
    #: Makes what stands for null; None: null does not fit.
    default: Callable[[], Any] | None = None
    items: _Value | None = None
    shape: Shape[Any] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether what the JSON holds is the value."""
        return not self.items and not self.shape and self.default in {None, _nothing}

    def types_fit(self, column: Iterable[Any]) -> bool:
        return not self.types or set(map(type, column)) <= self.types

    def fits(self, column: Sequence[Any]) -> bool:
        if not self.types_fit(column):
            return False
        if self.items:
            return self.items.fits(list(chain.from_iterable(filter(None, column))))
        if self.shape:
            return self.shape.fits([each for each in column if each is not None])
        return True

    def build(self, value: Any) -> Any:
        if value is None and self.default:
            return self.default()
        if self.items:
            return tuple(value if self.items.is_plain else map(self.items.build, value))
        return self.shape.build(value) if self.shape else value

    def schema(self, **options: Any) -> wire.Field[Any]:
        options["allow_none"] = not self.types or self.default is not None
        if self.items:
            return wire.List(self.items.schema(), **options)
        if self.shape:
            return wire.Nested(self.shape.schema(), **options)
        kind = next((each for each in _SCHEMAS if each in self.types), None)
        return _SCHEMAS[kind](**options) if kind else wire.Raw(**options)


@dataclass(frozen=True)
class _Member:
    """One field of a thing, by its names here and there."""

    name: str
    key: str
    value: _Value

    @property
    def is_id(self) -> bool:
        """Whether it is by what the thing is known."""
        return self.key == "id"

    def fits(self, items: Sequence[Any]) -> bool:
        try:
            if self.is_id and not all(map(_may_be_id, map(itemgetter(self.key), items))):
                return False
            if self.value.is_plain:
                return self.value.types_fit(map(itemgetter(self.key), items))
            column = list(map(itemgetter(self.key), items))
        except KeyError:
            if self.value.default is None:
                return False
            column = [item.get(self.key) for item in items]
        return self.value.fits(column)

    def schema(self) -> wire.Field[Any]:
        options: dict[str, Any] = {"validate": _check_id} if self.is_id else {}
        return self.value.schema(data_key=self.key, required=self.value.default is None, **options)


_SCHEMAS: Mapping[type, Callable[..., wire.Field[Any]]] = {
    str: wire.String,
    bool: wire.Boolean,
    float: wire.Float,
    int: wire.Integer,
    dict: wire.Dict,
}


#: Ids of Activepieces have 21 characters. One with more than these, or with a NUL in it, no database would keep.
_LONGEST_ID = 64


def _may_be_id(value: object) -> bool:
    """False for a text that is no id; whether it must be text at all, its type says."""
    return not isinstance(value, str) or (
        0 < len(value) <= _LONGEST_ID and value.isascii() and value.isprintable()
    )


def _check_id(value: object) -> None:
    if not _may_be_id(value):
        raise ValidationError("Not an id.")


def _nothing() -> None:
    return None


def _member(described: Field[Any], hint: Any) -> _Member:
    default: Callable[[], Any] | None = None
    if described.default_factory is not MISSING:
        default = described.default_factory
    elif described.default is not MISSING:
        value = described.default
        default = _nothing if value is None else lambda: value
    key = described.metadata.get("wire") or _camel_case(described.name)
    return _Member(described.name, key, _value(hint, default))


def _value(hint: Any, default: Callable[[], Any] | None = None) -> _Value:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        (inner,) = (each for each in arguments if each is not type(None))
        return _value(inner, default or _nothing)
    if hint in {Any, object}:
        return _Value(frozenset(), default or _nothing)
    null: set[type] = set() if default is None else {type(None)}
    if origin is tuple:
        return _Value(frozenset(null | {list}), default, items=_value(arguments[0]))
    if is_dataclass(hint):
        return _Value(frozenset(null | {dict}), default, shape=Shape(cast(type, hint)))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _Value(frozenset(null | {dict}), default)
    return _Value(frozenset(null | ({int, float} if hint is float else {hint})), default)


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _in_words(problems: Mapping[Any, Any]) -> str:
    """The first of marshmallow's findings, with the way to it: ``3.flowIds: Not a valid list.``"""
    way: list[str] = []
    found: Any = problems
    while isinstance(found, dict) and found:
        key, found = next(iter(found.items()))
        way += [] if key == SCHEMA else [str(key)]
    words = found[0] if isinstance(found, list) and found else "A value of another type."
    return ": ".join(filter(None, [".".join(way), words]))
