"""The cost of a page of a long list, the first and the last one, compared with that of a short list."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from flask_activepieces.storage.tables import audit_events
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.link import link_tenant
from tests.support.pages import Page
from tests.support.standin import Standin, answering, standin

from . import host

TARGET = 1.5
#: How many rows each list has: one more than fit on a page, and many.
_FEW = {"connections": 26, "runs": 26, "audit": 51}
_MANY = {"connections": 200, "runs": 1_000, "audit": 10_000}


@dataclass(frozen=True)
class PageCost:
    """Median milliseconds of CPU of the app's thread for a page of a list."""

    page: str
    rows: int
    #: The first page of a list that has little more.
    few_ms: float
    first_ms: float
    last_ms: float
    target: float = TARGET

    @property
    def ratio(self) -> float:
        """How much more a page of the long list costs."""
        return max(self.first_ms, self.last_ms) / self.few_ms

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target


def measure_pages(rounds: int) -> list[PageCost]:
    """Show the pages of both companies in turn."""
    with _company(_FEW) as small, _company(_MANY) as large:
        return [_cost(page, rows, small, large, rounds * 5) for page, rows in _MANY.items()]


def _cost(page: str, rows: int, small: FlaskClient, large: FlaskClient, times: int) -> PageCost:
    """Show each of the three pages this often, after once that is not measured."""
    url = f"/automation/{page}"
    shown = ((small, url), (large, url), (large, _last(large, url)))
    spent = [[_milliseconds(browser, url) for browser, url in shown] for _ in range(times + 1)]
    return PageCost(page, rows, *(median(column) for column in zip(*spent[1:], strict=True)))


def _last(browser: FlaskClient, url: str) -> str:
    """The last page of a list."""
    while following := Page(browser.get(url, base_url=host.PUBLIC_URL)).links.get("Next"):
        url = following
    return url


def _milliseconds(browser: FlaskClient, url: str) -> float:
    gc.collect()  # so that no page collects the garbage of another
    start = time.thread_time()
    response = browser.get(url, base_url=host.PUBLIC_URL)
    spent = time.thread_time() - start
    assert response.status_code == 200, response.text
    return spent * 1000


@contextmanager
def _company(rows: Mapping[str, int]) -> Iterator[FlaskClient]:
    """The browser of an admin. Activepieces runs in other threads, which are not measured."""
    with ActivepiecesServer(edition="ce") as server:
        app = host.create("sqlite://", ACTIVEPIECES_BASE_URL=server.url)
        with app.app_context():
            app.extensions["sqlalchemy"].create_all()
        link_tenant(app, server, host.USER.tenant_id)
        _add_connections(server, rows["connections"])
        _add_runs(server, rows["runs"])
        _add_audit_events(app, rows["audit"])
        yield app.test_client()


def _add_connections(server: ActivepiecesServer, number: int) -> None:
    for key in range(number):
        server.add_connection("@activepieces/piece-acme-secret", {"type": "SECRET_TEXT", "secret_text": f"ok-{key}"})


def _add_runs(server: ActivepiecesServer, number: int) -> None:
    """One run of a flow, and copies of it."""
    flow = standin(server).by_admin().flow(answering("step_1", "done"))
    Standin(server, "").post(f"/webhooks/{flow}", {})
    server.finish_runs()
    (run,) = server.state.store.all("flow_run")
    copied = {name: value for name, value in run.items() if name not in ("id", "created", "updated")}
    for _ in range(number - 1):
        server.state.store.add("flow_run", copied)


def _add_audit_events(app: Flask, number: int) -> None:
    """Events besides that of linking the company."""
    event = {"name": "grant.approved", "tenant_id": host.USER.tenant_id, "user_id": host.USER.user_id, "detail": "{}"}
    with app.app_context(), app.extensions["sqlalchemy"].engine.begin() as connection:
        connection.execute(insert(audit_events), [{**event, "at": at} for at in range(number - 1)])
