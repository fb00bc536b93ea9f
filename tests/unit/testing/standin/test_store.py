"""Rows of the stand-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_activepieces.testing.standin.routing.responses import ErrorResponse
from flask_activepieces.testing.standin.store import Store, new_id
from tests.support.clock import StoppedClock


@pytest.fixture
def store(clock: StoppedClock) -> Iterator[Store]:
    store = Store(clock=clock)
    yield store
    store.close()


def test_an_id_is_21_letters_and_digits() -> None:
    assert re.fullmatch("[0-9a-zA-Z]{21}", new_id())


def test_a_row_has_creation_and_update_times(store: Store, clock: StoppedClock) -> None:
    row = store.add("thing", {"name": "a"})
    clock.advance(1.5)

    changed = store.change("thing", row["id"], name="b")

    assert row["created"] == row["updated"] == changed["created"] == "2027-01-15T08:00:00.000Z"
    assert (changed["updated"], changed["name"]) == ("2027-01-15T08:00:01.500Z", "b")


def test_rows_are_found_by_their_fields(store: Store) -> None:
    for name, flag in (("a", True), ("b", None), ("c", True)):
        store.add("thing", {"name": name, "flag": flag})
    store.add("other", {"name": "a", "flag": True})

    assert [row["name"] for row in store.all("thing", flag=True)] == ["a", "c"]
    assert [row["name"] for row in store.all("thing", flag=None)] == ["b"]
    assert [row["name"] for row in store.all("thing", lambda row: row["name"] > "a")] == ["b", "c"]
    assert store.first("thing", name="x") is None


def test_a_row_is_found_only_by_its_kind(store: Store) -> None:
    row = store.add("thing", {})

    assert store.get("other", row["id"]) is None
    assert not store.drop("other", row["id"])
    assert store.drop("thing", row["id"])


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_a_nul_is_rejected_as_by_postgresql(store: Store, text: str) -> None:
    with pytest.raises(ErrorResponse) as refused:
        store.add("thing", {"name": text})

    assert refused.value.body["code"] == "22021"
    assert store.all("thing") == []


def test_concurrent_changes_are_not_lost(store: Store) -> None:
    row = store.add("thing", {})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda place: store.change("thing", row["id"], **{f"f{place}": 1}), range(40)))

    changed = store.get("thing", row["id"])
    assert changed is not None and sum(name.startswith("f") for name in changed) == 40


def test_an_encrypted_value_can_only_be_decrypted_by_its_store(store: Store, clock: StoppedClock) -> None:
    sealed = store.encrypt({"secret_text": "canary"})

    assert "canary" not in sealed
    assert store.decrypt(sealed) == {"secret_text": "canary"}
