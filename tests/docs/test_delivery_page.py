"""The page about the delivery of events: its worker counts attempts for Prometheus, as printed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.support import hosts
from tests.support.documents import ROOT, blocks, files, page, shell_lines
from tests.support.events import webhooks
from tests.support.ports import free_port
from tests.support.terminals import terminals

PAGE = page("delivery")
#: A flow subscribes, and the app emits an event.
EVENT = """
from app import app, db, task_done
from flask_activepieces import get_state
from flask_activepieces.delivery.subscriptions.records import Subscriber

nobody = dict.fromkeys(("organization_id", "user_id", "client_id", "grant_id", "personal_token_id"))
subscriber = Subscriber(**nobody, tenant_id="acme", scope="tasks:read")
with app.app_context():
    db.create_all()
    subscriptions = get_state().delivery.subscriptions
    subscriptions.subscribe(subscriber, "task_done", webhook_url="{}", inputs={{}})
    task_done.emit({{"id": 1, "title": "Write the report"}}, tenant_id="acme")
    db.session.commit()
"""


@pytest.mark.long
def test_the_worker_of_the_page_counts_attempts_for_prometheus(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(blocks(PAGE, "python")[0], "utf-8")
    (tmp_path / "worker.py").write_text(files(PAGE)["worker.py"], "utf-8")
    (command,) = (line for line in shell_lines(PAGE) if "--app worker" in line)
    port = free_port()
    with (
        webhooks() as flows,
        terminals(
            tmp_path,
            logs=tmp_path,
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            PYTHONPATH=str(ROOT),
            FLASK_SECRET_KEY=hosts.SECRET_KEY,
            FLASK_ACTIVEPIECES_BASE_URL=flows.url,
            METRICS_PORT=str(port),
        ) as reader,
    ):
        (tmp_path / "event.py").write_text(EVENT.format(flows.url_of("f1")), "utf-8")
        reader.types("python event.py")

        worker = reader.starts(command)

        worker.prints("^Delivering events")
        assert counted(port) == 'activepieces_attempts_total{state="delivered",trigger="task_done"} 1.0'


def counted(port: int) -> str:
    """The line with the first count, which takes a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text.splitlines()
        for line in lines:
            if line.startswith("activepieces_attempts_total{"):
                return line
        time.sleep(0.1)
    raise AssertionError("nothing was counted")
