"""When each row expires, to the second, and the size of batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, create_engine, insert, select

from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.maintenance import GRACE, UNUSED_CLIENT, prune

NOW = 1_800_000_000
DAY = 86_400


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path / 'prune.sqlite'}")
    tables.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


def revocation(name: str, **changes: int) -> dict[str, Any]:
    return {"subject": name, "created_at": NOW - DAY, "expires_at": NOW} | changes


def family(name: str, **changes: int | None) -> dict[str, Any]:
    ids = dict.fromkeys(("client_id", "tenant_id", "user_id", "grant_id"), "x")
    texts = {"scope": "", "secret": "", "nonce": "", "organization_id": None}
    times = {"created_at": 0, "rotated_at": 0, "expires_at": NOW, "revoked_at": None}
    numbers = {"generation": 0, "previous_nonce": None, "refresh_count": 0}
    return {"id": name, **ids, **texts, **times, **numbers} | changes


def event(identifier: int, **changes: int) -> dict[str, Any]:
    return {"id": identifier, "name": "x", "detail": "{}", "at": 0} | changes


def add(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    database.run_in_transaction(lambda transaction: [transaction.execute(insert(table), r) for r in rows])


def left(database: Database, column: Any) -> list[Any]:
    return database.read(lambda connection: sorted(connection.scalars(select(column))))


def run(database: Database, *, now: int = NOW, days: int = 400, batch: int = 1000) -> list[Any]:
    return list(prune(database, now=now, audit_days=days, delivery_days=30, batch=batch))


def test_an_empty_database_has_nothing_to_remove(database: Database) -> None:
    assert run(database) == []


def test_a_revocation_is_removed_when_the_last_affected_token_has_expired(database: Database) -> None:
    add(database, tables.revocations, revocation("over", expires_at=NOW), revocation("alive", expires_at=NOW + 1))

    assert run(database) == [("activepieces_revocations", 1)]
    assert left(database, tables.revocations.c.subject) == ["alive"]


def test_a_family_is_removed_a_day_after_it_ended(database: Database) -> None:
    """Until then, a replay of its code or its tokens is detected."""
    add(
        database,
        tables.token_families,
        family("expired long ago", expires_at=NOW - GRACE),
        family("expired lately", expires_at=NOW - GRACE + 1),
        family("revoked long ago", expires_at=NOW + DAY, revoked_at=NOW - GRACE),
        family("revoked lately", expires_at=NOW + DAY, revoked_at=NOW - GRACE + 1),
        family("alive", expires_at=NOW + DAY),
    )

    assert run(database) == [("activepieces_token_families", 2)]
    assert left(database, tables.token_families.c.id) == ["alive", "expired lately", "revoked lately"]


def test_an_event_is_removed_after_the_configured_days(database: Database) -> None:
    add(database, tables.audit_events, event(1, at=NOW - 400 * DAY), event(2, at=NOW - 400 * DAY + 1))

    assert run(database) == [("activepieces_audit_events", 1)]
    assert left(database, tables.audit_events.c.id) == [2]


@pytest.mark.parametrize(("batch", "taken"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (5, [5]), (6, [5])])
def test_a_batch_removes_at_most_its_size(database: Database, batch: int, taken: list[int]) -> None:
    add(database, tables.revocations, *(revocation(str(number)) for number in range(5)))

    assert [rows for _, rows in run(database, batch=batch)] == taken


def test_pruning_is_lazy_so_that_a_job_can_stop_between_batches(database: Database) -> None:
    add(database, tables.revocations, *(revocation(str(number)) for number in range(5)))

    next(prune(database, now=NOW, audit_days=400, delivery_days=30, batch=2))

    assert len(left(database, tables.revocations.c.subject)) == 3


def test_rows_removed_by_another_job_are_not_counted(database: Database) -> None:
    add(database, tables.revocations, *(revocation(str(number)) for number in range(4)))
    mine, other = (prune(database, now=NOW, audit_days=400, delivery_days=30, batch=2) for _ in range(2))

    taken = [next(mine)[1], next(other)[1], *(rows for _, rows in mine), *(r for _, r in other)]

    assert taken == [2, 2]


def test_a_lease_is_removed_when_it_has_expired(database: Database) -> None:
    rows = [
        {"name": "ended", "holder": "x", "expires_at": NOW},
        {"name": "held", "holder": "x", "expires_at": NOW + 1},
    ]
    add(database, tables.leases, *rows)

    run(database)

    assert left(database, tables.leases.c.name) == ["held"]


def client(name: str, **changes: Any) -> dict[str, Any]:
    texts = {"name": name, "description": "", "redirect_uris": "", "scope": "", "grant_types": ""}
    flags = {"require_pkce": True, "remember_consent": False, "can_introspect": False, "tokens_issued": 0}
    return {"client_id": name, "source": "document", "created_at": NOW - DAY, **texts, **flags} | changes


def grant(client_id: str) -> dict[str, Any]:
    ids = {"client_id": client_id, "tenant_id": "x", "user_id": "x", "organization_id": ""}
    return {"id": client_id, **ids, "workspace_name": "", "scope": "", "created_at": 0, "updated_at": 0}


def test_a_client_that_registered_itself_is_removed_when_no_one_uses_it(database: Database) -> None:
    rows = [
        client("never approved"),
        client("new", created_at=NOW - DAY + 1),
        client("read again", document_tried_at=NOW - DAY + 1),
        client("dynamic", source="dynamic"),
        client("unused for long", approved_at=NOW - UNUSED_CLIENT),
        client("unused", approved_at=NOW - UNUSED_CLIENT + 1),
        client("in use", approved_at=NOW - 2 * UNUSED_CLIENT),
        client("suspended", disabled_at=NOW - DAY),
        client("of an operator", source="operator", created_at=0),
    ]
    for row in rows:
        # All rows of one INSERT have the same columns.
        add(database, tables.oauth_clients, row)
    add(database, tables.grants, grant("in use"))

    assert run(database, batch=2) == [("activepieces_oauth_clients", 2), ("activepieces_oauth_clients", 1)]

    kept = ["in use", "new", "of an operator", "read again", "suspended", "unused"]
    assert left(database, tables.oauth_clients.c.client_id) == kept
