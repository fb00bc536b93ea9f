"""The triggers of a piece: what all kinds have in common."""

from __future__ import annotations

import logging

from ...routing.responses import Json, Row
from ..calls import TriggerCall
from .app import App
from .failures import to_json
from .properties import Property, build_properties

#: What the JavaScript writes to its console.
log = logging.getLogger("flask_activepieces.testing.pieces")


class Trigger:
    """One trigger of a piece. Subclasses differ in how events arrive."""

    #: A request to the webhook with this header is a handshake.
    handshake_header: str | None = None

    def __init__(self, app: App, name: str, described: Row) -> None:
        self.app = app
        self.name = name
        self.described = described
        self.props: dict[str, Property] = build_properties(app, described)

    def on_enable(self, call: TriggerCall) -> None:
        """The flow is enabled."""
        raise NotImplementedError

    def on_disable(self, call: TriggerCall) -> None:
        """The flow is disabled. Never raises, because then it could not be disabled."""
        raise NotImplementedError

    def on_renew(self, call: TriggerCall) -> None:
        """The schedule says to renew the subscription."""

    def on_handshake(self, call: TriggerCall) -> Row:
        """The answer to a handshake."""
        return {"status": 200}

    def run(self, call: TriggerCall) -> list[Json]:
        """The items that each start a run."""
        raise NotImplementedError

    def test(self, call: TriggerCall) -> list[Json]:
        """The newest events, or the example of the declaration.

        The server stores them one by one and shows the last one first, so the newest comes last here.
        """
        query = {"inputs": to_json(self.inputs_of(call))}
        path = f"/triggers/{self.name}/samples"
        answer = self.app.ask(call.auth, "GET", path, query=query, timeout="trigger")
        newest: list[Json] = answer["data"][:5][::-1]
        sample = self.described.get("sampleData")
        return newest if newest or not isinstance(sample, dict) else [sample]

    def inputs_of(self, call: TriggerCall) -> Row:
        """The fields of the form, without the connection."""
        fields = self.described.get("props", {})
        return {
            name: call.props[name]
            for name, field in fields.items()
            if field["type"] != "MARKDOWN" and name in call.props
        }

    def unsubscribe(self, call: TriggerCall, subscription: str) -> None:
        """Remove a subscription of the app."""
        path = f"{self.app.api_path}/subscriptions/{subscription}"
        self.app.call(call.auth, "DELETE", path, timeout="trigger")
