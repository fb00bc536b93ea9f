"""The functions of a view: the view itself, and what its decorators wrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask.views import View

AnyView = Callable[..., Any]


def layers(function: AnyView) -> Iterator[AnyView]:
    """The function, and the functions that it wraps (`functools.wraps`), from the outside in."""
    yield function
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
        yield function


def view_class_of(view: AnyView) -> type[View] | None:
    """The class of a class-based view, also of a decorated one."""
    classes = (getattr(layer, "view_class", None) for layer in layers(view))
    return next((each for each in classes if each is not None), None)


def class_methods(view: AnyView) -> Mapping[str, AnyView]:
    """HTTP method -> function, of a class-based view that has one function for each method."""
    view_class = view_class_of(view)
    methods = (view_class.methods or ()) if view_class is not None else ()
    return {name: getattr(view_class, name.lower()) for name in methods if hasattr(view_class, name.lower())}
