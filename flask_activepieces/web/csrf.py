"""Working with the host's CSRF protection (Flask-WTF), in whichever order the two were initialized.

Token endpoints and views with `require_scope` read no cookie, so they are exempt. The JSON API is exempt as well, and
calls the protection itself when a browser does not vouch for the request, so that errors keep its own format. Our
pages are not exempt: their forms have the host's token besides our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, current_app

from .bearer import scopes_of
from .routes import NAME, Route

AnyView = Callable[..., Any]


def exempt_from_csrf(app: Flask, routes: list[Route]) -> None:
    """Exempt views, once every extension and view is in place."""
    protection = app.extensions.get("csrf")
    if protection is not None:
        endpoints = {f"{NAME}.{route.endpoint}" for route in routes if route.csrf_exempt}
        checked_methods = set(app.config["WTF_CSRF_METHODS"])
        for view in _exempt_views(app.view_functions, endpoints, checked_methods):
            protection.exempt(view)


def check_host_csrf() -> None:
    """Let the host's protection check this request, if the host has one that checks automatically."""
    protection = current_app.extensions.get("csrf")
    options = ("WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT")
    if protection is not None and all(current_app.config[option] for option in options):
        protection.protect()


def _exempt_views(views: Mapping[str, AnyView], endpoints: set[str], checked_methods: set[str]) -> list[AnyView]:
    # Flask-WTF identifies a view by its dotted name. If a protected view has the same name, as two functions made by
    # two factories of one module can, that name stays protected.
    exempt, protected_names = [], set()
    for endpoint, view in views.items():
        if endpoint in endpoints or _needs_access_token(view, checked_methods):
            exempt.append(view)
        else:
            protected_names.add(_dotted_name(view))
    return [view for view in exempt if _dotted_name(view) not in protected_names]


def _needs_access_token(view: AnyView, checked_methods: set[str]) -> bool:
    """Whether `require_scope` is around the view, or around each of its methods that the protection checks."""
    if scopes_of(view) is not None:
        return True
    view_class = getattr(view, "view_class", None)
    # A decorator around the view of a class, or in its ``decorators``, may act before the class does. Its result has
    # the attribute ``view_class``, too.
    if view_class is None or view_class.decorators or hasattr(view, "__wrapped__"):
        return False
    if scopes_of(view_class.dispatch_request) is not None:
        return True
    methods = [getattr(view_class, name.lower(), None) for name in checked_methods]
    return any(methods) and all(method is None or scopes_of(method) for method in methods)


def _dotted_name(view: AnyView) -> str:
    return f"{view.__module__}.{view.__name__}"
