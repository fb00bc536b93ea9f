"""Subscriptions of flows to the app's triggers: with the token of the flow's connection, and for its user only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length

from ...crypto.keyring import looks_like_id
from ...delivery.subscriptions.records import Subscriber, Subscription, owner_of
from ...errors import NotFound
from ..api.operations import json_body, load
from .base import Caller, bearer_view, trigger_inputs


class NewSubscriptionSchema(Schema):
    """What the piece sends; it may send more."""

    class Meta:
        unknown = EXCLUDE

    trigger = fields.String(required=True)
    webhook_url = fields.String(required=True, data_key="webhookUrl", validate=Length(1, 2000))
    inputs = fields.Dict(keys=fields.String(), load_default=dict)


_NEW_SUBSCRIPTION = NewSubscriptionSchema()


@bearer_view
def subscribe(caller: Caller) -> ResponseReturnValue:
    """Subscribe a webhook; the same webhook gets the same subscription."""
    body = load(_NEW_SUBSCRIPTION, json_body())
    trigger = caller.trigger(body["trigger"])
    _, inputs = trigger_inputs(trigger, body["inputs"])
    return _subscribe(caller, trigger.name, body["webhook_url"], inputs)


@bearer_view
def renew(caller: Caller, subscription_id: str) -> ResponseReturnValue:
    """Subscribe the same webhook again, with the token of this call."""
    found = find_subscription(caller, subscription_id)
    if found.webhook_url is None:
        raise NotFound("subscription", subscription_id)
    trigger = caller.trigger(found.trigger_name)
    return _subscribe(caller, trigger.name, found.webhook_url, found.inputs)


@bearer_view
def unsubscribe(caller: Caller, subscription_id: str) -> ResponseReturnValue:
    """End the subscription; one that does not exist has ended already."""
    try:
        found = find_subscription(caller, subscription_id)
    except NotFound:
        return Response(status=204)
    caller.state.delivery.subscriptions.unsubscribe(found.id, tenant_id=found.tenant_id)
    return Response(status=204)


def find_subscription(caller: Caller, subscription_id: str) -> Subscription:
    """The subscription of the token's user in the token's workspace, or of its client; `NotFound` for any other."""
    token = caller.token
    if not looks_like_id(subscription_id):
        raise NotFound("subscription", subscription_id)
    found = caller.state.delivery.subscriptions.get(subscription_id, tenant_id=token.tenant_id or "")
    if owner_of(found) != owner_of(subscriber_of(caller)):
        raise NotFound("subscription", subscription_id)
    return found


def subscriber_of(caller: Caller) -> Subscriber:
    """Whose token subscribes."""
    token = caller.token
    return Subscriber(
        tenant_id=token.tenant_id or "",
        organization_id=token.organization_id,
        user_id=token.user_id,
        client_id=token.client_id or None,
        grant_id=token.grant_id,
        personal_token_id=token.personal_token_id,
        scope=token.scope,
    )


def _subscribe(caller: Caller, trigger_name: str, webhook_url: str, inputs: Mapping[str, Any]) -> ResponseReturnValue:
    caller.principal()
    subscription, secret, is_new = caller.state.delivery.subscriptions.subscribe(
        subscriber_of(caller), trigger_name, webhook_url=webhook_url, inputs=inputs
    )
    return {"id": subscription.id, "secret": secret, "expiresAt": None}, 201 if is_new else 200
