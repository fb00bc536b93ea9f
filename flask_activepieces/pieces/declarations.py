"""The declarations of an app: its piece, and the actions, triggers and options in it.

The decorators in `declaring` create these objects; `definition` combines those of one app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from marshmallow import Schema, fields

from .auth import Auth, OAuth2

Audience = Literal["human", "ai", "both"]
SchemaLike = Schema | type[Schema]
AnyField = fields.Field[Any]
Scopes = frozenset[str | None]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The app's piece."""

    #: ``@scope/piece-name``, as an npm package.
    name: str
    title: str
    description: str = ""
    #: How users connect: one or several kinds, each once.
    auth: Sequence[Auth] = (OAuth2(),)
    #: A path below the app's root, or an https or data URL. Default: the first letter of the title.
    logo: str = ""
    categories: Sequence[str] = ()
    authors: Sequence[str] = ()
    #: Whether it has an action that calls any other route of the app.
    custom_api_call: bool = False
    #: Language -> English text -> translation.
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Account:
    """The function that describes the account of a token."""

    function: Callable[..., Mapping[str, Any]] = field(repr=False)
    blueprint: object = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that the app does for a flow or an agent."""

    name: str
    function: Callable[..., Any] = field(repr=False)
    #: Only apps with this blueprint have the action; None: all apps.
    blueprint: object = field(default=None, repr=False)
    scopes: frozenset[str]
    input: Schema | None = None
    output: Schema | None = None
    title: str
    description: str
    #: Whether "retry on failure" and "continue on failure" are on by default; None hides the option.
    retry: bool | None = False
    continue_on_failure: bool | None = False
    audience: Audience = "both"
    #: A description for agents, instead of the description for people.
    ai: str | None = None
    #: Whether repeating it has no further effect, for agents.
    idempotent: bool = False
    #: For agents: whether it changes nothing, whether it can delete or overwrite data, and whether it has effects
    #: outside the app. None: from the HTTP method, if it is a view.
    read_only: bool | None = None
    destructive: bool | None = None
    open_world: bool = False


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices of a dropdown, or the fields of a `Dynamic` field, which depend on other fields."""

    name: str
    function: Callable[..., Any] = field(repr=False)
    blueprint: object = field(default=None, repr=False)
    scopes: frozenset[str]
    #: When one of these fields changes, the choices are loaded again.
    refreshers: tuple[str, ...] = ()
    #: Whether the function filters by the text that the user types.
    search: bool = False


class Emit(Protocol):
    """A function that stores events of a trigger in the transaction of the app."""

    def __call__(
        self,
        trigger: Trigger,
        payloads: Sequence[Any],
        *,
        tenant_id: str,
        organization_id: str | None,
        user_id: str | None,
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """An event of the app that starts flows."""

    name: str
    blueprint: object = field(default=None, repr=False)
    scopes: frozenset[str]
    payload: Schema
    #: Returns real payloads, the newest first, for testing a flow. Gets the fields of the form, if there is one.
    samples: Callable[..., Iterable[Any]] = field(repr=False)
    #: The fields of the form.
    input: Schema | None = None
    #: Decides whether an event, as dumped by the schema, is for a subscription with these fields.
    matches: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = field(default=None, repr=False)
    #: Whether each subscription gets its events in order, one after the other.
    ordered: bool = False
    title: str
    description: str
    ai: str | None = None
    store: Emit = field(repr=False, compare=False)

    def emit(
        self, payload: Any, *, tenant_id: str, organization_id: str | None = None, user_id: str | None = None
    ) -> None:
        """Send an event to the tenant's flows after the commit of ``db.session``. A rollback discards it.

        With ``user_id``, only to subscriptions of that user; with ``organization_id``, only to those of that
        organization and of the tenant as a whole.
        """
        self.emit_many([payload], tenant_id=tenant_id, organization_id=organization_id, user_id=user_id)

    def emit_many(
        self,
        payloads: Iterable[Any],
        *,
        tenant_id: str,
        organization_id: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Send several events; see `emit`."""
        self.store(self, list(payloads), tenant_id=tenant_id, organization_id=organization_id, user_id=user_id)

    def visible_payload(self, payload: Mapping[str, Any], scopes: Iterable[str]) -> dict[str, Any]:
        """The dumped payload without the fields whose metadata ``scope`` is not among these, at any depth."""
        return _visible_object(self.payload, payload, frozenset([None, *scopes]))


#: What an app can declare besides its piece.
Declared = Account | Action | Options | Trigger


def _visible_object(schema: Schema, dumped: Mapping[str, Any], allowed: Scopes) -> dict[str, Any]:
    known = {each.data_key or name: each for name, each in schema.dump_fields.items()}
    return {
        name: _visible(known[name], value, allowed) if name in known else value
        for name, value in dumped.items()
        if name not in known or _is_visible(known[name], allowed)
    }


def _is_visible(field: AnyField, allowed: Scopes) -> bool:
    return field.metadata.get("scope") in allowed and all(_is_visible(each, allowed) for each in _parts_of(field))


def _visible(field: AnyField, value: Any, allowed: Scopes) -> Any:
    match field, value:
        case fields.Pluck(), _:
            return value
        case fields.Nested(), list() | tuple():
            return [_visible(field, each, allowed) for each in value]
        case fields.Nested(), dict():
            return _visible_object(field.schema, value, allowed)
        case fields.List(), list() | tuple():
            return [_visible(field.inner, each, allowed) for each in value]
        case fields.Tuple(), list() | tuple():
            return [_visible(part, each, allowed) for part, each in zip(field.tuple_fields, value, strict=False)]
        case fields.Mapping(value_field=fields.Field() as inner), dict():
            return {name: _visible(inner, each, allowed) for name, each in value.items()}
    return value


def _parts_of(field: AnyField) -> Iterable[AnyField]:
    """The fields within a field, unless they are those of an object."""
    match field:
        case fields.List(inner=inner):
            return [inner]
        case fields.Tuple(tuple_fields=parts):
            return list(parts)
        case fields.Mapping(value_field=fields.Field() as inner):
            return [inner]
        case fields.Pluck(schema=schema, field_name=name):
            return [schema.dump_fields[name]]
    return []


def field_scopes(schema: Schema) -> frozenset[str]:
    """The scopes that fields of the schema need, at any depth."""
    found, waiting, seen = set[str](), [*schema.dump_fields.values()], {type(schema)}
    while waiting:
        each = waiting.pop()
        found |= {each.metadata["scope"]} if "scope" in each.metadata else set()
        waiting += _parts_of(each)
        # A schema may contain itself.
        if isinstance(each, fields.Nested) and type(each.schema) not in seen:
            seen.add(type(each.schema))
            waiting += each.schema.dump_fields.values()
    return frozenset(found)


def as_schema(given: SchemaLike) -> Schema:
    """The schema, from an instance or a class."""
    made = given() if isinstance(given, type) else given
    if not isinstance(made, Schema):
        raise TypeError(f"a marshmallow schema is needed, not {given!r}")
    return made


def optional_schema(given: SchemaLike | None) -> Schema | None:
    """Like `as_schema`, or None."""
    return None if given is None else as_schema(given)


def scope_set(scope: str | Iterable[str]) -> frozenset[str]:
    """The scopes as a set, from one scope or several."""
    return frozenset([scope] if isinstance(scope, str) else scope)


def title_from(name: str) -> str:
    """``due_date`` and ``dueDate`` as ``Due date``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    # An abbreviation, such as the ID in userID, stays as it is.
    lower = [word if word.isupper() else word.lower() for word in words]
    text = " ".join(lower)
    return text[:1].upper() + text[1:]


def first_paragraph(function: Callable[..., Any]) -> str:
    """The first paragraph of the function's docstring, as one line."""
    return " ".join((function.__doc__ or "").strip().partition("\n\n")[0].split())
