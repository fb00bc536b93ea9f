"""The events that this app sends to flows: the log with payloads, sending again, and the flows that get events."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import request
from flask.typing import ResponseReturnValue

from ...delivery.log import Delivery
from ...delivery.outcomes import APP_FAILED, WEB_PAGE
from ...delivery.subscriptions.records import Subscription
from ...errors import NotFound
from ...messages import Message
from ...oauth.clients.redirect_uris import display_origin
from .area import words
from .area.place import back_to_list, place_of
from .area.upstream import Calls
from .area.visit import Visit, automation_page
from .area.words import Status, trigger_title, triggers_of

_PAGE_SIZE = 25
_MAX_ID = 2**63 - 1
#: Those that are left are sent again with the next click.
_MAX_REPLAYED = 1000
_FLOW_ID = re.compile(r"/webhooks/([A-Za-z0-9_-]+)")
#: Why an admin paused a subscription, and the reasons that deliveries have, in words.
PAUSED_HERE = "paused by an administrator"
_REASONS = {
    PAUSED_HERE: Message("paused by an administrator"),
    "paused by an operator": Message("paused by the people who run this app"),
    "the flow is disabled": Message("the flow is off"),
    "the quota of the platform is used up": Message("the quota of Activepieces is used up"),
}


@dataclass(frozen=True, kw_only=True)
class _DeliveryRow:
    """A delivery in the list."""

    id: int
    trigger: str
    flow_name: str | None
    status: Status
    #: What went wrong, or None.
    problem: str | None
    attempts: int
    created_at: int
    updated_at: int
    next_attempt_at: int | None


@dataclass(frozen=True, kw_only=True)
class _SubscriptionRow:
    """A flow that gets events."""

    id: str
    trigger: str
    flow_name: str | None
    status: Status
    reason: str | None
    is_paused: bool
    asks_itself: bool
    created_at: int


@automation_page("deliveries", "admin")
def automation_deliveries(visit: Visit) -> ResponseReturnValue:
    """The log of all flows or of one, newest first."""
    state, subscription_id = request.args.get("state", ""), request.args.get("flow", "")
    cursor = request.args.get("cursor")
    found = visit.state.delivery.log.list(
        visit.principal.tenant_id,
        organizations=visit.organizations,
        state=state if state in words.DELIVERY_CHOICES else None,
        subscription_id=subscription_id or None,
        before=None if cursor is None else _delivery_id(cursor),
        limit=_PAGE_SIZE + 1,
    )
    shown = found[:_PAGE_SIZE]
    names = _Names.of(visit, [*(each.subscription_id for each in shown), subscription_id])
    return visit.render(
        "deliveries.html",
        rows=[_delivery_row(each, names) for each in shown],
        next_cursor=str(shown[-1].id) if len(found) > _PAGE_SIZE else None,
        is_first=cursor is None,
        filters={name: value for name, value in (("state", state), ("flow", subscription_id)) if value},
        state_choices=words.DELIVERY_CHOICES,
        flow_name=names.flow(subscription_id) if subscription_id else None,
        offers_replay=state == "dead",
    )


@automation_page("deliveries", "admin")
def automation_delivery(visit: Visit, delivery_id: str) -> ResponseReturnValue:
    """One delivery with the payload that the flow gets, and the answer to the last attempt."""
    delivery = visit.state.delivery.log.get(
        _delivery_id(delivery_id), tenant_id=visit.principal.tenant_id, organizations=visit.organizations
    )
    names = _Names.of(visit, [delivery.subscription_id])
    payload = delivery.visible_payload(triggers_of(visit.state))
    return visit.render(
        "delivery.html",
        row=_delivery_row(delivery, names),
        server=display_origin(delivery.webhook_url) if delivery.webhook_url else None,
        gets_events=delivery.scope is not None,
        payload=None if payload is None else _to_text(payload),
        response=delivery.last_response,
        milliseconds=delivery.last_ms,
    )


@automation_page("deliveries", "admin")
def automation_replay(visit: Visit, delivery_id: str) -> ResponseReturnValue:
    """Send an event again."""
    visit.state.delivery.log.replay(
        _delivery_id(delivery_id),
        tenant_id=visit.principal.tenant_id,
        organizations=visit.organizations,
        user_id=visit.principal.user_id,
    )
    return visit.redirect("automation_delivery", delivery_id=delivery_id, done="replayed")


@automation_page("deliveries", "admin")
def automation_replay_failed(visit: Visit) -> ResponseReturnValue:
    """Send what failed again: of all flows or of one, as the page showed it."""
    subscription_id = request.form.get("flow") or None
    count = visit.state.delivery.log.replay_dead(
        visit.principal.tenant_id,
        organizations=visit.organizations,
        subscription_id=subscription_id,
        limit=_MAX_REPLAYED,
        user_id=visit.principal.user_id,
    )
    return visit.redirect(
        "automation_deliveries", flow=subscription_id, done="replayed-all" if count else "none-failed"
    )


@automation_page("deliveries", "admin")
def automation_subscriptions(visit: Visit) -> ResponseReturnValue:
    """The flows that get events."""
    page = visit.state.delivery.subscriptions.page_for_tenant(
        visit.principal.tenant_id,
        organizations=visit.organizations,
        limit=_PAGE_SIZE,
        cursor=request.args.get("cursor"),
    )
    names = _Names(visit, page.items)
    rows = [_subscription_row(each, names) for each in page.items]
    return visit.render("subscriptions.html", rows=rows, page=page, place=place_of({}))


@automation_page("deliveries", "admin")
def automation_pause(visit: Visit, subscription_id: str) -> ResponseReturnValue:
    """Pause a flow's events, or let them continue."""
    subscriptions = visit.state.delivery.subscriptions
    tenant_id, user_id = visit.principal.tenant_id, visit.principal.user_id
    if subscriptions.get(subscription_id, tenant_id=tenant_id).organization_id not in visit.organizations:
        raise NotFound("subscription", subscription_id)
    if request.form.get("paused") == "1":
        subscriptions.pause(subscription_id, tenant_id=tenant_id, reason=PAUSED_HERE, user_id=user_id)
        return back_to_list(visit, "automation_subscriptions", done="paused")
    subscriptions.resume(subscription_id, tenant_id=tenant_id, user_id=user_id)
    return back_to_list(visit, "automation_subscriptions", done="resumed")


class _Names:
    """The names of triggers, and of the flows that subscribed; None where they are unknown."""

    def __init__(self, visit: Visit, subscriptions: Sequence[Subscription]) -> None:
        self._flow_ids = {each.id: _flow_id(each.webhook_url) for each in subscriptions}
        self._flow_names = _flow_names(visit, {flow_id for flow_id in self._flow_ids.values() if flow_id})
        self._triggers = triggers_of(visit.state)

    @classmethod
    def of(cls, visit: Visit, subscription_ids: Sequence[str]) -> _Names:
        """The names for deliveries to these subscriptions."""
        ids, tenant_id = sorted(set(subscription_ids)), visit.principal.tenant_id
        return cls(visit, visit.state.delivery.subscriptions.find_all(ids, tenant_id=tenant_id))

    def trigger(self, name: str) -> str:
        """The title of a trigger."""
        return trigger_title(self._triggers, name)

    def flow(self, subscription_id: str) -> str | None:
        """The name of the flow."""
        return self._flow_names.get(self._flow_ids.get(subscription_id) or "")


def _flow_names(visit: Visit, flow_ids: Set[str]) -> Mapping[str, str]:
    """The names of these flows, with one call: of a list, Activepieces returns all flows."""
    integration, flows = visit.found_integration, visit.state.tenants.flows
    if not flow_ids or integration is None or visit.state.tenants.integrations.shares_project(integration):
        return {}
    calls = Calls(integration)
    if len(flow_ids) == 1:
        one = calls.try_call(partial(flows.get, integration, *flow_ids)).value
        return {one.id: one.display_name} if one else {}
    return {flow.id: flow.display_name for flow in calls.try_call(partial(flows.list, integration)).value or ()}


def _flow_id(webhook_url: str | None) -> str | None:
    found = _FLOW_ID.search(urlsplit(webhook_url or "").path)
    return found[1] if found else None


def _to_text(payload: Any) -> str:
    """The payload as JSON; half of a surrogate pair, which JSON can contain, stays escaped."""
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _delivery_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ID)) and int(text) <= _MAX_ID):
        raise NotFound("delivery", text)
    return int(text)


def _delivery_row(delivery: Delivery, names: _Names) -> _DeliveryRow:
    is_waiting = delivery.state == "pending"
    return _DeliveryRow(
        id=delivery.id,
        trigger=names.trigger(delivery.trigger_name),
        flow_name=names.flow(delivery.subscription_id),
        status=words.delivery_status(delivery.state),
        problem=_problem(delivery),
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        next_attempt_at=delivery.due_at if is_waiting and delivery.attempts else None,
    )


def _problem(delivery: Delivery) -> str | None:
    if delivery.state in ("delivered", "skipped") or not (delivery.attempts or delivery.last_error):
        return None
    match delivery.last_status:
        case _ if delivery.last_error == WEB_PAGE:
            return Message("A web page answered instead of Activepieces. Check the address of Activepieces.")
        case None if delivery.last_error == APP_FAILED:
            return Message("This app failed to send the event.")
        case None if delivery.attempts:
            return Message("The server could not be reached.")
        case None:
            return Message("The flow no longer gets events.")
        case 402:
            return Message("The quota of Activepieces is used up.")
        case 404:
            return Message("The flow is off.")
        case 410:
            return Message("The flow was deleted.")
        case 413:
            return Message("The event is too large for Activepieces.")
        case status if status >= 500 or status in (408, 425, 429):
            return Message("Activepieces was busy or out of order.")
        case _:
            return Message("Activepieces did not accept the event.")


def _subscription_row(subscription: Subscription, names: _Names) -> _SubscriptionRow:
    return _SubscriptionRow(
        id=subscription.id,
        trigger=names.trigger(subscription.trigger_name),
        flow_name=names.flow(subscription.id),
        status=words.subscription_status(subscription.state),
        reason=_REASONS.get(subscription.state_reason or ""),
        is_paused=subscription.state == "paused",
        asks_itself=subscription.webhook_url is None,
        created_at=subscription.created_at,
    )
