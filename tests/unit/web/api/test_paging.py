"""Pages of one response: every row appears once, even if rows are created or deleted in between."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.errors import InvalidInput
from flask_activepieces.web.api.paging import page_of


def row(name: str, created: str = "2026-11-21T08:00:00.000Z") -> Connection:
    return Connection(
        id=name,
        external_id=name,
        display_name=name,
        type="SECRET_TEXT",
        piece_name="@activepieces/piece-slack",
        scope="PROJECT",
        status="ACTIVE",
        created=created,
        updated=created,
    )


#: All created in the same second, in which Activepieces' own cursors skip rows.
ROWS = [row(name) for name in "dbeac"]


def all_pages(rows: list[Connection], limit: int) -> list[str]:
    """The rows of all pages."""
    seen: list[str] = []
    page = page_of(rows, limit=limit, cursor=None)
    seen += [each.id for each in page.data]
    while page.next:
        page = page_of(rows, limit=limit, cursor=page.next)
        seen += [each.id for each in page.data]
    return seen


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_no_row_is_lost_or_shown_twice(limit: int) -> None:
    assert all_pages(ROWS, limit) == list("abcde")


def test_the_oldest_row_comes_first() -> None:
    rows = [row("new", "2026-11-21T08:00:01Z"), row("old", "2026-11-21T07:00:00Z")]

    assert [each.id for each in page_of(rows, limit=10, cursor=None).data] == ["old", "new"]


def test_a_single_page_has_no_cursors() -> None:
    page = page_of(ROWS, limit=5, cursor=None)

    assert (page.next, page.previous) == (None, None)


def test_paging_backwards_returns_the_same_pages() -> None:
    first = page_of(ROWS, limit=2, cursor=None)
    second = page_of(ROWS, limit=2, cursor=first.next)
    third = page_of(ROWS, limit=2, cursor=second.next)

    assert page_of(ROWS, limit=2, cursor=third.previous) == second
    assert page_of(ROWS, limit=2, cursor=second.previous) == first


def test_the_last_page_backwards_may_be_shorter_and_repeats_nothing() -> None:
    second = page_of(ROWS, limit=1, cursor=page_of(ROWS, limit=1, cursor=None).next)

    back = page_of(ROWS, limit=4, cursor=second.previous)

    assert [each.id for each in back.data] == ["a"]


def test_a_deleted_row_hides_no_other_row() -> None:
    first = page_of(ROWS, limit=2, cursor=None)
    left = [each for each in ROWS if each.id not in "ab"]

    assert [each.id for each in page_of(left, limit=9, cursor=first.next).data] == ["c", "d", "e"]


def test_a_page_without_rows_is_empty() -> None:
    page = page_of(list[Connection](), limit=2, cursor=None)

    assert (page.data, page.next, page.previous) == ([], None, None)


@pytest.mark.parametrize("text", ["x", "é", "[]", '["after"]', '["within", "a", "b"]', '["after", 1, 2]', "[" * 9999])
def test_an_invalid_cursor_is_rejected(text: str) -> None:
    for cursor in (text, urlsafe_b64encode(text.encode()).decode()):
        with pytest.raises(InvalidInput) as caught:
            page_of(ROWS, limit=2, cursor=cursor)

        assert list(caught.value.fields) == ["cursor"]
