"""The piece of an app: its declarations together with the routes of its views."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from ...errors import DeclarationError
from ...pieces.declarations import Piece
from ...pieces.declaring.checks import find_problems
from ...pieces.declaring.decorators import Declarations
from ...pieces.definition import PieceDefinition, ViewRoute, Views, counted, make_definition
from ...state import get_state
from ..bearer import scopes_of
from ..routes import is_ours
from ..view_functions import class_methods, layers
from .logo import LogoProblem, logo_url

#: ``<int(max=9):task_id>`` in the rule of a route.
_VARIABLE = re.compile(r"<(?:[a-zA-Z_]\w*(?:\([^)]*\))?:)?([a-zA-Z_]\w*)>")
#: If a view has several methods, the one that changes something is the action.
_METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")


def define_piece(app: Flask, piece: Piece | None, declarations: Declarations) -> PieceDefinition:
    """The definition; `DeclarationError` lists every problem.

    An app without a `Piece` may still declare actions, for agents.
    """
    settings = get_state(app).settings
    piece = piece or _default_piece(app, settings.piece_name)
    problems: list[str] = []
    try:
        logo = logo_url(piece, Path(app.root_path))
    except LogoProblem as problem:
        logo, problems = "", [str(problem)]
    declared = counted(declarations, [*app.blueprints.values()])
    definition = make_definition(piece, declared, views=all_views(app), logo_url=logo)
    problems += find_problems(definition, declared, protected=_is_protected, known_scopes=settings.scopes)
    if problems:
        raise DeclarationError(problems)
    return definition


def all_views(app: Flask) -> Views:
    """The routes of each view of the app, in their order: by the view, and by each function that it wraps."""
    found: dict[Callable[..., Any], list[ViewRoute]] = {}
    for rule in app.url_map.iter_rules():
        if is_ours(rule.endpoint):
            continue
        for function, route in _routes(app, rule):
            routes = found.setdefault(function, [])
            if route not in routes:
                routes.append(route)
    return found


def _routes(app: Flask, rule: Rule) -> Iterator[tuple[Callable[..., Any], ViewRoute]]:
    view = app.view_functions.get(rule.endpoint)
    if view is None:
        return
    scopes = _scopes(view)
    for layer in layers(view):
        yield layer, _route(rule, _method(rule), scopes)
    for method, function in class_methods(view).items():
        for layer in layers(function):
            yield layer, _route(rule, method, scopes | _scopes(function))


def _route(rule: Rule, method: str, scopes: frozenset[str]) -> ViewRoute:
    return ViewRoute(
        method=method,
        path=_VARIABLE.sub(r"{\1}", rule.rule),
        rule=rule.rule,
        path_params=tuple(_VARIABLE.findall(rule.rule)),
        scopes=scopes,
    )


def _method(rule: Rule) -> str:
    return next((method for method in _METHODS if method in (rule.methods or ())), "GET")


def _scopes(view: Callable[..., Any]) -> frozenset[str]:
    return frozenset().union(*(scopes_of(layer) or () for layer in layers(view)))


def _is_protected(function: Callable[..., Any]) -> bool:
    return bool(_scopes(function))


def _default_piece(app: Flask, name: str | None) -> Piece:
    words = re.findall("[a-z0-9]+", app.name.lower())
    return Piece(name=name or f"piece-{'-'.join(words)}", title=app.name)
