"""The problems in the declarations of an app, each with its remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from marshmallow import Schema

from ...config.scopes import Scope
from .. import auth as kinds
from .. import fields as own
from ..declarations import Account, Action, Audience, Declared, Piece, Trigger, as_schema, field_scopes
from ..definition import CUSTOM_API_CALL, PieceDefinition, ViewRoute
from ..manifest import Addresses, build_manifest
from ..properties import (
    IN_ARRAY,
    IN_CUSTOM_AUTH,
    IN_FORM,
    IN_OAUTH2,
    AnyField,
    UnknownKind,
    input_fields,
    is_file,
    item_schema,
    options_of,
    property_of,
)
from ..schemas import sample
from ..translations import unused_translations

#: Activepieces' workers silently ignore other names.
PIECE_NAME = re.compile(r"(?!.*\.\.)(@[a-z0-9][a-z0-9_.-]*/)?[a-z0-9][a-z0-9_.-]*")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: The languages of Activepieces.
LANGUAGES = frozenset(["nl", "en", "de", "fr", "es", "ja", "zh", "pt", "ar", "zh-TW"])
#: Servers reject a piece in another category without a reason.
CATEGORIES = frozenset(
    ["ARTIFICIAL_INTELLIGENCE", "COMMUNICATION", "COMMERCE", "CORE", "UNIVERSAL_AI", "FLOW_CONTROL"]
    + ["BUSINESS_INTELLIGENCE", "ACCOUNTING", "PRODUCTIVITY", "CONTENT_AND_FILES", "DEVELOPER_TOOLS"]
    + ["CUSTOMER_SUPPORT", "FORMS_AND_SURVEYS", "HUMAN_RESOURCES", "PAYMENT_PROCESSING", "MARKETING", "SALES_AND_CRM"]
)
#: The engine passes the connection under this name, together with the fields of the form.
CONNECTION = "auth"
#: The parameters that Activepieces itself adds to the authorization URL (RFC 6749 §4.1.1, RFC 7636 §4.3).
OWN_PARAMETERS = frozenset(
    ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"]
    + ["access_type", "prompt"]
)

#: Texts do not depend on the address of the app.
_ANYWHERE = Addresses(base_url="https://app.example.com", oauth_prefix="/oauth", api_path="/piece")

Protected = Callable[[Callable[..., Any]], bool]


def find_problems(
    definition: PieceDefinition,
    declared: Sequence[Declared],
    *,
    protected: Protected,
    known_scopes: Mapping[str, Scope],
) -> list[str]:
    """All problems, in the order of the declarations.

    ``protected`` tells whether a function is a view with `require_scope`, even if the app has no route for it.
    """
    found = [
        *_piece_problems(definition.piece),
        *(problem for each in definition.piece.auth for problem in _auth_problems(each, definition)),
        *_name_problems(declared, definition.piece),
        *(
            problem
            for each in definition.actions.values()
            for problem in _action_problems(each, definition, protected)
        ),
        *(problem for each in definition.triggers.values() for problem in _trigger_problems(each, definition)),
        *_scope_problems(definition, known_scopes),
    ]
    # The texts of a piece can only be collected if everything else is valid.
    return list(dict.fromkeys(found)) or list(_translation_problems(definition))


def _translation_problems(definition: PieceDefinition) -> Iterator[str]:
    manifest = build_manifest(definition, _ANYWHERE, version="1.0.0")
    for language, text, similar in unused_translations(manifest, definition.piece.translations):
        remedy = f"correct it to {similar!r}, or remove it" if similar else "remove it"
        yield f"translations: Activepieces translates no text {text!r} of this piece ({language}); {remedy}"


def _piece_problems(piece: Piece) -> Iterator[str]:
    if not PIECE_NAME.fullmatch(piece.name):
        yield f"piece name {piece.name!r}: use @scope/piece-name or piece-name, in lower case"
    if not piece.title.strip():
        yield "the piece has no title: Piece(..., title=...)"
    for what in ("authors", "categories"):
        if isinstance(getattr(piece, what), str):
            yield f"{what} of the piece: use a list, as in {what}=[{getattr(piece, what)!r}]"
    unknown = [] if isinstance(piece.categories, str) else sorted(set(piece.categories) - CATEGORIES)
    if unknown:
        yield f"categories of the piece: {', '.join(unknown)} do not exist; use {', '.join(sorted(CATEGORIES))}"
    for language in sorted(set(piece.translations) - LANGUAGES):
        yield f"translations: Activepieces has no language {language!r}; use {', '.join(sorted(LANGUAGES))}"
    if not piece.auth:
        yield "auth of the piece is empty, so no one could connect: Piece(..., auth=[auth.OAuth2()])"
    found = [each.kind for each in piece.auth]
    for kind in sorted({each for each in found if found.count(each) > 1}):
        yield f"auth: two of the kind {kind}; Activepieces accepts one of each"


def _auth_problems(declared: kinds.Auth, definition: PieceDefinition) -> Iterator[str]:
    what = f"auth {declared.kind}"
    match declared:
        case kinds.OAuth2():
            yield from _oauth2_problems(what, declared, definition)
        case kinds.CustomAuth():
            yield from _form_problems(what, as_schema(declared.form), IN_CUSTOM_AUTH)
            if declared.refresh is not None and declared.refresh < 1:
                yield f"{what}: refresh is the lifetime of a token in seconds, such as 3600"


def _oauth2_problems(what: str, declared: kinds.OAuth2, definition: PieceDefinition) -> Iterator[str]:
    yield from _choice_problem(f"{what}: grant_type", declared.grant_type, kinds.GrantType)
    yield from _choice_problem(
        f"{what}: authorization_method", declared.authorization_method, kinds.AuthorizationMethod
    )
    if declared.prompt is not None:
        yield from _choice_problem(f"{what}: prompt", declared.prompt, kinds.Prompt)
    for parameter in sorted(OWN_PARAMETERS & set(declared.extra)):
        yield f"{what}: remove {parameter!r} from extra, because Activepieces sends it itself"
    form = None if declared.form is None else as_schema(declared.form)
    yield from _form_problems(what, form, IN_OAUTH2)
    if "base_url" in dict(input_fields(form)):
        yield f"{what}: remove base_url from the form, and use OAuth2(asks_for_address=True)"
    missing = [] if declared.scopes is None else sorted(set(definition.scopes) - set(declared.scopes))
    if missing:
        yield f"{what}: scopes lack {', '.join(missing)}, which actions or triggers need; add them, or omit scopes"


def _name_problems(declared: Sequence[Declared], piece: Piece) -> Iterator[str]:
    seen: set[tuple[type, str]] = set()
    for each in declared:
        name = "" if isinstance(each, Account) else each.name
        what = "the function for account" if isinstance(each, Account) else f"{type(each).__name__.lower()} {name!r}"
        if not isinstance(each, Account) and not NAME.fullmatch(name):
            yield f"{what}: a name has lower-case letters, digits and _, and begins with a letter"
        if isinstance(each, Action) and piece.custom_api_call and name == CUSTOM_API_CALL:
            yield f"{what}: use another name, because this one is that of Piece(custom_api_call=True)"
        if (type(each), name) in seen:
            yield f"{what} is declared twice; remove one, or declare each with on(blueprint) for apps of its own"
        seen.add((type(each), name))


def _action_problems(action: Action, definition: PieceDefinition, protected: Protected) -> Iterator[str]:
    what = f"action {action.name!r}"
    route = definition.routes.get(action.name)
    if route is None and protected(action.function):
        yield (
            f"{what}: its view has no route in this app; write @….action directly below the decorator of the route,"
            " and declare it with on(blueprint) if not every app has that blueprint"
        )
    elif route is None and not action.scopes:
        yield f"{what}: needs a scope, as in action({action.name!r}, scope='tasks:write'), or @require_scope"
    elif route is not None and not route.scopes:
        yield f"{what}: its view {route.path} is not protected; write @require_scope(…) directly above the function"
    if not action.description:
        yield f"{what}: needs a description, or a docstring"
    yield from _choice_problem(f"{what}: audience", action.audience, Audience)
    if action.read_only and action.destructive:
        yield f"{what}: read_only and destructive exclude each other; remove one"
    yield from _form_problems(what, action.input, IN_FORM)
    yield from _option_problems(what, action.input, definition)
    if route is not None:
        yield from _route_problems(what, dict(input_fields(action.input)), route)


def _route_problems(what: str, fields: Mapping[str, AnyField], route: ViewRoute) -> Iterator[str]:
    for name in route.path_params:
        if name not in fields:
            yield f"{what}: the input schema has no field {name!r}, which the route {route.path} needs"
        elif not fields[name].required:
            yield f"{what}, field {name!r}: is a part of the route {route.path}, so it must have required=True"
    if route.method in ("GET", "DELETE"):
        for name in (name for name, field in fields.items() if is_file(field)):
            yield f"{what}, field {name!r}: {route.method} has no body for a file; use a route with POST or PUT"


def _trigger_problems(trigger: Trigger, definition: PieceDefinition) -> Iterator[str]:
    what = f"trigger {trigger.name!r}"
    if not trigger.scopes:
        yield f"{what}: needs a scope, as in trigger({trigger.name!r}, scope='tasks:read')"
    if not trigger.description:
        yield f"{what}: needs a description"
    if trigger.matches is not None and trigger.input is None:
        yield f"{what}: matches= compares an event with the fields of input=, which is missing"
    yield from _form_problems(what, trigger.input, IN_FORM)
    yield from _option_problems(what, trigger.input, definition)
    try:
        json.dumps(sample(trigger.payload))
    except TypeError as error:
        yield f"{what}: the metadata example of a field in payload= must be JSON ({error})"


def _form_problems(what: str, schema: Schema | None, allowed: frozenset[str]) -> Iterator[str]:
    for path, field, allowed_here in _fields_of(schema, allowed):
        try:
            property_of(path, field, allowed=allowed_here)
        except UnknownKind as problem:
            yield f"{what}, field {problem}"
        if isinstance(field, own.Note):
            yield from _choice_problem(f"{what}, field {path}: style", field.style, own.NoteStyle)
    names = [name for name, _ in input_fields(schema)]
    if CONNECTION in names:
        yield f"{what}, field {CONNECTION}: Activepieces uses this name for the connection; set another data_key"
    for name, field in input_fields(schema):
        other = field.format_field if isinstance(field, own.RichText) else None
        if other is not None and other not in names:
            yield f"{what}, field {name}: the form has no field {other!r} with the format"


def _option_problems(what: str, schema: Schema | None, definition: PieceDefinition) -> Iterator[str]:
    names = {name for name, _ in input_fields(schema)}
    for path, field, _ in _fields_of(schema, IN_FORM):
        name, refreshers = options_of(field)
        declared = definition.options.get(name or "")
        if name is not None and declared is None:
            yield f"{what}, field {path}: there are no options {name!r}; declare them with @….options({name!r})"
        for unknown in sorted({*refreshers, *(declared.refreshers if declared else ())} - names):
            yield f"{what}, field {path}: the form has no field {unknown!r} to refresh by"


def _fields_of(schema: Schema | None, allowed: frozenset[str]) -> Iterator[tuple[str, AnyField, frozenset[str]]]:
    """The path of each field, including those in lists of objects, and the kinds that it can have."""
    for name, field in input_fields(schema):
        yield name, field, allowed
        for inner_name, inner in input_fields(item_schema(field)):
            yield f"{name}.{inner_name}", inner, IN_ARRAY


def _scope_problems(definition: PieceDefinition, known: Mapping[str, Scope]) -> Iterator[str]:
    for scope, what in _used_scopes(definition):
        if scope not in known:
            yield f"{what}: scope {scope!r} is unknown; add it to ACTIVEPIECES_SCOPES with a description"


def _used_scopes(definition: PieceDefinition) -> Iterator[tuple[str, str]]:
    for action in definition.actions.values():
        yield from _sorted_pairs(definition.scopes_of(action), f"action {action.name!r}")
    for trigger in definition.triggers.values():
        yield from _sorted_pairs(trigger.scopes | field_scopes(trigger.payload), f"trigger {trigger.name!r}")
    for options in definition.options.values():
        yield from _sorted_pairs(options.scopes, f"options {options.name!r}")
    for each in definition.piece.auth:
        if isinstance(each, kinds.OAuth2):
            yield from _sorted_pairs(each.scopes or (), f"auth {each.kind}")


def _sorted_pairs(scopes: Iterable[str], what: str) -> Iterator[tuple[str, str]]:
    return ((scope, what) for scope in sorted(scopes))


def _choice_problem(what: str, value: object, choices: Any) -> Iterator[str]:
    if value not in get_args(choices):
        yield f"{what} {value!r} does not exist; use {' or '.join(map(repr, get_args(choices)))}"
