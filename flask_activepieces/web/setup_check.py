"""What an app forgot, as far as the first request shows it: logged with the remedy, and no reason to stop."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from flask.views import View

from ..config.settings import Scope
from ..host.interface import Host
from ..state import get_state
from .bearer import scopes_of

log = logging.getLogger(__name__)

AnyView = Callable[..., Any]


def check_setup(app: Flask) -> None:
    """Log what is missing."""
    state = get_state(app)
    settings = state.settings
    _check_scopes(app.view_functions, settings.scopes)
    _check_login(state.host)
    if settings.public_url is not None:
        # What the server in front says, and what the app is configured for.
        mounts = {path.rstrip("/") for path in (request.root_path, app.config["APPLICATION_ROOT"])}
        for mount in sorted(mounts - {""}):
            _check_mount(mount, settings.public_url)


def _check_scopes(views: Mapping[str, AnyView], known: Mapping[str, Scope]) -> None:
    required: dict[str, list[str]] = {}
    for endpoint, view in views.items():
        for name in sorted(_scopes_in(view)):
            required.setdefault(name, []).append(endpoint)
    unknown = {name: endpoints for name, endpoints in required.items() if name not in known}
    if unknown:
        listed = "; ".join(
            f"{name!r} of {', '.join(endpoints)}{_did_you_mean(name, known)}"
            for name, endpoints in unknown.items()
        )
        log.error(
            "ACTIVEPIECES_SCOPES lacks scopes that views require, so no access token opens these views: %s."
            " Add the scopes to the setting, or correct the names.",
            listed,
        )
    elif not known:
        log.warning(
            "ACTIVEPIECES_SCOPES is empty, so no OAuth client can be registered. Set it to what other programs may"
            ' ask for, such as {"tasks:read": "See tasks"}.'
        )


def _did_you_mean(name: str, known: Mapping[str, Scope]) -> str:
    similar = get_close_matches(name, known, n=1)
    return f" (did you mean {similar[0]!r}?)" if similar else ""


def _scopes_in(view: AnyView) -> set[str]:
    """The scopes that the view requires, around it, in its class, or in the methods of its class."""
    functions = [view]
    view_class: type[View] | None = getattr(inspect.unwrap(view), "view_class", None)
    if view_class is not None:
        functions += [view_class.dispatch_request]
        functions += [getattr(view_class, name.lower(), view) for name in view_class.methods or ()]
    layers = (layer for function in functions for layer in _layers(function))
    return {name for layer in layers for name in scopes_of(layer) or ()}


def _layers(function: AnyView) -> Iterator[AnyView]:
    """The function, and what its decorators wrap."""
    while True:
        yield function
        if not hasattr(function, "__wrapped__"):
            return
        function = function.__wrapped__


def _check_login(host: Host) -> None:
    try:
        host.login_url("/")
    except Exception as error:
        # Whatever it is, it would come again when a user is to be sent there.
        log.error("Users cannot be sent to the login page: %s", error)


def _check_mount(mount: str, public_url: str) -> None:
    public = urlsplit(public_url)
    if not public.path.endswith(mount):
        log.error(
            "The app is mounted at %s, but ACTIVEPIECES_PUBLIC_URL does not end with that path, so clients are given"
            " addresses that lead past the app. Set it to %s://%s%s.",
            mount,
            public.scheme,
            public.netloc,
            mount,
        )
