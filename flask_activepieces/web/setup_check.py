"""What a developer forgot to set up, as far as the first request shows it: logged with the remedy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from flask import Flask, request

from ..config.settings import Scope
from ..errors import DeclarationError
from ..host.interface import Host
from ..pieces.registry import PieceRegistry
from ..state import get_state
from .bearer import scopes_of
from .routes import NAME
from .view_functions import AnyView, layers, view_class_of

log = logging.getLogger(__name__)


def check_setup(app: Flask) -> None:
    """Log what is missing."""
    state = get_state(app)
    _check_scopes(app.view_functions, state.settings.scopes)
    _check_login(state.host)
    _check_piece(state.piece)
    _check_mcp_path(app, state.settings.mcp_path)
    public_url = state.settings.public_url
    if public_url is not None:
        # As the server in front of the app says, and as the app is configured.
        mounts = {path.rstrip("/") for path in (request.root_path, app.config["APPLICATION_ROOT"])}
        for mount in sorted(mounts - {""}):
            _check_mount(mount, public_url)


def _check_scopes(views: Mapping[str, AnyView], scopes: Mapping[str, Scope]) -> None:
    required: dict[str, list[str]] = {}
    for endpoint, view in views.items():
        for scope in sorted(_required_scopes(view)):
            required.setdefault(scope, []).append(endpoint)
    unknown = [
        f"{scope!r} of {', '.join(endpoints)}{_did_you_mean(scope, scopes)}"
        for scope, endpoints in required.items()
        if scope not in scopes
    ]
    if unknown:
        log.error(
            "ACTIVEPIECES_SCOPES lacks scopes that views require, so no access token is accepted there: %s."
            " Add the scopes to the setting, or correct their names.",
            "; ".join(unknown),
        )
    elif not scopes:
        log.warning(
            "ACTIVEPIECES_SCOPES is empty, so no OAuth client can be registered. Set it to the permissions that other"
            ' programs may request, such as {"tasks:read": "See tasks"}.'
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


def _check_piece(piece: PieceRegistry) -> None:
    try:
        piece.definition()
    except DeclarationError as error:
        log.error("%s", error)


def _check_mcp_path(app: Flask, path: str) -> None:
    endpoints = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == path]
    others = [endpoint for endpoint in endpoints if not endpoint.startswith(f"{NAME}.")]
    if others and len(others) < len(endpoints):
        log.error(
            "Two routes have the path %s: the view %s of the app, and the endpoint for agents. Set"
            " ACTIVEPIECES_MCP_PATH to another path, or ACTIVEPIECES_MCP to False.",
            path,
            others[0],
        )


def _check_login(host: Host) -> None:
    try:
        host.login_url("/")
    except Exception as error:
        # Any error would occur again when a user has to sign in.
        log.error("Users cannot be sent to the login page: %s", error)


def _check_mount(mount: str, public_url: str) -> None:
    public = urlsplit(public_url)
    if not public.path.endswith(mount):
        log.error(
            "The app is mounted at %s, but ACTIVEPIECES_PUBLIC_URL does not end with that path, so clients receive"
            " URLs outside the app. Set it to %s.",
            mount,
            f"{public.scheme}://{public.netloc}{mount}",
        )
