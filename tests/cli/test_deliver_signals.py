"""``flask activepieces deliver`` as a process of its own, which signals end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from tests.support.events import EventApp, Received, Webhooks, make_event_app, webhooks
from tests.support.servers import ROOT

SECONDS = 60


@dataclass
class Gate:
    """Answers the first request only when the gate is open."""

    arrived: Event = field(default_factory=Event)
    is_open: Event = field(default_factory=Event)

    def __call__(self, received: Received) -> tuple[int, Mapping[str, str]]:
        self.arrived.set()
        self.is_open.wait(SECONDS)
        return 200, {}


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def host(flows: Webhooks, tmp_path: Path) -> Iterator[EventApp]:
    made = make_event_app(tmp_path, flows.url)
    with made.app.app_context():
        made.db.create_all()
        yield made
        made.db.session.remove()
        made.db.engine.dispose()


@contextmanager
def worker(flows: Webhooks, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, running."""
    factory = f"tests.support.events:make_flask_app({str(directory)!r}, {flows.url!r})"
    command = [sys.executable, "-m", "flask", "--app", factory, "activepieces", "deliver"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_after_its_current_request(
    host: EventApp, flows: Webhooks, tmp_path: Path, number: signal.Signals
) -> None:
    flows.answer = gate = Gate()
    host.subscribe(flows.url_of("f1"), "task_moved")
    host.emit(1, 2, 3, trigger=host.moved)

    with worker(flows, tmp_path) as process:
        assert gate.arrived.wait(SECONDS)
        process.send_signal(number)
        gate.is_open.set()
        assert process.wait(SECONDS) == 0

    assert host.logged()[0].state == "delivered"
    # What it did not send is not left to a lease: another worker delivers it at once.
    host.deliver()
    assert [each["id"] for each in flows.data_of("f1")] == [1, 2, 3]


def test_a_signal_ends_a_worker_that_waits(host: EventApp, flows: Webhooks, tmp_path: Path) -> None:
    with worker(flows, tmp_path) as process:
        assert process.stderr is not None
        assert b"Delivering events." in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
