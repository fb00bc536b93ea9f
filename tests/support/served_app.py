"""The small host as gunicorn loads it: ``tests.support.served_app:load()``.

What ``SERVED_APP`` in the environment holds, as JSON, are the arguments of `hosts.make_app`. The tables were
made before. A request may ask for the death of its worker by the header ``X-Die``: ``before statement 2``,
``after statement 2``, ``before commit`` or ``after commit``, the last being before the answer.
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
    """The end of this process, without any goodbye, if the request asked for it at this moment."""
    if has_request_context() and request.headers.get(KILL_HEADER) == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def make_mortal(app: Flask) -> None:
    """Let requests choose the moment of their worker's death."""
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
    """The app, as ``SERVED_APP`` wants it."""
    options = json.loads(os.environ["SERVED_APP"])
    served = hosts.make_app(Path(), tables=False, **options)
    make_mortal(served)
    return served
