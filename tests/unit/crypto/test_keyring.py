"""HMAC with rotating keys and separate purposes; the test vectors were computed without this package."""

from __future__ import annotations

import pytest

from flask_activepieces.crypto.keyring import (
    KeyRing,
    constant_time_equal,
    from_base64url,
    looks_like_id,
    random_id,
    sha256_hex,
    to_base64url,
)
from flask_activepieces.errors import SignatureError, SignatureExpired

KEY = "a key for the test vectors only"
SEALED = "v1.eyJhIjoxLCJleHAiOjE4MDAwMDAwNjB9.MnKOJEHugOjKQZ9YcMM7k8B9eAr6O0HC58P-n-vgvac"
END = 1_800_000_060


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing([KEY])


def test_keys_are_derived_for_purpose_and_context(ring: KeyRing) -> None:
    assert [key.hex() for key in ring.derive("purpose")] == [
        "407a847a5c83ee1c406230107de9ec215f58b59ca1c0ed545fa4184b58e2f6ee"
    ]
    assert [key.hex() for key in ring.derive("purpose", "context")] == [
        "cbce20ab9a8d76ff799acdf9ec43c98dbf4cb3077c3e0f748da2d6d47b077bb0"
    ]


def test_a_signature_is_the_hmac_with_the_derived_key(ring: KeyRing) -> None:
    assert ring.sign("purpose", b"message") == "Ds6GZ33rn2fmtfg4o5S1eCyLQvRuVwTo9Xv_DEEHuPM"


def test_the_format_of_sealed_values_does_not_change(ring: KeyRing) -> None:
    """A new format would invalidate all current codes and pending requests."""
    assert ring.sign_json("purpose", {"a": 1, "exp": END}, context="context") == SEALED
    assert ring.verify_json("purpose", SEALED, now=END - 1, context="context") == {"a": 1, "exp": END}


def test_every_changed_bit_is_detected(ring: KeyRing) -> None:
    signature = ring.sign("purpose", b"message")

    for place in range(len(signature)):
        for bit in (1, 2, 4, 8, 16, 32, 64):
            changed = signature[:place] + chr(ord(signature[place]) ^ bit) + signature[place + 1 :]
            with pytest.raises(SignatureError):
                ring.verify("purpose", b"message", changed)
    for message in (b"messagE", b"message ", b"", b"message\0"):
        with pytest.raises(SignatureError):
            ring.verify("purpose", message, signature)


def test_every_changed_character_of_a_sealed_value_is_detected(ring: KeyRing) -> None:
    for place in range(len(SEALED)):
        other = "A" if SEALED[place] != "A" else "B"
        with pytest.raises(SignatureError):
            changed = SEALED[:place] + other + SEALED[place + 1 :]
            ring.verify_json("purpose", changed, now=END - 1, context="context")


@pytest.mark.parametrize(
    ("purpose", "context"),
    [
        ("another", "context"),
        ("purpose", "another"),
        ("purpose", ""),
        ("", "purpose\0context"),
        ("purpose\0context", ""),
        ("purpos", "e\0context"),
    ],
)
def test_another_purpose_or_context_is_rejected(ring: KeyRing, purpose: str, context: str) -> None:
    with pytest.raises(SignatureError):
        ring.verify_json(purpose, SEALED, now=END - 1, context=context)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "v1..",
        "v1.",
        SEALED.replace("v1", "v2"),
        SEALED.partition(".")[2],
        SEALED.rpartition(".")[0],
        SEALED + ".",
        SEALED + "=",
        SEALED + "\n",
        " " + SEALED,
        SEALED.replace(".", "\uff0e"),
        "v1.\x00.\x00",
        "v1.\ud800.x",
        "v1.x.\ud800",
        "\U0001f600",
    ],
)
def test_a_value_that_was_never_sealed_is_rejected(ring: KeyRing, text: str) -> None:
    with pytest.raises(SignatureError):
        ring.verify_json("purpose", text, now=0, context="context")


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_a_sealed_value_expires_on_the_second(ring: KeyRing, late: int) -> None:
    with pytest.raises(SignatureExpired):
        ring.verify_json("purpose", SEALED, now=END + late, context="context")


def test_a_forged_value_is_not_reported_as_expired(ring: KeyRing) -> None:
    with pytest.raises(SignatureError) as caught:
        ring.verify_json("purpose", SEALED[:-1] + "A", now=END, context="context")

    assert not isinstance(caught.value, SignatureExpired)


def test_the_first_key_signs_and_the_old_one_still_verifies(ring: KeyRing) -> None:
    rotated = KeyRing(["a newer key, in front", KEY])

    assert rotated.verify_json("purpose", SEALED, now=0, context="context")["a"] == 1
    assert rotated.sign("purpose", b"message") != ring.sign("purpose", b"message")
    rotated.verify("purpose", b"message", rotated.sign("purpose", b"message"))
    with pytest.raises(SignatureError):
        ring.verify("purpose", b"message", rotated.sign("purpose", b"message"))


def test_a_removed_key_no_longer_verifies() -> None:
    with pytest.raises(SignatureError):
        KeyRing(["a newer key, alone"]).verify_json("purpose", SEALED, now=0, context="context")


def test_a_key_ring_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one"):
        KeyRing([])


def test_a_key_ring_and_its_errors_show_no_key_and_no_value(ring: KeyRing) -> None:
    with pytest.raises(SignatureError) as caught:
        ring.verify_json("purpose", SEALED[:-1] + "A", now=0, context="context")

    assert repr(ring) == str(ring) == "<KeyRing of 1>"
    for hidden in (KEY, SEALED[3:20], SEALED[-20:-1]):
        assert hidden not in str(caught.value)


@pytest.mark.parametrize(("data", "text"), [(b"", ""), (b"\xff", "_w"), (b"\xfb\xff", "-_8"), (b"abc", "YWJj")])
def test_base64url_has_no_padding(data: bytes, text: str) -> None:
    """RFC 7515 §2 and appendix C."""
    assert to_base64url(data) == text
    assert from_base64url(text) == data


@pytest.mark.parametrize("text", ["A", "A A", "AA\n", "é", "A" * 5, "\x00\x00"])
def test_invalid_base64url_is_rejected(text: str) -> None:
    with pytest.raises(SignatureError):
        from_base64url(text)


def test_a_fingerprint_is_sha_256() -> None:
    """The example of FIPS 180-2, appendix B.1."""
    assert sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_strings_of_any_kind_can_be_compared() -> None:
    assert constant_time_equal("é", "é")
    assert constant_time_equal("", "")
    assert not constant_time_equal("a", "aa")
    assert not constant_time_equal("é", "e\u0301")


def test_random_ids_are_long_and_unique() -> None:
    ids = {random_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(len(identifier) == 22 and looks_like_id(identifier) for identifier in ids)


def test_no_random_id_looks_like_a_command_line_option() -> None:
    """Otherwise ``grants revoke <id>`` would fail for one grant in 64."""
    assert not any(random_id().startswith("-") for _ in range(2000))


@pytest.mark.parametrize(
    "text", ["", "a b", "a.b", "a/b", "a\n", "\x00", "é", "\u0661", "a" * 65, "%41", "'", "\ud800"]
)
def test_invalid_ids_are_recognized(text: str) -> None:
    assert not looks_like_id(text)


def test_a_rule_finds_problems_of_keys_without_showing_them() -> None:
    ring = KeyRing(["good", "bad", "worse"])

    problems = ring.problems(lambda key: None if key == "good" else f"{len(key)} letters")

    assert problems == [(2, "3 letters"), (3, "5 letters")]
