"""The small host as gunicorn loads it: ``tests.support.served_app:load()``.

The environment variable ``SERVED_APP`` contains the arguments of `hosts.make_app` as JSON. The tables exist already.
The header ``X-Die`` of a request kills its worker at that moment: ``before statement 2``, ``after statement 2``,
``before commit`` or ``after commit``, which is before the response.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy import event

from tests.support import hosts
from tests.support.prepared_requests import KILL_HEADER
from tests.support.storage import engine_of


def die_if(moment: str) -> None:
    """Kill this process without cleanup, if the request names this moment."""
    if has_request_context() and request.headers.get(KILL_HEADER) == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def make_killable(app: Flask) -> None:
    """Let requests kill their worker at a chosen moment."""
    engine = engine_of(app)

    @event.listens_for(engine, "before_cursor_execute")
    def before(*_: Any) -> None:
        if has_request_context():
            g.statements = g.get("statements", 0) + 1
            die_if(f"before statement {g.statements}")

    @event.listens_for(engine, "after_cursor_execute")
    def after(*_: Any) -> None:
        if has_request_context():
            die_if(f"after statement {g.statements}")

    @event.listens_for(engine, "commit")
    def at_commit(_: Any) -> None:
        die_if("before commit")

    @app.after_request
    def at_answer(response: Response) -> Response:
        die_if("after commit")
        return response


def load() -> Flask:
    """The app with the arguments in ``SERVED_APP``."""
    options = json.loads(os.environ["SERVED_APP"])
    served = hosts.make_app(Path(), tables=False, **options)
    make_killable(served)
    return served
