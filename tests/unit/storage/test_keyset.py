"""Keyset paging: every row is on one page, in both directions, and a forged cursor never reaches the database."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine, insert, select

from flask_activepieces.errors import InvalidInput
from flask_activepieces.storage.keyset import Keyset

table = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))
#: Several rows have the same name.
ROWS = [{"id": number, "name": f"name {number // 3}"} for number in range(1, 11)]
BY_NAME = Keyset(table.c.name, table.c.id)
NEWEST = Keyset(table.c.name, table.c.id, descending=True)


@pytest.fixture
def conn() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as conn:
        table.create(conn)
        conn.execute(insert(table), ROWS)
        yield conn
    engine.dispose()


@pytest.mark.parametrize("size", [1, 3, 5, 9, 10, 11])
@pytest.mark.parametrize("keyset", [BY_NAME, NEWEST], ids=["ascending", "descending"])
def test_every_row_is_on_one_page_forward_and_backward(conn: Connection, keyset: Keyset, size: int) -> None:
    expected = sorted(range(1, 11), reverse=keyset.descending)
    pages, cursor = [], None
    while True:
        page = keyset.select(conn, select(table), limit=size, cursor=cursor)
        pages.append([row.id for row in page.items])
        if page.next is None:
            break
        cursor = page.next
    backward = [pages[-1]]
    while page.previous is not None:
        page = keyset.select(conn, select(table), limit=size, cursor=page.previous)
        backward.insert(0, [row.id for row in page.items])

    assert sum(pages, []) == expected
    assert sum(backward, []) == expected


def test_the_first_page_has_no_previous_one_and_the_last_no_next(conn: Connection) -> None:
    first = BY_NAME.select(conn, select(table), limit=5, cursor=None)
    last = BY_NAME.select(conn, select(table), limit=5, cursor=first.next)

    assert (first.previous, last.next) == (None, None)
    assert first.next and last.previous


def test_a_page_stays_the_same_when_a_row_before_it_is_deleted(conn: Connection) -> None:
    first = BY_NAME.select(conn, select(table), limit=5, cursor=None)
    conn.execute(table.delete().where(table.c.id == 2))

    second = BY_NAME.select(conn, select(table), limit=5, cursor=first.next)

    assert [row.id for row in second.items] == [6, 7, 8, 9, 10]


def test_an_empty_list_is_one_empty_page(conn: Connection) -> None:
    page = BY_NAME.select(conn, select(table).where(table.c.id > 99), limit=5, cursor=None)

    assert (page.items, page.next, page.previous) == ([], None, None)


@pytest.mark.parametrize(
    "key",
    [
        ["after", 1, 1],
        ["after", "name", "1"],
        ["after", "nul\0", 1],
        ["after", "name", 2**63],
        ["after", "name", True],
        ["beside", "name", 1],
        ["after", "name"],
        {},
        None,
    ],
)
def test_a_forged_cursor_is_rejected(conn: Connection, key: object) -> None:
    cursor = urlsafe_b64encode(json.dumps(key).encode()).decode()

    with pytest.raises(InvalidInput):
        BY_NAME.select(conn, select(table), limit=5, cursor=cursor)


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10"])
def test_what_is_no_cursor_is_rejected(conn: Connection, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        BY_NAME.select(conn, select(table), limit=5, cursor=cursor)
