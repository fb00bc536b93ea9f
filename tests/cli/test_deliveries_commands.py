"""``flask activepieces deliver`` and ``deliveries``: output, JSON and exit codes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.events import EventApp, Webhooks, always, make_event_app, webhooks
from tests.support.storage import database_away


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def host(flows: Webhooks, tmp_path: Path) -> Iterator[EventApp]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    made = make_event_app(tmp_path, flows.url)
    with made.app.app_context():
        made.db.create_all()
        yield made
        made.db.session.remove()
        made.db.engine.dispose()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(host: EventApp, *arguments: str) -> Result:
    return host.app.test_cli_runner().invoke(args=["activepieces", *arguments])


def run_json(host: EventApp, *arguments: str) -> Any:
    result = run(host, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_deliver_once_reports_the_attempts(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(1, 2)

    assert run(host, "deliver", "--once").stdout == "Made 2 attempts.\n"
    assert run(host, "deliver", "--once").stdout == "Made 0 attempts.\n"


def test_deliver_once_fails_without_a_database(host: EventApp) -> None:
    with database_away(host.app):
        result = run(host, "deliver", "--once")

    assert result.exit_code == 3
    assert "The database" in result.stderr or "database" in result.stderr


def test_the_list_shows_deliveries_and_no_secret(host: EventApp, flows: Webhooks) -> None:
    _, secret = host.subscribe(flows.url_of("f1"))
    flows.answer = always(413)
    host.emit(1)
    host.deliver()

    (row,) = run_json(host, "deliveries", "list", "--state", "dead")
    assert (row["state"], row["last_status"], row["attempts"]) == ("dead", 413, 1)
    assert row["last_error"] == "the event is too large"
    output = run(host, "deliveries", "list").stdout + run(host, "deliveries", "subscriptions").stdout
    assert secret not in output
    assert flows.url_of("f1") not in output
    assert run(host, "deliveries", "list", "--tenant", "globex").stdout == "There are no deliveries.\n"


@pytest.mark.parametrize(("path", "flow_id"), [("f1", "f1"), ("f1/test", "f1"), (None, None)])
def test_a_subscription_names_its_flow(
    host: EventApp, flows: Webhooks, path: str | None, flow_id: str | None
) -> None:
    """A flow that asks for its events has no webhook, and so no name here."""
    host.subscribe(flows.url_of(path) if path else None)

    (row,) = run_json(host, "deliveries", "subscriptions")

    assert row["flow_id"] == flow_id
    assert "flow_id" in run(host, "deliveries", "subscriptions").stdout.splitlines()[0]


def test_a_delivery_is_shown_with_its_payload(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(7)
    host.deliver()
    (row,) = run_json(host, "deliveries", "list")

    shown = run_json(host, "deliveries", "show", str(row["id"]))

    assert shown["payload"]["id"] == 7
    assert shown["last_response"] == "{}"
    assert shown["webhook_url"] == flows.url_of("f1")


def test_a_delivery_is_shown_with_what_its_flow_may_see(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"), scope="tasks:read")
    host.emit(7)
    host.deliver()
    (row,) = run_json(host, "deliveries", "list")

    shown = run_json(host, "deliveries", "show", str(row["id"]))

    (sent,) = flows.data_of("f1")
    assert shown["payload"] == sent == {"id": 7, "title": "Task 7"}
    assert "salary" not in json.dumps(shown) + json.dumps(row)
    host.delivery.subscriptions.unsubscribe(subscription.id, tenant_id="acme")
    removed = run_json(host, "deliveries", "show", str(row["id"]))
    assert (removed["payload"], removed["webhook_url"]) == (sent, None)


def test_a_replay_sends_the_event_again(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(1)
    host.deliver()
    (row,) = run_json(host, "deliveries", "list")

    assert run_json(host, "deliveries", "replay", str(row["id"])) == {"id": row["id"], "state": "pending"}
    run(host, "deliver", "--once")

    first, second = flows.received
    assert first.event_id == second.event_id == row["event_id"]


def test_a_paused_subscription_is_resumed_with_its_events(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    assert run_json(host, "deliveries", "pause", subscription.id)["state"] == "paused"
    host.emit(1)
    assert host.deliver() == 0
    (row,) = run_json(host, "deliveries", "subscriptions")
    assert (row["state"], row["state_reason"]) == ("paused", "paused by an operator")

    assert run(host, "deliveries", "resume", subscription.id).exit_code == 0

    assert host.deliver() == 1


@pytest.mark.parametrize(
    "arguments", [("show", "1"), ("replay", "1"), ("pause", "nothing"), ("resume", "nothing")], ids=" ".join
)
def test_what_does_not_exist_is_an_error(host: EventApp, arguments: tuple[str, ...]) -> None:
    result = run(host, "deliveries", *arguments, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "not_found"
