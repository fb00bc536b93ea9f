"""The type of our routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask.typing import ResponseReturnValue

#: The name of our blueprint.
NAME = "activepieces"

View = Callable[..., ResponseReturnValue]


class Route(NamedTuple):
    """One route."""

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    view: View
    #: Skip the host's CSRF protection: the view reads no cookie, or (the JSON API) calls the protection itself.
    csrf_exempt: bool = False


def is_ours(endpoint: str) -> bool:
    """Whether an endpoint of the app is one of our routes."""
    return endpoint.startswith(f"{NAME}.")
