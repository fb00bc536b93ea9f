"""From the transaction of the app to the webhooks of flows, on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest
from sqlalchemy import delete, select, update
from standardwebhooks import Webhook

from flask_activepieces import signals
from flask_activepieces.delivery.outcomes import APP_FAILED, MAX_AGE
from flask_activepieces.errors import InvalidInput, NotFound
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from flask_activepieces.storage.event_tables import deliveries, events, subscriptions
from flask_activepieces.storage.maintenance import prune
from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database
from tests.support.events import EventApp, Received, Webhooks, always, make_event_app, webhooks
from tests.support.storage import statements_of

#: No server listens there.
NOWHERE = "http://127.0.0.1:9"
DATABASES = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture(scope="module", params=DATABASES)
def made(
    request: pytest.FixtureRequest, server: Webhooks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EventApp, StoppedClock]]:
    directory, kind = tmp_path_factory.mktemp("delivery"), request.param
    clock, database = StoppedClock(), kind
    with fresh_database(database, directory) as url:
        options = {"ACTIVEPIECES_DELIVERIES_PER_SERVER": 5, "ACTIVEPIECES_ALLOWED_BASE_URLS": [NOWHERE]}
        made = make_event_app(directory, server.url, database=url, clock=clock, **options)
        with made.app.app_context():
            made.db.create_all()
            yield made, clock
            made.db.session.remove()
            made.db.engine.dispose()


@pytest.fixture
def flows(server: Webhooks) -> Webhooks:
    server.received.clear()
    server.answer, server.body = always(200), b"{}"
    return server


@pytest.fixture
def host(made: tuple[EventApp, StoppedClock]) -> Iterator[EventApp]:
    made[0].db.session.rollback()
    for table in (deliveries, events, subscriptions, tables.personal_tokens, tables.leases):
        made[0].db.session.execute(delete(table))
    made[0].db.session.commit()
    yield made[0]


@pytest.fixture
def clock(made: tuple[EventApp, StoppedClock]) -> StoppedClock:
    return made[1]


def test_an_event_arrives_once_and_is_signed(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    _, secret = host.subscribe(flows.url_of("f1"))
    host.emit(1)

    assert host.deliver() == 1
    assert host.deliver() == 0

    (received,) = flows.received
    assert received.data == {"id": 1, "title": "Task 1", "salary": 1}
    assert received.event_id.startswith("evt_")
    assert received.headers["webhook-timestamp"] == str(int(clock()))
    # The library checks the time too, and ours is not now.
    signature = Webhook(secret).sign(received.event_id, _datetime(clock()), received.body.decode())
    assert received.headers["webhook-signature"] == signature


def test_a_response_that_no_database_takes_does_not_repeat_the_event_for_ever(
    host: EventApp, flows: Webhooks
) -> None:
    """PostgreSQL stores no NUL character. If the result could not be stored, the event would be sent again."""
    flows.body = b"a\x00b\xff\xed\xa0\x80"
    host.subscribe(flows.url_of("f1"))
    host.emit(1)

    assert host.deliver() == 1

    (delivery,) = host.logged()
    assert (delivery.state, delivery.last_response[:3]) == ("delivered", "a\ufffdb")


def test_an_event_of_a_transaction_that_is_rolled_back_never_existed(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"))
    host.done.emit({"id": 1, "title": "x"}, tenant_id="acme")
    host.db.session.rollback()

    assert host.deliver() == 0
    assert flows.received == []


def test_a_batch_of_events_is_one_insert(host: EventApp, flows: Webhooks) -> None:
    for number in range(10):
        host.subscribe(flows.url_of(f"f{number}"))

    with statements_of(host.app) as statements:
        host.emit(1, 2, 3)

    (statement, commit) = statements
    assert statement.startswith("INSERT INTO activepieces_events ")
    assert commit == "COMMIT"


def test_events_without_a_subscription_are_not_kept(host: EventApp) -> None:
    host.emit(1, 2, 3)

    host.deliver()

    assert host.db.session.execute(select(events)).all() == []


def test_events_of_a_tenant_reach_no_other(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("acme"), tenant_id="acme")
    host.subscribe(flows.url_of("globex"), tenant_id="globex")
    host.emit(1, tenant="acme")
    host.emit(2, tenant="globex")

    host.deliver()

    assert [each["id"] for each in flows.data_of("acme")] == [1]
    assert [each["id"] for each in flows.data_of("globex")] == [2]


def test_events_of_an_organization_or_a_user_reach_only_these(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("labs"), organization_id="labs")
    host.subscribe(flows.url_of("sales"), organization_id="sales")
    host.subscribe(flows.url_of("bob"), user_id="bob")
    host.emit(1)
    host.emit(2, organization_id="labs")
    host.emit(3, user_id="bob")

    host.deliver()

    ids = {flow: sorted(each["id"] for each in flows.data_of(flow)) for flow in ("labs", "sales", "bob")}
    assert ids == {"labs": [1, 2], "sales": [1], "bob": [1, 2, 3]}


def test_the_scopes_decide_what_a_payload_contains(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("all"), scope="tasks:read tasks:write")
    host.subscribe(flows.url_of("some"), scope="tasks:read")
    host.subscribe(flows.url_of("none"), scope="profile:read")
    host.emit(1)

    host.deliver()

    assert flows.data_of("all") == [{"id": 1, "title": "Task 1", "salary": 1}]
    assert flows.data_of("some") == [{"id": 1, "title": "Task 1"}]
    assert flows.data_of("none") == []


def test_a_flow_gets_only_events_that_match_its_form(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"), inputs={"title": "Task 2"})
    host.emit(1, 2, 3)

    host.deliver()

    assert [each["id"] for each in flows.data_of("f1")] == [2]
    assert [each.state for each in host.logged(subscription_id=subscription.id)] == [
        "skipped",
        "delivered",
        "skipped",
    ]


def test_ordered_events_wait_for_the_first_that_fails(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    host.subscribe(flows.url_of("f1"), "task_moved")
    flows.answer = always(500)
    host.emit(1, 2, 3, trigger=host.moved)
    host.deliver()
    assert [each["id"] for each in flows.data_of("f1")] == [1]
    # New events overtake nothing either, and there is nothing to do until the next attempt.
    host.emit(4, trigger=host.moved)
    assert host.deliver() == 0

    flows.answer = always(200)
    clock.advance(10)
    host.deliver()

    assert [each["id"] for each in flows.data_of("f1")] == [1, 1, 2, 3, 4]


def test_an_ordered_event_is_noted_before_the_next_is_sent(host: EventApp, flows: Webhooks) -> None:
    """Otherwise, after a crash of the worker, events would be repeated in the wrong order."""
    host.subscribe(flows.url_of("f1"), "task_moved")
    states: list[list[str]] = []

    def look(received: Received) -> tuple[int, dict[str, str]]:
        with host.app.app_context():
            states.append([each.state for each in host.logged()])
        return 200, {}

    flows.answer = look
    host.emit(1, 2, 3, trigger=host.moved)
    host.deliver()

    assert states == [
        ["pending", "pending", "pending"],
        ["delivered", "pending", "pending"],
        ["delivered", "delivered", "pending"],
    ]


@pytest.mark.parametrize("header", ["\xb2", "1e3", "-1", "soon", "9" * 30])
def test_an_odd_retry_after_is_ignored(host: EventApp, flows: Webhooks, header: str) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    flows.answer = always(429, Retry_After=header)
    host.emit(1, 2)

    assert host.deliver() == 1

    assert [(each.state, each.attempts) for each in host.logged()] == [("pending", 1), ("pending", 0)]
    assert host.delivery.subscriptions.get(subscription.id, tenant_id="acme").failures == 1


@pytest.mark.parametrize("trigger", ["task_done", "task_moved"])
def test_an_event_that_the_app_fails_to_send_loses_no_result_of_others(
    host: EventApp, flows: Webhooks, clock: StoppedClock, trigger: str, caplog: pytest.LogCaptureFixture
) -> None:
    host.subscribe(flows.url_of("f1"), trigger)
    host.emit(1, 2, 3, trigger=host.moved if trigger == "task_moved" else host.done)
    host.delivery.dispatcher.distribute()
    second = host.logged()[1].event_id
    no_date = update(events).where(events.c.uid == second).values(created_at=10**15)
    host.db.session.execute(no_date)
    host.db.session.commit()

    host.deliver()

    states = [(each.state, each.attempts) for each in host.logged()]
    third = ("pending", 0) if trigger == "task_moved" else ("delivered", 1)
    assert states == [("delivered", 1), ("pending", 1), third]
    assert host.logged()[1].last_error == APP_FAILED
    assert second in caplog.text
    assert host.deliver() == 0, "it waits for its next attempt"


def test_a_failing_event_does_not_hold_up_unordered_ones(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    host.subscribe(flows.url_of("f1"))
    flows.answer = lambda received: (500 if received.data["id"] == 1 else 200, {})
    host.emit(1, 2, 3)
    host.deliver()
    assert sorted(each["id"] for each in flows.data_of("f1")) == [1, 2, 3]

    flows.answer = always(200)
    clock.advance(10)
    host.deliver()

    first, *_, last = sorted(flows.received, key=lambda each: int(each.data["id"] == 1))[-2:]
    assert first.event_id == last.event_id
    assert {each.state for each in host.logged()} == {"delivered"}


@pytest.mark.parametrize(("status", "state"), [(402, "paused"), (404, "paused")])
def test_a_disabled_flow_gets_its_events_when_it_is_resumed(
    host: EventApp, flows: Webhooks, status: int, state: str
) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    flows.answer = always(status)
    host.emit(1)
    host.deliver()
    assert host.state_of(subscription) == state
    host.emit(2)
    assert host.deliver() == 0

    flows.answer = always(200)
    host.delivery.subscriptions.resume(subscription.id, tenant_id="acme")
    host.db.session.execute(update(deliveries).values(due_at=0))
    host.db.session.commit()
    host.deliver()

    assert sorted(each["id"] for each in flows.data_of("f1")) == [1, 1, 2]


def test_a_deleted_flow_gets_nothing_more(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    flows.answer = always(410)
    host.emit(1, 2)
    host.deliver()

    with pytest.raises(NotFound):
        host.state_of(subscription)
    assert {each.state for each in host.logged()} == {"dead"}
    host.emit(3)
    assert host.deliver() == 0


@pytest.mark.parametrize("status", [400, 403, 413, 422, 302])
def test_what_is_refused_for_good_is_not_tried_again(
    host: EventApp, flows: Webhooks, clock: StoppedClock, status: int
) -> None:
    host.subscribe(flows.url_of("f1"))
    flows.answer = always(status, Location=flows.url_of("elsewhere"))
    host.emit(1)
    host.deliver()
    clock.advance(days=1)

    assert host.deliver() == 0
    assert [each.flow for each in flows.received] == ["f1"]
    (logged,) = host.logged()
    assert (logged.state, logged.last_status, logged.attempts) == ("dead", status, 1)


def test_a_server_that_asks_for_patience_gets_it(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    host.subscribe(flows.url_of("f1"))
    flows.answer = always(429, Retry_After="120")
    host.emit(1, 2, 3)
    assert host.deliver() == 1
    host.emit(4)
    clock.advance(119)
    assert host.deliver() == 0

    flows.answer = always(200)
    clock.advance(1)
    host.deliver()

    assert sorted(each["id"] for each in flows.data_of("f1")) == [1, 1, 2, 3, 4]


def test_an_unreachable_server_is_tried_for_three_days(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    host.db.session.execute(update(subscriptions).values(webhook_url=f"{NOWHERE}/api/v1/webhooks/f1"))
    host.db.session.commit()
    host.emit(1, 2, 3)
    assert host.deliver() == 1
    assert host.deliver() == 0
    clock.advance(MAX_AGE + 1)
    assert host.deliver() == 1

    assert {each.state for each in host.logged()} == {"dead"}
    assert {each.last_error for each in host.logged()} == {"the connection was refused"}
    assert host.state_of(subscription) == "active"


def test_a_replay_has_the_same_id_and_a_new_signature(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    host.subscribe(flows.url_of("f1"))
    flows.answer = always(400)
    host.emit(1)
    host.deliver()
    _, secret = host.subscribe(flows.url_of("f1"))
    flows.answer = always(200)
    clock.advance(60)

    host.delivery.log.replay(host.logged()[0].id, tenant_id="acme")
    host.deliver()

    first, second = flows.received
    assert first.event_id == second.event_id
    assert second.headers["webhook-signature"] == Webhook(secret).sign(
        second.event_id, _datetime(clock()), second.body.decode()
    )
    assert host.logged()[0].state == "delivered"


def test_an_old_event_that_is_replayed_is_tried_again_too(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(1)
    host.deliver()
    clock.advance(MAX_AGE * 2)
    flows.answer = always(500)
    host.delivery.log.replay(host.logged()[0].id, tenant_id="acme")
    host.deliver()

    assert host.logged()[0].state == "pending"


def test_a_replay_to_a_paused_subscription_waits(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    host.emit(1)
    host.deliver()
    host.delivery.subscriptions.pause(subscription.id, tenant_id="acme", reason="for a test")
    host.delivery.log.replay(host.logged()[0].id, tenant_id="acme")

    assert host.deliver() == 0
    host.delivery.subscriptions.resume(subscription.id, tenant_id="acme")
    assert host.deliver() == 1


def test_dead_deliveries_are_sent_again_the_oldest_first_up_to_a_limit(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    host.subscribe(flows.url_of("f2"))
    flows.answer = always(400)
    host.emit(1, 2, 3)
    host.deliver()
    flows.answer = always(200)
    log, sent = host.delivery.log, len(flows.received)

    assert log.replay_dead("globex", organizations=[None], limit=10) == 0
    assert log.replay_dead("acme", organizations=[None], subscription_id=subscription.id, limit=2) == 2
    host.deliver()

    assert [each.data["id"] for each in flows.received[sent:]] == [1, 2]
    assert sorted(each.state for each in host.logged()) == ["dead"] * 4 + ["delivered"] * 2
    assert log.replay_dead("acme", organizations=[None], limit=10) == 4


def test_a_replay_to_nobody_is_refused(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    host.emit(1)
    host.deliver()
    host.delivery.subscriptions.unsubscribe(subscription.id, tenant_id="acme")

    with pytest.raises(InvalidInput):
        host.delivery.log.replay(host.logged()[0].id, tenant_id="acme")


def test_another_tenant_sees_and_changes_nothing(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))
    host.emit(1)
    host.deliver()
    delivery, service = host.logged()[0], host.delivery.subscriptions

    assert host.delivery.log.list("globex") == []
    calls: tuple[Callable[[], object], ...] = (
        lambda: host.delivery.log.get(delivery.id, tenant_id="globex"),
        lambda: host.delivery.log.replay(delivery.id, tenant_id="globex"),
        lambda: service.get(subscription.id, tenant_id="globex"),
        lambda: service.pause(subscription.id, tenant_id="globex", reason="mischief"),
        lambda: service.resume(subscription.id, tenant_id="globex"),
    )
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert service.unsubscribe(subscription.id, tenant_id="globex") is False
    assert host.state_of(subscription) == "active"


def test_a_crashed_worker_loses_nothing(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(1)
    assert host.delivery.dispatcher.claim("a worker that crashes", limit=1)
    assert host.deliver() == 0

    clock.advance(120)

    assert host.deliver() == 1


@pytest.mark.parametrize("trigger", ["task_done", "task_moved"])
def test_a_worker_that_is_stopped_sends_nothing_more(host: EventApp, flows: Webhooks, trigger: str) -> None:
    worker = host.delivery.worker(threads=4)

    def stop(received: Received) -> tuple[int, dict[str, str]]:
        worker.stop()
        return 200, {}

    flows.answer = stop
    host.subscribe(flows.url_of("f1"), trigger)
    host.emit(1, 2, 3, trigger=host.moved if trigger == "task_moved" else host.done)

    assert worker.run_once() == 1
    # It has given the subscription back.
    assert host.deliver() == 2


def test_events_that_come_while_a_worker_delivers_are_not_forgotten(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"))
    later = iter([2, 3])

    def emit_another(received: Received) -> tuple[int, dict[str, str]]:
        with host.app.app_context():
            for number in later:
                host.emit(number)
                host.delivery.dispatcher.distribute()
                break
        return 200, {}

    flows.answer = emit_another
    host.emit(1)
    host.deliver()

    assert sorted(each["id"] for each in flows.data_of("f1")) == [1, 2, 3]


def test_a_late_response_does_not_end_a_flow_that_was_enabled_again(host: EventApp, flows: Webhooks) -> None:
    subscription, _ = host.subscribe(flows.url_of("f1"))

    def enable_again(received: Received) -> tuple[int, dict[str, str]]:
        with host.app.app_context():
            host.subscribe(flows.url_of("f1"))
        flows.answer = always(200)
        return 410, {}

    flows.answer = enable_again
    host.emit(1)
    host.deliver()

    assert host.state_of(subscription) == "active"


def test_only_so_many_subscriptions_of_a_server_are_served_at_once(host: EventApp, flows: Webhooks) -> None:
    for number in range(8):
        host.subscribe(flows.url_of(f"f{number}"))
    host.emit(1)

    assert len(host.delivery.dispatcher.claim("one", limit=20)) == 5
    assert host.delivery.dispatcher.claim("other", limit=20) == []


def test_of_a_server_that_is_away_one_subscription_is_tried_at_a_time(host: EventApp, flows: Webhooks) -> None:
    for number in range(8):
        host.subscribe(flows.url_of(f"f{number}"))
    host.emit(1)
    host.delivery.dispatcher.distribute()
    host.db.session.execute(update(subscriptions).values(failures=3))
    host.db.session.commit()

    assert len(host.delivery.dispatcher.claim("one", limit=20)) == 1
    assert host.delivery.dispatcher.claim("other", limit=20) == []


def test_a_broken_filter_is_reported_and_does_not_stop_the_others(
    host: EventApp, flows: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    host.subscribe(flows.url_of("f1"))
    host.done.emit({"id": 1}, tenant_id="acme")
    host.emit(2)

    host.deliver()

    assert [each.state for each in host.logged()] == ["dead", "delivered"]
    assert "matches" in caplog.text


def test_each_attempt_is_counted_by_a_signal(host: EventApp, flows: Webhooks) -> None:
    seen = []
    host.subscribe(flows.url_of("f1"))
    flows.answer = always(500)

    def count(sender: object, **content: object) -> None:
        seen.append((content["trigger"], content["state"], content["status"]))

    with signals.delivery_attempted.connected_to(count, host.app):
        host.emit(1)
        host.deliver()

    assert seen == [("task_done", "pending", 500)]


def test_old_deliveries_are_pruned_with_their_events(host: EventApp, flows: Webhooks, clock: StoppedClock) -> None:
    host.subscribe(flows.url_of("f1"))
    host.emit(1, 2)
    host.deliver()
    clock.advance(days=20)
    host.delivery.log.replay(host.logged()[0].id, tenant_id="acme")
    host.deliver()
    clock.advance(days=11)

    list(prune(get_state().database, now=int(clock()), audit_days=400, delivery_days=30))

    # The event that was sent again is kept, with what it needs.
    assert len(host.logged()) == 1
    assert len(host.db.session.execute(select(events)).all()) == 1


def test_subscribing_again_keeps_the_subscription_and_its_secret(host: EventApp, flows: Webhooks) -> None:
    """An event may be on its way before the flow could store another secret."""
    first, old = host.subscribe(flows.url_of("f1"))
    second, new = host.subscribe(flows.url_of("f1"))

    assert first.id == second.id
    assert old == new


def _datetime(instant: float) -> datetime:
    return datetime.fromtimestamp(int(instant), tz=timezone.utc)
