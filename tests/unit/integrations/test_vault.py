"""The vault: what is locked says nothing, and opens only for its purpose, in its place, under a key in use."""

from __future__ import annotations

import pytest

from flask_activepieces.crypto.encryption import Encryptor
from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.errors import SignatureError

CANARY = "sk-a-secret-that-must-not-be-seen"
OLD, NEW = "the old key of this app", "the new key of this app"


def vault(*keys: str, purpose: str = "integration secret") -> Encryptor:
    return Encryptor(KeyRing(keys or (OLD,)), purpose)


def test_what_was_locked_comes_out_again() -> None:
    locked = vault().lock({"api_key": CANARY, "email": "ada@example.com"}, context="row")

    assert vault().unlock(locked, context="row") == {"api_key": CANARY, "email": "ada@example.com"}


def test_what_is_locked_says_nothing() -> None:
    locked = vault().lock({"api_key": CANARY}, context="row")

    assert CANARY not in locked
    assert "api_key" not in locked
    assert locked != vault().lock({"api_key": CANARY}, context="row")


def test_a_ciphertext_that_is_moved_to_another_row_does_not_open() -> None:
    locked = vault().lock({"api_key": CANARY}, context="the row of Acme")

    with pytest.raises(SignatureError):
        vault().unlock(locked, context="the row of Globex")


def test_a_ciphertext_does_not_open_for_another_purpose() -> None:
    locked = vault().lock({"api_key": CANARY}, context="row")

    with pytest.raises(SignatureError):
        vault(purpose="third-party authorization").unlock(locked, context="row")


@pytest.mark.parametrize("wrong", ["", "nonsense", "gAAAAA==", "é"])
def test_what_is_no_ciphertext_does_not_open(wrong: str) -> None:
    with pytest.raises(SignatureError):
        vault().unlock(wrong, context="row")


def test_a_changed_ciphertext_does_not_open() -> None:
    locked = vault().lock({"api_key": CANARY}, context="row")
    changed = locked[:-6] + ("A" if locked[-6] != "A" else "B") + locked[-5:]

    with pytest.raises(SignatureError):
        vault().unlock(changed, context="row")


def test_a_new_key_in_front_is_the_rotation() -> None:
    locked = vault(OLD).lock({"api_key": CANARY}, context="row")

    assert vault(NEW, OLD).unlock(locked, context="row") == {"api_key": CANARY}
    with pytest.raises(SignatureError):
        vault(NEW).unlock(locked, context="row")


def test_what_is_locked_anew_needs_the_old_key_no_more() -> None:
    locked = vault(OLD).lock({"api_key": CANARY}, context="row")

    anew = vault(NEW, OLD).relock(locked, context="row")

    assert vault(NEW).unlock(anew, context="row") == {"api_key": CANARY}


def test_the_refusal_repeats_neither_ciphertext_nor_key() -> None:
    locked = vault(OLD).lock({"api_key": CANARY}, context="row")

    with pytest.raises(SignatureError) as caught:
        vault(NEW).unlock(locked, context="row")

    assert locked not in str(caught.value)
    assert caught.value.__cause__ is None
    assert NEW not in repr(vault(NEW))
