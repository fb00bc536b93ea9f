"""From Activepieces' JSON to our frozen dataclasses, by marshmallow schemas made from their annotations.

Three rules, the same for every resource:

1. The wire says ``displayName``, Python says ``display_name``; a field's metadata may name another key.
2. What we do not know is left out, so that a newer server does not break us (``unknown = EXCLUDE``).
3. A field with a default may be absent or null; one without must be there, or the answer is not Activepieces'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from marshmallow import EXCLUDE, Schema, ValidationError, post_load
from marshmallow import fields as wire

from .errors import NotActivepieces

_Model = TypeVar("_Model")

_SIMPLE: Mapping[Any, type[wire.Field[Any]]] = {
    str: wire.String,
    int: wire.Integer,
    bool: wire.Boolean,
    Any: wire.Raw,
    object: wire.Raw,
}


def read(model: type[_Model], data: object, *, call: str) -> _Model:
    """One thing as its dataclass; `NotActivepieces` when the answer to this call has another shape."""
    try:
        thing: _Model = schema_of(model).load(data)  # type: ignore[arg-type]
    except ValidationError as error:
        # No "from": the error carries the data, which may be secret. Its messages name fields only.
        problems = _names(error.messages)
        raise NotActivepieces(call, hint=f"unexpected answer ({problems})") from None
    return thing


def read_all(model: type[_Model], data: object, *, call: str) -> tuple[_Model, ...]:
    """The things on a page (``{"data": […]}``) or in a bare list."""
    rows = data.get("data") if isinstance(data, Mapping) else data
    if not isinstance(rows, list):
        raise NotActivepieces(call, hint="no list in the answer")
    return tuple(read(model, row, call=call) for row in rows)


def _names(messages: Any) -> str:
    """The fields that do not fit: ``id, version.trigger``."""
    if not isinstance(messages, Mapping):
        return ""
    return ", ".join(
        f"{name}.{inner}" if (inner := _names(below)) else str(name)
        for name, below in messages.items()
    )


@cache
def schema_of(model: type[Any]) -> Schema:
    """The schema by which this dataclass is read, made once."""
    hints = get_type_hints(model)
    members: dict[str, Any] = {
        spec.name: _field(spec, hints[spec.name]) for spec in fields(model) if spec.init
    }
    members["Meta"] = type("Meta", (), {"unknown": EXCLUDE})
    members["build"] = post_load(lambda _schema, values, **_: _build(model, values))
    schema: Schema = type(f"{model.__name__}Schema", (Schema,), members)()
    return schema


def _build(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    return model(**{name: value for name, value in values.items() if value is not None})


def _field(spec: Field[Any], hint: Any) -> wire.Field[Any]:
    may_be_left_out = spec.default is not MISSING or spec.default_factory is not MISSING
    return _typed(
        _without_none(hint),
        data_key=spec.metadata.get("data_key", _camel_case(spec.name)),
        required=not may_be_left_out,
        allow_none=may_be_left_out,
    )


def _typed(hint: Any, **options: Any) -> wire.Field[Any]:
    """The wire's field for an annotation; a `KeyError` here names an annotation that has none yet."""
    if isinstance(hint, type) and is_dataclass(hint):
        return wire.Nested(schema_of(hint), **options)
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return _Tuple(_typed(arguments[0]), **options)
    if get_origin(hint) is Mapping:
        return wire.Dict(keys=wire.String(), values=_typed(arguments[1]), **options)
    return _SIMPLE[hint](**options)


class _Tuple(wire.List[Any]):
    """A list on the wire that cannot be changed once it is here."""

    def _deserialize(self, *arguments: Any, **options: Any) -> Any:
        return tuple(super()._deserialize(*arguments, **options))


def _without_none(hint: Any) -> Any:
    """``X`` for ``X | None``."""
    if isinstance(hint, UnionType):
        (hint,) = (argument for argument in get_args(hint) if argument is not NoneType)
    return hint


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
