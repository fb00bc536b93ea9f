"""Encryption: a ciphertext reveals nothing, and is bound to its purpose, its row and the configured keys."""

from __future__ import annotations

import time

import pytest

from flask_activepieces.crypto.keyring import Encryptor, KeyRing
from flask_activepieces.errors import SignatureError

CANARY = "sk-a-secret-that-must-not-be-seen"
OLD, NEW = "the old key of this app", "the new key of this app"


def encryptor(*keys: str, purpose: str = "integration secret") -> Encryptor:
    return Encryptor(KeyRing(keys or (OLD,)), purpose)


def test_an_encrypted_value_is_decrypted_unchanged() -> None:
    ciphertext = encryptor().encrypt({"api_key": CANARY, "email": "ada@example.com"}, context="row")

    assert encryptor().decrypt(ciphertext, context="row") == {"api_key": CANARY, "email": "ada@example.com"}


def test_a_ciphertext_reveals_nothing() -> None:
    ciphertext = encryptor().encrypt({"api_key": CANARY}, context="row")

    assert CANARY not in ciphertext
    assert "api_key" not in ciphertext
    assert ciphertext != encryptor().encrypt({"api_key": CANARY}, context="row")


def test_a_ciphertext_cannot_be_decrypted_in_another_row() -> None:
    ciphertext = encryptor().encrypt({"api_key": CANARY}, context="the row of Acme")

    with pytest.raises(SignatureError):
        encryptor().decrypt(ciphertext, context="the row of Globex")


def test_a_ciphertext_cannot_be_decrypted_for_another_purpose() -> None:
    ciphertext = encryptor().encrypt({"api_key": CANARY}, context="row")

    with pytest.raises(SignatureError):
        encryptor(purpose="third-party authorization").decrypt(ciphertext, context="row")


@pytest.mark.parametrize("wrong", ["", "nonsense", "gAAAAA==", "é"])
def test_an_invalid_ciphertext_is_rejected(wrong: str) -> None:
    with pytest.raises(SignatureError):
        encryptor().decrypt(wrong, context="row")


def test_a_changed_ciphertext_is_rejected() -> None:
    ciphertext = encryptor().encrypt({"api_key": CANARY}, context="row")
    changed = ciphertext[:-6] + ("A" if ciphertext[-6] != "A" else "B") + ciphertext[-5:]

    with pytest.raises(SignatureError):
        encryptor().decrypt(changed, context="row")


def test_after_a_rotation_an_old_key_still_decrypts_until_it_is_removed() -> None:
    ciphertext = encryptor(OLD).encrypt({"api_key": CANARY}, context="row")

    assert encryptor(NEW, OLD).decrypt(ciphertext, context="row") == {"api_key": CANARY}
    with pytest.raises(SignatureError):
        encryptor(NEW).decrypt(ciphertext, context="row")


def test_a_reencrypted_value_does_not_need_the_old_key() -> None:
    ciphertext = encryptor(OLD).encrypt({"api_key": CANARY}, context="row")

    rotated = encryptor(NEW, OLD).reencrypt(ciphertext, context="row")

    assert encryptor(NEW).decrypt(rotated, context="row") == {"api_key": CANARY}


def test_the_error_contains_neither_ciphertext_nor_key() -> None:
    ciphertext = encryptor(OLD).encrypt({"api_key": CANARY}, context="row")

    with pytest.raises(SignatureError) as caught:
        encryptor(NEW).decrypt(ciphertext, context="row")

    assert ciphertext not in str(caught.value)
    assert caught.value.__cause__ is None
    assert NEW not in repr(encryptor(NEW))


def test_the_key_of_a_ciphertext_and_its_time_are_known() -> None:
    old, new = "the older key", "the newer key"
    before = int(time.time())
    ciphertext = Encryptor(KeyRing([old]), "a purpose").encrypt({"secret": 1}, context="row 1")

    found = Encryptor(KeyRing([new, old]), "a purpose").key_of(ciphertext, context="row 1")

    assert found is not None
    assert found[0] == 1
    assert before <= found[1] <= time.time()


def test_no_key_is_that_of_a_foreign_ciphertext() -> None:
    ring = KeyRing(["a key"])
    ciphertext = Encryptor(ring, "a purpose").encrypt({"secret": 1}, context="row 1")

    assert Encryptor(ring, "a purpose").key_of(ciphertext, context="row 2") is None
    assert Encryptor(ring, "another purpose").key_of(ciphertext, context="row 1") is None
    assert Encryptor(KeyRing(["another key"]), "a purpose").key_of(ciphertext, context="row 1") is None
