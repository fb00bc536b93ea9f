"""The piece of an app: its declarations together with the routes of its protected views."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from ...pieces.declarations import Declarations, Piece
from ...pieces.definition import PieceDefinition, ViewRoute, define
from ...state import get_state
from ..bearer import scopes_of

#: ``<int(max=9):task_id>`` in the rule of a route.
_VARIABLE = re.compile(r"<(?:[a-zA-Z_]\w*(?:\([^)]*\))?:)?([a-zA-Z_]\w*)>")
#: If a view has several methods, the one that changes something is the action.
_METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")


def define_piece(app: Flask, piece: Piece | None, declarations: Declarations) -> PieceDefinition:
    """The definition; an app without a `Piece` may still declare actions, for agents."""
    settings = get_state(app).settings
    return define(
        piece or Piece(name=settings.piece_name or f"piece-{app.name.replace('_', '-')}", title=app.name),
        declarations,
        views=protected_views(app),
        protected=lambda function: scopes_of(function) is not None,
        blueprints=app.blueprints,
        known_scopes=settings.scopes,
    )


def protected_views(app: Flask) -> dict[Callable[..., Any], ViewRoute]:
    """Each view with `require_scope`, and its first route."""
    found: dict[Callable[..., Any], ViewRoute] = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        scopes = scopes_of(view) if view is not None else None
        if view is not None and scopes is not None and view not in found:
            found[view] = _route(rule, scopes)
    return found


def _route(rule: Rule, scopes: frozenset[str]) -> ViewRoute:
    methods = rule.methods or set()
    return ViewRoute(
        method=next((method for method in _METHODS if method in methods), "GET"),
        path=_VARIABLE.sub(r"{\1}", rule.rule),
        path_params=tuple(_VARIABLE.findall(rule.rule)),
        scopes=scopes,
    )
