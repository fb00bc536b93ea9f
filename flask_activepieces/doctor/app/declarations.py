"""What the app declares: the scopes of its views, and its piece."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from flask import Flask

from ...config.scopes import Scope
from ...config.settings import Settings
from ...errors import DeclarationError
from ...pieces.registry import PieceRegistry
from ...web.bearer import scopes_of
from ...web.routes import is_ours
from ...web.view_functions import AnyView, layers, view_class_of
from ..findings import Findings, Kind

UNKNOWN_SCOPES = Kind("scopes-unknown", "error", "No access token is accepted by these views.")
NO_SCOPES = Kind("scopes-empty", "warning", "No OAuth client can be registered.")
PIECE = Kind("piece-declarations", "error", "The piece cannot be built, and its actions and triggers do not work.")
PIECE_NAME = Kind("piece-name", "error", "One click connects users with another piece than the app declares.")

MCP_PATH = Kind("mcp-path", "error", "Agents reach one of the two only, depending on the order of the routes.")


def check_scopes(views: Mapping[str, AnyView], scopes: Mapping[str, Scope]) -> Findings:
    """The scopes that views require are in the settings."""
    required: dict[str, list[str]] = {}
    for endpoint, view in views.items():
        if is_ours(endpoint):
            continue
        for scope in sorted(_required_scopes(view)):
            required.setdefault(scope, []).append(endpoint)
    unknown = [
        f"{scope!r} of {', '.join(endpoints)}{_did_you_mean(scope, scopes)}"
        for scope, endpoints in required.items()
        if scope not in scopes
    ]
    if unknown:
        yield UNKNOWN_SCOPES.found(
            f"ACTIVEPIECES_SCOPES lacks scopes that views require: {'; '.join(unknown)}.",
            "Add the scopes to the setting, or correct their names.",
        )
    elif not scopes:
        yield NO_SCOPES.found(
            "ACTIVEPIECES_SCOPES is empty.",
            'Set it to the permissions that other programs may request, such as {"tasks:read": "See tasks"}.',
        )


def check_piece(piece: PieceRegistry, settings: Settings) -> Findings:
    """The declarations of the piece have no problems."""
    try:
        definition = piece.definition()
    except DeclarationError as error:
        yield PIECE.found(str(error), "Correct the declarations, and restart the app.")
        return
    if piece.title is not None and settings.piece_name != definition.piece.name:
        yield PIECE_NAME.found(
            f"ACTIVEPIECES_PIECE_NAME is {settings.piece_name}, and the app declares {definition.piece.name}.",
            "Remove the setting.",
        )


def check_mcp_path(app: Flask, path: str) -> Findings:
    """No view of the app has the path of the endpoint for agents."""
    endpoints = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == path]
    others = [endpoint for endpoint in endpoints if not is_ours(endpoint)]
    if others and len(others) < len(endpoints):
        yield MCP_PATH.found(
            f"Two routes have the path {path}: the view {others[0]} of the app, and the endpoint for agents.",
            "Set ACTIVEPIECES_MCP_PATH to another path, or ACTIVEPIECES_MCP to False.",
        )


def _did_you_mean(scope: str, scopes: Mapping[str, Scope]) -> str:
    similar = get_close_matches(scope, scopes, n=1)
    return f" (did you mean {similar[0]!r}?)" if similar else ""


def _required_scopes(view: AnyView) -> set[str]:
    """The scopes that the view, its class, or the methods of its class require."""
    functions = [view]
    view_class = view_class_of(view)
    if view_class is not None:
        functions += [view_class.dispatch_request]
        functions += [getattr(view_class, name.lower(), view) for name in view_class.methods or ()]
    return {scope for function in functions for layer in layers(function) for scope in scopes_of(layer) or ()}
