"""What flows ask of a trigger: its newest events for a test, and new events where the app cannot call the flow."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue

from ...delivery.polling import Position
from ...errors import InvalidInput, NotFound
from ...oauth.tokens.access_tokens import AccessToken
from ...pieces.declarations import Trigger
from ..api.operations import json_body
from ..api.problems import Problem, ProblemType
from .base import Caller, bearer_view, trigger_inputs
from .subscriptions import find_subscription, subscriber_of

MAX_SAMPLES = 5


@bearer_view
def list_samples(caller: Caller, name: str) -> ResponseReturnValue:
    """The newest real payloads, as a flow with this token would get them."""
    data = newest_samples(caller.trigger(name), _query_inputs(), caller.token)
    return current_app.json.response({"data": data})


def newest_samples(trigger: Trigger, form: Any, token: AccessToken) -> list[dict[str, Any]]:
    """The newest payloads of the trigger for these fields of its form, as far as the token may see them."""
    inputs, _ = trigger_inputs(trigger, form)
    samples = current_app.ensure_sync(trigger.samples)
    newest: Any = samples(inputs) if trigger.input else samples()
    payloads = (trigger.payload.dump(each, many=False) for each in islice(newest, MAX_SAMPLES))
    return [trigger.visible_payload(payload, token.scopes) for payload in payloads]


@bearer_view
def poll(caller: Caller, name: str) -> ResponseReturnValue:
    """The events after the cursor; without a cursor, a new one that begins now."""
    trigger, polling = caller.trigger(name), caller.state.delivery.polling
    caller.principal()
    body = json_body()
    cursor = body.get("cursor")
    if cursor is None:
        _, inputs = trigger_inputs(trigger, body.get("inputs", {}))
        page = polling.begin(subscriber_of(caller), trigger, inputs=inputs)
    else:
        if not isinstance(cursor, str):
            raise InvalidInput({"cursor": "Must be a text or null."})
        position = Position.parse(cursor)
        subscription = find_subscription(caller, position.subscription_id)
        if subscription.webhook_url is not None or subscription.trigger_name != trigger.name:
            raise NotFound("subscription", position.subscription_id)
        page = polling.read(trigger, subscription, position, scopes=caller.token.scopes)
    return {
        "data": [{"id": event_id, "payload": payload} for event_id, payload in page.events],
        "cursor": str(page.position),
        "subscription": page.position.subscription_id,
    }


def _query_inputs() -> Any:
    try:
        return json.loads(request.args.get("inputs", "{}"))
    except (ValueError, RecursionError):
        raise Problem(ProblemType.BAD_REQUEST, "The query parameter 'inputs' is not valid JSON.") from None
