"""The place of a reader in a list: the filter and the page, which stay as they are when a button is pressed."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from .visit import Visit


def place_of(filters: Mapping[str, str]) -> dict[str, str]:
    """The hidden fields for the buttons of a list with these filters."""
    cursor = request.args.get("cursor")
    return {**filters, "cursor": cursor} if cursor else dict(filters)


def back_to_list(visit: Visit, endpoint: str, *filters: str, done: str) -> Response:
    """To the place that the pressed button was at."""
    place = {name: value for name in (*filters, "cursor") if (value := request.form.get(name))}
    return visit.redirect(endpoint, done=done, **place)
