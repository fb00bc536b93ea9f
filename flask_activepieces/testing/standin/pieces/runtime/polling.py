"""A trigger for which the engine asks the app, where Activepieces cannot be reached from the app."""

from __future__ import annotations

from ...routing.responses import Json, Row
from ..calls import TriggerCall
from .triggers import Trigger, log

#: The key in the store of the flow: {cursor, subscription}.
_KEY = "position"
#: More pages wait for the next time, so that one run of the trigger does not exceed the engine's limit.
_MOST_PAGES = 10


class PollingTrigger(Trigger):
    """A trigger of the type POLLING."""

    def on_enable(self, call: TriggerCall) -> None:
        """Events count from now on."""
        answer = self._poll(call, {"cursor": None})
        call.store.put(_KEY, {name: answer[name] for name in ("cursor", "subscription") if name in answer})

    def on_disable(self, call: TriggerCall) -> None:
        try:
            subscription = (call.store.get(_KEY) or {}).get("subscription")
            call.store.delete(_KEY)
            if subscription:
                self.unsubscribe(call, subscription)
        except Exception as error:
            log.info("The subscription was not removed: %s", getattr(error, "message", error))

    def run(self, call: TriggerCall) -> list[Json]:
        """The events since the last time, oldest first.

        The position is stored once, after the last call: if one of them fails, all are repeated the next time.
        """
        position: Row = call.store.get(_KEY) or {"cursor": None}
        items: list[Json] = []
        for _ in range(_MOST_PAGES):
            answer = self._poll(call, position)
            items += [{**each["payload"], "_dedupe_key": each["id"]} for each in answer["data"]]
            position = {**position, "cursor": answer["cursor"]}
            if not answer["data"]:
                break
        call.store.put(_KEY, position)
        return items

    def _poll(self, call: TriggerCall, position: Row) -> Row:
        body = {"inputs": self.inputs_of(call), **position}
        return self.app.ask(call.auth, "POST", f"/triggers/{self.name}/poll", json=(body,), timeout="trigger")
