"""The triggers of Tasklane's piece in Node: each hook, with the events that the running app sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from queue import Queue
from typing import Any

import pytest

from tests.example_app.piece_in_node import Tasklane, tasklane_in_node
from tests.support.events import Received, Webhooks, webhooks

TRIGGERS = ["task_created", "task_done"]
FLOW = "5kZ0nLvVUgQNFXMfpPqzY"
#: For a machine that is busy; the worker looks for new events every second.
SECONDS = 30
MOST_SAMPLES = 5


class Flows:
    """An Activepieces server whose webhooks the app calls, in the order of the calls."""

    def __init__(self, server: Webhooks) -> None:
        self.url = server.url
        self.webhook = server.url_of(FLOW)
        self._calls: Queue[Received] = Queue()
        server.answer = self._accept

    def next_call(self) -> dict[str, Any]:
        """The next call of the app, as a server passes it to the trigger of a flow."""
        received = self._calls.get(timeout=SECONDS)
        body = {"id": received.event_id, "data": received.data}
        return {"method": "POST", "headers": received.headers, "rawBody": received.body.decode(), "body": body}

    def _accept(self, received: Received) -> tuple[int, Mapping[str, str]]:
        self._calls.put(received)
        return 200, {}


@pytest.fixture(scope="module")
def flows() -> Iterator[Flows]:
    with webhooks() as server:
        yield Flows(server)


@pytest.fixture(scope="module")
def tasklane(tmp_path_factory: pytest.TempPathFactory, flows: Flows) -> Iterator[Tasklane]:
    with tasklane_in_node(tmp_path_factory.mktemp("tasklane-triggers"), flows.url) as tasklane:
        yield tasklane


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, flows: Flows) -> Iterator[Tasklane]:
    """A Tasklane that cannot call Activepieces."""
    folder = tmp_path_factory.mktemp("tasklane-polled")
    with tasklane_in_node(folder, flows.url, ACTIVEPIECES_TRIGGER_DELIVERY="polling") as tasklane:
        yield tasklane


def happen(tasklane: Tasklane, trigger: str, title: str) -> None:
    """Let the event of the trigger occur for a new task with this title."""
    created = tasklane.piece.run("create_task", title=title, run_id=f"{trigger} {title}")
    if trigger == "task_done":
        tasklane.piece.run("change_task", task_id=created["id"], done=True)


def enable(tasklane: Tasklane, trigger: str, flows: Flows, contains: str) -> None:
    tasklane.piece.hook(trigger, "onEnable", {"contains": contains}, webhookUrl=flows.webhook)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_enabled_flow_gets_each_matching_event_with_a_signature_that_verifies(
    tasklane: Tasklane, flows: Flows, trigger: str
) -> None:
    enable(tasklane, trigger, flows, contains="rocket")
    happen(tasklane, trigger, "Feed the coyote")
    happen(tasklane, trigger, "Order rocket skates")

    call = flows.next_call()
    (item,) = tasklane.piece.hook(trigger, "run", payload=call)

    assert (item["title"], item["done"]) == ("Order rocket skates", trigger == "task_done")
    assert item["_dedupe_key"] == call["headers"]["webhook-id"]
    tasklane.piece.hook(trigger, "onDisable")
    assert tasklane.subscriptions() == []


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_flow_that_is_enabled_twice_has_one_subscription_with_the_newest_inputs(
    tasklane: Tasklane, flows: Flows, trigger: str
) -> None:
    enable(tasklane, trigger, flows, contains="tunnel")
    enable(tasklane, trigger, flows, contains="anvil")
    assert tasklane.subscriptions() == [trigger]
    happen(tasklane, trigger, "Paint a tunnel")
    happen(tasklane, trigger, "Order an anvil")

    (item,) = tasklane.piece.hook(trigger, "run", payload=flows.next_call())

    assert item["title"] == "Order an anvil"
    tasklane.piece.hook(trigger, "onDisable")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_from_before_a_renewal_verifies_after_it(tasklane: Tasklane, flows: Flows, trigger: str) -> None:
    enable(tasklane, trigger, flows, contains="magnet")
    happen(tasklane, trigger, "A magnet before")
    before = flows.next_call()
    tasklane.piece.hook(trigger, "onRenew", {"contains": "magnet"}, webhookUrl=flows.webhook)
    happen(tasklane, trigger, "A magnet after")

    items = [tasklane.piece.hook(trigger, "run", payload=call) for call in (before, flows.next_call())]

    assert [item["title"] for (item,) in items] == ["A magnet before", "A magnet after"]
    assert tasklane.subscriptions() == [trigger]
    tasklane.piece.hook(trigger, "onDisable")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_that_someone_else_changed_starts_no_run(tasklane: Tasklane, flows: Flows, trigger: str) -> None:
    enable(tasklane, trigger, flows, contains="spring")
    happen(tasklane, trigger, "A coiled spring")
    call = flows.next_call()

    items = tasklane.piece.hook(
        trigger, "run", payload={**call, "rawBody": call["rawBody"].replace("coiled", "flat")}
    )

    assert items == []
    assert tasklane.piece.logged == ["A webhook call was ignored: its signature does not match."]
    tasklane.piece.hook(trigger, "onDisable")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_disabling_a_flow_whose_subscription_is_gone_does_nothing(
    tasklane: Tasklane, flows: Flows, trigger: str
) -> None:
    tasklane.piece.hook(trigger, "onDisable")  # never enabled
    enable(tasklane, trigger, flows, contains="")
    tasklane.piece.hook(trigger, "onDisable")

    tasklane.piece.hook(trigger, "onDisable")

    assert tasklane.piece.logged == []
    assert tasklane.subscriptions() == []


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_handshake_is_answered(tasklane: Tasklane, trigger: str) -> None:
    answer = tasklane.piece.hook(trigger, "onHandshake", payload={"headers": {"webhook-handshake": "abc"}})

    assert (answer["status"], answer["body"]) == (200, {"handshake": "abc"})


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_author_tests_the_trigger_with_real_tasks_that_match(tasklane: Tasklane, trigger: str) -> None:
    for number in range(MOST_SAMPLES + 1):
        happen(tasklane, trigger, f"Sample {number} of {trigger}")
    happen(tasklane, trigger, "Feed the coyote")

    samples = tasklane.piece.hook(trigger, "test", {"contains": "sample"})

    # The server shows the last one first.
    numbers = range(1, MOST_SAMPLES + 1)
    assert [sample["title"] for sample in samples] == [f"Sample {number} of {trigger}" for number in numbers]
    assert {sample["done"] for sample in samples} == {trigger == "task_done"}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_flow_that_asks_gets_each_event_once(polled: Tasklane, trigger: str) -> None:
    happen(polled, trigger, "A magnet, too early")
    polled.piece.hook(trigger, "onEnable", {"contains": "magnet"})
    happen(polled, trigger, "A spring")
    for number in range(3):
        happen(polled, trigger, f"Magnet {number}")

    items = polled.piece.hook(trigger, "run", {"contains": "magnet"})

    assert [item["title"] for item in items] == ["Magnet 0", "Magnet 1", "Magnet 2"]
    assert len({item["_dedupe_key"] for item in items}) == len(items)
    assert polled.piece.hook(trigger, "run", {"contains": "magnet"}) == []
    for _ in range(2):
        polled.piece.hook(trigger, "onDisable")
    assert polled.subscriptions() == []
