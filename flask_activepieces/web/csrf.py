"""Peace with the host's CSRF protection (Flask-WTF), whichever of the two was initialised first.

Machine endpoints and views behind `require_scope` take no cookie, so there is nothing to forge: they are exempt.
The JSON API is exempt as well, and asks the protection itself where no browser vouches for a call: so it answers in
its own format. Our pages are not exempt, and carry the host's token besides their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, current_app

from .bearer import scopes_of
from .first_request import at_first_request
from .routes import NAME, Route


def exempt_views(app: Flask, routes: list[Route]) -> None:
    """At the first request, when every extension and view is in place, tell the protection what to leave alone."""
    ours = {f"{NAME}.{route.endpoint}" for route in routes if route.guards_itself}

    def exempt(app: Flask) -> None:
        protection = app.extensions.get("csrf")
        if protection is not None:
            checked = set(app.config["WTF_CSRF_METHODS"])
            for view in _exempt(app.view_functions, ours, checked):
                protection.exempt(view)

    at_first_request(app, exempt)


def ask_host_protection() -> None:
    """Let the host's protection, if it has one that checks by itself, look for its token in this request."""
    protection = current_app.extensions.get("csrf")
    checks = ("WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT")
    if protection is not None and all(current_app.config[key] for key in checks):
        protection.protect()


def _exempt(
    views: Mapping[str, Callable[..., Any]], ours: set[str], checked: set[str]
) -> list[Callable[..., Any]]:
    # Flask-WTF knows a view by its dotted name only. Where a view that a cookie opens has the same name, as two
    # functions made in two factories of one module can, that name stays protected.
    free, guarded = [], set()
    for endpoint, view in views.items():
        if endpoint in ours or _is_for_tokens(view, checked):
            free.append(view)
        else:
            guarded.add(_dotted_name(view))
    return [view for view in free if _dotted_name(view) not in guarded]


def _is_for_tokens(view: Callable[..., Any], checked: set[str]) -> bool:
    """Whether no cookie opens the view: the scope is asked for around it, or by each method that is checked."""
    if scopes_of(view) is not None:
        return True
    view_class = getattr(view, "view_class", None)
    # A decorator around the class's own view has its attributes, and may act before the class does.
    if view_class is None or hasattr(view, "__wrapped__"):
        return False
    if scopes_of(view_class.dispatch_request) is not None:
        return True
    methods = [getattr(view_class, name.lower(), None) for name in checked]
    there_are = [method for method in methods if method is not None]
    return bool(there_are) and all(scopes_of(method) is not None for method in there_are)


def _dotted_name(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{view.__name__}"
