"""What a route of ours is."""

from __future__ import annotations

from collections.abc import Callable
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
