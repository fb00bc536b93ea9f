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


def class_methods(view: AnyView) -> Mapping[str, AnyView]:
    """HTTP method -> function, of a class-based view that has one function for each method."""
    innermost = [*layers(view)][-1]
    view_class: type[View] | None = getattr(innermost, "view_class", None)
    methods = (view_class.methods or ()) if view_class is not None else ()
    return {name: getattr(view_class, name.lower()) for name in methods if hasattr(view_class, name.lower())}
