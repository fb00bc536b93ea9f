"""From JSON to frozen dataclasses, by their type hints.

The field ``external_id`` is ``externalId`` in JSON, unless ``field(metadata={"wire": "…"})`` names it. A field with a
default may be absent or null, and so may one of a type ``X | None``; every other is required. Unknown fields, which a
newer Activepieces may add, are ignored.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import UnexpectedResponse

T = TypeVar("T")


def json_name(name: str) -> str:
    """``externalId`` for ``external_id``."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def decode_object(model: type[T], data: object, operation: str) -> T:
    """The dataclass for a JSON object; `UnexpectedResponse` names the first field that does not fit."""
    decoded: T = _decode(partial(_object, model), data, model, operation)
    return decoded


def decode_list(model: type[T], data: object, operation: str) -> list[T]:
    """The dataclasses for a JSON list, which is either bare or the ``data`` of a page."""
    items = data.get("data") if isinstance(data, dict) else data
    decoded: list[T] = _decode(partial(_list, partial(_object, model)), items, model, operation)
    return decoded


def _decode(convert: Callable[[Any], Any], data: object, model: type[Any], operation: str) -> Any:
    try:
        return convert(data)
    except _Mismatch as mismatch:
        problem = ": ".join(filter(None, [".".join(mismatch.path), mismatch.problem]))
        detail = f"unexpected response for {model.__name__}: {problem}"
        raise UnexpectedResponse(operation, detail=detail, outcome_unknown=True) from None


class _Mismatch(Exception):
    """Raised for a value that does not fit; ``path`` is the way to it."""

    def __init__(self, problem: str, *path: str) -> None:
        self.problem = problem
        self.path = path


def _object(model: Any, data: object) -> Any:
    if not isinstance(data, dict):
        raise _Mismatch("not an object")
    values = {}
    for member in _members(model):
        value = data.get(member.key)
        if value is not None:
            try:
                values[member.name] = member.convert(value)
            except _Mismatch as mismatch:
                raise _Mismatch(mismatch.problem, member.key, *mismatch.path) from None
        elif member.is_required:
            raise _Mismatch("null" if member.key in data else "missing", member.key)
        elif not member.has_default:
            values[member.name] = None
    return model(**values)


def _list(convert: Callable[[Any], Any], data: object) -> list[Any]:
    if not isinstance(data, list):
        raise _Mismatch("not a list")
    values: list[Any] = []
    try:
        for item in data:
            values.append(convert(item))  # noqa: PERF401  # its length is the index of a mismatch
    except _Mismatch as mismatch:
        raise _Mismatch(mismatch.problem, str(len(values)), *mismatch.path) from None
    return values


def _scalar(json_types: tuple[type, ...], problem: str, value: object) -> object:
    # By the exact type: a bool is an int for isinstance.
    if type(value) not in json_types:
        raise _Mismatch(problem)
    return value


#: Activepieces' ids have 21 characters. Our database cannot store a much longer one, or one with a NUL character.
_MAX_ID_LENGTH = 64


def _id(value: object) -> object:
    identifier = str(_scalar(*_SCALARS[str], value))
    if not (0 < len(identifier) <= _MAX_ID_LENGTH and identifier.isascii() and identifier.isprintable()):
        raise _Mismatch("not an id")
    return identifier


_SCALARS: Mapping[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "not a string"),
    bool: ((bool,), "not a boolean"),
    int: ((int,), "not a number"),
    float: ((int, float), "not a number"),
    dict: ((dict,), "not an object"),
}


#: What JSON has for other annotations, by the annotation without its arguments.
_PLAIN_TYPES: Mapping[Any, type] = {Mapping: dict, Literal: str}


@dataclass(frozen=True)
class _Member:
    name: str
    key: str
    convert: Callable[[Any], Any]
    has_default: bool
    is_required: bool


@cache
def _members(model: Any) -> tuple[_Member, ...]:
    hints, members = get_type_hints(model), []
    for each in fields(model):
        hint = hints[each.name]
        key = each.metadata.get("wire") or json_name(each.name)
        has_default = each.default is not MISSING or each.default_factory is not MISSING
        is_required = not has_default and hint is not Any and type(None) not in get_args(hint)
        convert = _id if key == "id" and hint is str else _converter(hint)
        members.append(_Member(each.name, key, convert, has_default, is_required))
    return tuple(members)


def _converter(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin in {Union, types.UnionType}:
        return _converter(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        convert_list = partial(_list, _converter(arguments[0]))
        return lambda data: tuple(convert_list(data))
    if is_dataclass(hint):
        return partial(_object, hint)
    return partial(_scalar, *_SCALARS[_PLAIN_TYPES.get(origin, hint)])
