"""``flask activepieces deliveries``: the log of deliveries, and the subscriptions of flows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..delivery.log import Delivery
from ..delivery.subscriptions.records import Subscription
from ..state import get_state
from .output import HostId, json_option, print_record, print_result, print_rows

deliveries_cli = AppGroup("deliveries", help="Deliveries of events to flows, and the flows' subscriptions.")

_COLUMNS = ("id", "event_id", "trigger_name", "subscription_id", "state", "attempts", "last_status", "last_error")
_SUBSCRIPTION = ("id", "tenant_id", "trigger_name", "server", "state", "state_reason", "failures")
_SUBSCRIPTION_COLUMNS = ("id", "tenant_id", "flow_id", *_SUBSCRIPTION[2:])
_STATES = ("pending", "delivered", "skipped", "dead")


@deliveries_cli.command("list")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only deliveries of this tenant.")
@click.option("--state", type=click.Choice(_STATES), help="Only deliveries in this state.")
@click.option("--subscription", "subscription_id", help="Only deliveries to this subscription.")
@click.option("--before", type=int, metavar="ID", help="Only deliveries older than this one, for the next page.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The number of deliveries, at most."
)
@json_option
def list_deliveries(as_json: bool, tenant_id: str | None, **filters: Any) -> None:
    """List the newest deliveries."""
    rows = [_row(delivery) for delivery in get_state().delivery.log.list(tenant_id, **filters)]
    print_rows(rows, _COLUMNS, empty="There are no deliveries.", as_json=as_json)


@deliveries_cli.command("show")
@click.argument("delivery_id", type=int)
@json_option
def show(delivery_id: int, as_json: bool) -> None:
    """Show a delivery with its webhook, the payload that the flow gets, and the response to the last attempt."""
    state = get_state()
    delivery = state.delivery.log.get(delivery_id, tenant_id=None)
    payload = delivery.visible_payload(state.piece.triggers())
    print_record(_row(delivery) | {"payload": payload}, as_json=as_json)


@deliveries_cli.command("replay")
@click.argument("delivery_id", type=int)
@json_option
def replay(delivery_id: int, as_json: bool) -> None:
    """Send an event again, with the same event id."""
    get_state().delivery.log.replay(delivery_id, tenant_id=None)
    print_result(
        {"id": delivery_id, "state": "pending"}, f"Delivery {delivery_id} will be sent again.", as_json=as_json
    )


@deliveries_cli.command("subscriptions")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only subscriptions of this tenant.")
@json_option
def list_subscriptions(tenant_id: str | None, as_json: bool) -> None:
    """List the subscriptions, the oldest first, without their secrets."""
    found = get_state().delivery.subscriptions.list_for_tenant(tenant_id)
    rows = [
        {name: getattr(each, name) for name in (*_SUBSCRIPTION, "user_id", "client_id", "scope")}
        | {"flow_id": _flow_of(each), "created_at": as_iso(each.created_at), "renewed_at": as_iso(each.renewed_at)}
        for each in found
    ]
    print_rows(rows, _SUBSCRIPTION_COLUMNS, empty="There are no subscriptions.", as_json=as_json)


@deliveries_cli.command("pause")
@click.argument("subscription_id")
@json_option
def pause(subscription_id: str, as_json: bool) -> None:
    """Stop deliveries to a subscription until it is resumed. Its events are kept."""
    get_state().delivery.subscriptions.pause(subscription_id, tenant_id=None, reason="paused by an operator")
    print_result(
        {"id": subscription_id, "state": "paused"}, f"Paused subscription {subscription_id}.", as_json=as_json
    )


@deliveries_cli.command("resume")
@click.argument("subscription_id")
@json_option
def resume(subscription_id: str, as_json: bool) -> None:
    """Resume deliveries to a paused subscription, beginning with the kept events."""
    get_state().delivery.subscriptions.resume(subscription_id, tenant_id=None)
    print_result(
        {"id": subscription_id, "state": "active"}, f"Resumed subscription {subscription_id}.", as_json=as_json
    )


def _flow_of(subscription: Subscription) -> str | None:
    """The id of the flow, from its webhook's URL; None for a flow that asks the app for events."""
    path = (subscription.webhook_url or "").partition("/webhooks/")[2]
    return path.partition("/")[0] or None


def _row(delivery: Delivery) -> dict[str, Any]:
    row = {name: value for name, value in asdict(delivery).items() if name != "stored_payload"}
    return row | {name: as_iso(row[name]) for name in ("due_at", "created_at", "updated_at")}
