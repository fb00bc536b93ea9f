"""Work that needs every extension, blueprint and view of an app to be in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request_started


def at_first_request(app: Flask, function: Callable[[Flask], None]) -> None:
    """Call the function at the start of the first request, inside its context."""

    def call_once(sender: Flask, **_: Any) -> None:
        function(sender)
        # Last: a concurrent second request must find the work done, or do it itself.
        request_started.disconnect(call_once, sender)

    # Sent before any before_request function. A strong reference, because no other one exists.
    request_started.connect(call_once, app, weak=False)
