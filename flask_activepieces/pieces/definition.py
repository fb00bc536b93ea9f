"""Checks the declarations of an app against its routes and scopes, all at once, and keeps what is valid by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema, fields

from ..config.settings import Scope
from ..errors import SetupError
from . import auth as kinds
from .declarations import Action, Declarations, Options, Piece, Trigger
from .fields import Dynamic
from .properties import IN_CUSTOM_AUTH, IN_FORM, IN_OAUTH2, UnknownKind, input_fields, properties_of

#: The worker of Activepieces skips other names silently.
PIECE_NAME = re.compile(r"(?!.*\.\.)(@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: The action for any other route of the app.
CUSTOM_API_CALL = "custom_api_call"
#: The languages of Activepieces' own pages.
LANGUAGES = frozenset(["nl", "en", "de", "fr", "es", "ja", "zh", "pt", "ar", "zh-TW"])

Declared = TypeVar("Declared", Action, Trigger, Options)


@dataclass(frozen=True, kw_only=True)
class ViewRoute:
    """The route of a protected view: ``/api/tasks/{task_id}``."""

    method: str
    path: str
    path_params: tuple[str, ...]
    scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class PieceDefinition:
    """The valid declarations of one app."""

    piece: Piece
    actions: Mapping[str, Action]
    triggers: Mapping[str, Trigger]
    options: Mapping[str, Options]
    #: By the name of the action: the routes of those that are views.
    routes: Mapping[str, ViewRoute]
    describe_account: Callable[..., Mapping[str, Any]] | None = field(default=None, repr=False)

    def scopes_of(self, action: Action) -> frozenset[str]:
        """What a token needs for the action."""
        route = self.routes.get(action.name)
        return route.scopes | action.scopes if route else action.scopes

    @property
    def scopes(self) -> list[str]:
        """The scopes of all actions, triggers and options."""
        used = [self.scopes_of(action) for action in self.actions.values()]
        used += [trigger.scopes for trigger in self.triggers.values()]
        used += [options.scopes for options in self.options.values()]
        return sorted(frozenset().union(*used))


def define(
    piece: Piece,
    declarations: Declarations,
    *,
    views: Mapping[Callable[..., Any], ViewRoute],
    protected: Callable[[Callable[..., Any]], bool],
    blueprints: Collection[str],
    known_scopes: Mapping[str, Scope],
) -> PieceDefinition:
    """The definition; one `SetupError` with every problem and its remedy.

    ``views`` are the protected views of the app with their routes; ``protected`` tells whether a function is a
    protected view, even if the app has no route for it.
    """
    counted = [each for each in declarations if each.blueprint is None or each.blueprint in blueprints]
    actions = [each for each in counted if isinstance(each, Action)]
    definition = PieceDefinition(
        piece=piece,
        actions=_by_name(actions),
        triggers=_by_name(each for each in counted if isinstance(each, Trigger)),
        options=_by_name(each for each in counted if isinstance(each, Options)),
        routes={action.name: views[action.function] for action in actions if action.function in views},
        describe_account=declarations.describe_account,
    )
    problems = [
        *_piece_problems(piece),
        *_name_problems(counted),
        *(problem for action in actions for problem in _action_problems(action, definition, protected)),
        *(problem for trigger in definition.triggers.values() for problem in _trigger_problems(trigger)),
        *_scope_problems(definition, known_scopes),
        *_option_problems(definition),
    ]
    if problems:
        raise SetupError("The piece cannot be built:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return definition


def _by_name(declared: Iterable[Declared]) -> dict[str, Declared]:
    return {each.name: each for each in declared}


def _piece_problems(piece: Piece) -> Iterator[str]:
    if not PIECE_NAME.fullmatch(piece.name):
        yield f"piece name {piece.name!r}: use @scope/piece-name or piece-name, in lower case"
    if not piece.title.strip():
        yield "the piece has no title: Piece(..., title=...)"
    found = [each.kind for each in piece.auth]
    for kind in sorted({each for each in found if found.count(each) > 1}):
        yield f"auth: two of the kind {kind}; Activepieces accepts one of each"
    for language in sorted(set(piece.translations) - LANGUAGES):
        yield f"translations: Activepieces has no language {language!r}; use {', '.join(sorted(LANGUAGES))}"
    for each in piece.auth:
        form = getattr(each, "form", None)
        allowed = IN_OAUTH2 if isinstance(each, kinds.OAuth2) else IN_CUSTOM_AUTH
        yield from _form_problems(f"auth {each.kind}", form() if form else None, allowed)


def _name_problems(declared: list[Action | Trigger | Options]) -> Iterator[str]:
    seen: set[tuple[type, str]] = set()
    for each in declared:
        what = f"{type(each).__name__.lower()} {each.name!r}"
        if not NAME.fullmatch(each.name):
            yield f"{what}: a name has lower-case letters, digits and _, and begins with a letter"
        if each.name == CUSTOM_API_CALL:
            yield f"{what}: this name is that of Piece(custom_api_call=True)"
        if (type(each), each.name) in seen:
            yield f"{what} is declared twice"
        seen.add((type(each), each.name))


def _action_problems(
    action: Action, definition: PieceDefinition, protected: Callable[[Callable[..., Any]], bool]
) -> Iterator[str]:
    what = f"action {action.name!r}"
    route = definition.routes.get(action.name)
    if route is None and protected(action.function):
        yield f"{what}: its view has no route; write @activepieces.action directly below the decorator of the route"
    elif route is None and not action.scopes:
        yield f"{what}: needs a scope, as in action({action.name!r}, scope='tasks:write'), or @require_scope"
    if not action.description:
        yield f"{what}: needs a description, or a docstring"
    yield from _form_problems(what, action.input, IN_FORM)
    if route:
        names = {name for name, _ in input_fields(action.input)}
        for missing in sorted(set(route.path_params) - names):
            yield f"{what}: the input schema has no field {missing!r}, which the route {route.path} needs"


def _trigger_problems(trigger: Trigger) -> Iterator[str]:
    what = f"trigger {trigger.name!r}"
    if not trigger.scopes:
        yield f"{what}: needs a scope"
    if not trigger.description:
        yield f"{what}: needs a description"
    if trigger.matches is not None and trigger.input is None:
        yield f"{what}: matches= compares an event with the fields of input=, which is missing"
    yield from _form_problems(what, trigger.input, IN_FORM)


def _form_problems(what: str, schema: Schema | None, allowed: frozenset[str]) -> Iterator[str]:
    try:
        properties_of(schema, allowed=allowed)
    except UnknownKind as problem:
        yield f"{what}: {problem}"


def _scope_problems(definition: PieceDefinition, known: Mapping[str, Scope]) -> Iterator[str]:
    of_auth = {
        scope for each in definition.piece.auth if isinstance(each, kinds.OAuth2) for scope in each.scopes or ()
    }
    for scope in sorted(({*definition.scopes} | of_auth) - set(known)):
        yield f"scope {scope!r} is used by the piece: add it to ACTIVEPIECES_SCOPES with a description"


def _option_problems(definition: PieceDefinition) -> Iterator[str]:
    for what, schema in (
        *((f"action {each.name!r}", each.input) for each in definition.actions.values()),
        *((f"trigger {each.name!r}", each.input) for each in definition.triggers.values()),
    ):
        for name, each in input_fields(schema):
            options, refreshers = options_of(each)
            if options is not None and options not in definition.options:
                yield f"{what}, field {name!r}: there are no options {options!r}; declare them with @….options"
            for unknown in sorted(set(refreshers) - {other for other, _ in input_fields(schema)}):
                yield f"{what}, field {name!r}: the form has no field {unknown!r} to refresh by"


def options_of(each: fields.Field[Any]) -> tuple[str | None, tuple[str, ...]]:
    """The declared options of a field, and the fields whose change loads them again."""
    if isinstance(each, Dynamic):
        return each.options, each.refreshers
    inner = each.inner if isinstance(each, fields.List) else each
    return inner.metadata.get("options"), tuple(inner.metadata.get("refreshers", ()))
