"""An `Http` that sends nothing: it answers by a script, and remembers what it was asked and how long it waited."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask_activepieces.client.answers import Answer
from flask_activepieces.client.errors import CallFailed
from flask_activepieces.client.http import Http, Retries, Timeout
from flask_activepieces.client.wire import Outgoing

Step = Answer | CallFailed | Callable[[Outgoing], Answer]


class ScriptedHttp(Http):
    """Takes one step of the script for each request; a failure is raised, a function makes the answer."""

    def __init__(self, *script: Step, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.waits: list[float] = []
        super().__init__(retries=Retries(sleep=self.waits.append, random=lambda: 1.0), clock=clock)
        self.script = list(script)
        self.sent: list[Outgoing] = []

    def send(self, call: str, outgoing: Outgoing, *, timeout: Timeout, deadline: float) -> Answer:
        """The next step."""
        self.sent.append(outgoing)
        step = self.script.pop(0)
        if isinstance(step, CallFailed):
            raise step
        return step if isinstance(step, Answer) else step(outgoing)


def json_answer(status: int = 200, body: object = None, **headers: str) -> Answer:
    """An answer in JSON; ``retry_after="3"`` is its header ``retry-after``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status,
        {"content-type": "application/json; charset=utf-8", **named},
        json.dumps(body).encode(),
    )
