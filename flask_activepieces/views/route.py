"""A route, and views that are imported when they are first called.

The JSON API stands on marshmallow, webargs, apispec and requests. An app that only signs people in, or a command
that never calls Activepieces, need not wait for them to load.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from flask.typing import ResponseReturnValue

#: The name of our blueprint.
NAME = "activepieces"

View = Callable[..., ResponseReturnValue]


class Route(NamedTuple):
    """One rule: where, under which endpoint name, by which methods, answered by which view."""

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    view: View
    #: The host's CSRF protection must leave it alone: no cookie opens it, or (the JSON API) it asks that itself.
    guards_itself: bool = False


class Later:
    """A view by its name: ``Later("clients_api", "list_clients")``. To Flask, it is the view itself."""

    __name__: str

    def __init__(self, module: str, name: str) -> None:
        # Flask-WTF tells views apart by these two.
        self.__module__ = f"{__package__}.{module}"
        self.__name__ = name

    def load(self) -> View:
        """The view, imported by now."""
        view: View = getattr(import_module(self.__module__), self.__name__)
        return view

    def __call__(self, **path: str) -> ResponseReturnValue:
        return self.load()(**path)
