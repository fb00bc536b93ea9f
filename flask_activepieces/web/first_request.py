"""What is done once, at the first request of an app: when every extension, blueprint and view is in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request_started


def at_first_request(app: Flask, work: Callable[[Flask], None]) -> None:
    """Do the work before anything else that the first request leads to; the request is at hand."""

    def work_once(sender: Flask, **_: Any) -> None:
        work(sender)
        # Last: a second request that comes meanwhile must find the work done, or do it itself.
        request_started.disconnect(work_once, sender)

    # Sent before any before_request function; a strong reference, for nothing else holds the function.
    request_started.connect(work_once, app, weak=False)
