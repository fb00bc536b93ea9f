"""A trigger to which the app sends its events."""

from __future__ import annotations

from ...routing.responses import Json, Row
from ..calls import TriggerCall
from .failures import Failure
from .signature import problem_with
from .triggers import Trigger, log

#: The key in the store of the flow: {id, secrets}, the newest secret first.
_KEY = "subscription"
#: Events that were sent before a renewal or a publication may run after it: their secrets stay valid.
_KEPT_SECRETS = 3


class WebhookTrigger(Trigger):
    """A trigger of the type WEBHOOK."""

    handshake_header = "webhook-handshake"

    def on_handshake(self, call: TriggerCall) -> Row:
        handshake = call.payload["headers"][self.handshake_header]
        return {"status": 200, "body": {"handshake": handshake}, "headers": {"content-type": "application/json"}}

    def on_enable(self, call: TriggerCall) -> None:
        body = {"trigger": self.name, "webhookUrl": call.webhook_url, "inputs": self.inputs_of(call)}
        self._remember(call, self.app.ask(call.auth, "POST", "/subscriptions", json=(body,), timeout="trigger"))

    def on_disable(self, call: TriggerCall) -> None:
        try:
            kept = call.store.get(_KEY) or {}
            if kept.get("id"):
                call.store.put(_KEY, {"secrets": kept.get("secrets", [])})
                self.unsubscribe(call, kept["id"])
        except Exception as error:
            log.info("The subscription was not removed: %s", getattr(error, "message", error))

    def on_renew(self, call: TriggerCall) -> None:
        identifier = (call.store.get(_KEY) or {}).get("id")
        if not identifier:
            return self.on_enable(call)
        path = f"/subscriptions/{identifier}/renew"
        try:
            self._remember(call, self.app.ask(call.auth, "POST", path, timeout="trigger"))
        except Failure as error:
            if error.status != 404:
                raise
            self.on_enable(call)

    def run(self, call: TriggerCall) -> list[Json]:
        """Anyone can call a flow's webhook URL, so what the app did not sign starts no run."""
        secrets = (call.store.get(_KEY) or {}).get("secrets", [])
        problem = problem_with(call.payload, secrets, now=self.app.clock())
        if problem is not None:
            log.info("A webhook call was ignored: %s", problem)
            return []
        body = call.payload["body"]
        data = body.get("data")
        item = data if isinstance(data, dict) else {"data": data}
        # The engine drops an item whose key it has just seen: the app may deliver an event twice.
        return [{**item, "_dedupe_key": body["id"]}]

    def _remember(self, call: TriggerCall, answer: Row) -> None:
        secrets = [answer.get("secret"), *(call.store.get(_KEY) or {}).get("secrets", [])]
        kept = list(dict.fromkeys(secrets))[:_KEPT_SECRETS]
        call.store.put(_KEY, {"id": answer.get("id"), "secrets": kept})
