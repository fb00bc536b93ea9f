"""Much of everything: what a company has after years."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from flask_activepieces.storage import event_tables, tables
from tests.browser.site import Site
from tests.support.storage import engine_of, rows_of

MANY = 200
RUNS = 1_000
AUDIT_EVENTS = 10_000
#: How the new rows of a table differ from one that is there.
_TABLES: dict[str, tuple[int, Callable[[int], dict[str, Any]]]] = {
    "oauth_clients": (MANY, lambda n: {"client_id": f"client-{n:030}", "name": f"Program {n}"}),
    "grants": (MANY, lambda n: {"id": f"grant-{n:030}", "client_id": f"client-{n:030}"}),
    "subscriptions": (MANY, lambda n: {"id": f"subscription-{n:030}", "target_hash": f"{n:064}"}),
    "deliveries": (MANY, lambda n: {"id": 1000 + n, "subscription_id": f"subscription-{n:030}"}),
    "personal_tokens": (MANY, lambda n: {"id": f"token-{n:030}", "token_hash": f"{n:064}", "name": f"Token {n}"}),
    "tool_calls": (MANY, lambda n: {"id": f"call-{n:059}", "tool": f"tool_{n}", "count": 2}),
    "audit_events": (AUDIT_EVENTS, lambda n: {"id": 1000 + n}),
}


def add_many(site: Site) -> None:
    """Add 200 rows of each kind to Acme, 1,000 runs, and 10,000 events of the audit log."""
    _add_rows(site)
    store = site.activepieces.state.store
    for kind, number in (("app_connection", MANY), ("flow_run", RUNS)):
        row = _without_ids(store.all(kind)[-1])
        for n in range(number):
            more = {"displayName": f"Connection {n}", "externalId": f"connection-{n}"}
            store.add(kind, row | (more if kind == "app_connection" else {}))
    flow = store.get("flow", site.ids["flow"])
    assert flow is not None
    version = store.get("flow_version", flow["publishedVersionId"])
    assert version is not None
    for n in range(MANY):
        copy = store.add("flow", _without_ids(flow) | {"externalId": f"flow-{n}"})
        name = {"flowId": copy["id"], "displayName": f"Flow {n}"}
        published = store.add("flow_version", _without_ids(version) | name)
        store.change("flow", copy["id"], publishedVersionId=published["id"])


def _add_rows(site: Site) -> None:
    all_tables = {table.name: table for table in event_tables.all_tables()}
    with engine_of(site.app).begin() as connection:
        for name, (number, changes) in _TABLES.items():
            of_acme = [row for row in rows_of(site.app, name) if row["tenant_id"] == "acme"]
            # Clients of the app's own integration are listed, but are not everyone's.
            row = next(row for row in of_acme if row.get("integration_id") is None or name == "subscriptions")
            rows = [row | changes(n) for n in range(number)]
            connection.execute(insert(all_tables[f"{tables.TABLE_PREFIX}{name}"]), rows)


def _without_ids(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("id", "created", "updated")}
