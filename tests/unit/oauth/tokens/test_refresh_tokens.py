"""The rule of rotation, case by case, and the format of refresh tokens; no database and no clock."""

from __future__ import annotations

import pytest

from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.oauth.tokens.refresh_tokens import (
    RefreshToken,
    Rotation,
    Step,
    has_valid_mac,
    next_step,
    parse,
    serialize,
)

NOW = 1_800_000_000
KEYS = KeyRing(["a key for the test vectors only"])
SECRET = "the family's secret"
TOKEN = RefreshToken("family", 3, "nonce")
TEXT = "family.3.nonce.yYsHn5NBlSiMETR-4AJyB_zgcgczoVfHJzlpq4DFElc"

ROTATE, REPEAT, REPLACE, REVOKE = Step.ROTATE, Step.REPEAT_RESPONSE, Step.REPLACE, Step.REVOKE

#: Generation and nonce of the token, seconds since the last rotation, and what it gets.
#: The family is at generation 7, nonce "current"; the one before had the nonce "previous".
RULE = [
    (7, "current", 0, ROTATE),
    (7, "current", 10**9, ROTATE),
    (6, "previous", 0, REPEAT),
    (6, "previous", 90, REPEAT),
    (6, "previous", 91, REPLACE),
    (6, "previous", 10**9, REPLACE),
    (6, "previous", -60, REPEAT),  # the clock that rotated is a minute ahead
    (7, "displaced", 0, REVOKE),
    (7, "previous", 0, REVOKE),
    (6, "displaced", 0, REVOKE),
    (6, "current", 0, REVOKE),
    (5, "older", 0, REVOKE),
    (5, "previous", 0, REVOKE),
    (0, "first", 0, REVOKE),
    (8, "from before a backup", 0, ROTATE),
    (100, "from before a backup", 10**9, ROTATE),
]


@pytest.mark.parametrize(("generation", "nonce", "later", "step"), RULE)
def test_the_rule(generation: int, nonce: str, later: int, step: Step) -> None:
    family = Rotation(generation=7, nonce="current", previous_nonce="previous", rotated_at=NOW)

    assert next_step(RefreshToken("family", generation, nonce), family, now=NOW + later) is step


def test_before_the_first_rotation_there_is_only_the_current_token() -> None:
    family = Rotation(generation=0, nonce="current", previous_nonce=None, rotated_at=NOW)

    assert next_step(RefreshToken("family", 0, "current"), family, now=NOW) is ROTATE
    assert next_step(RefreshToken("family", 0, "another"), family, now=NOW) is REVOKE
    assert next_step(RefreshToken("family", -1, "None"), family, now=NOW) is REVOKE


def test_the_format_of_a_token_does_not_change() -> None:
    """Computed without this package: a new format would invalidate every token family."""
    assert serialize(KEYS, TOKEN, secret=SECRET) == TEXT
    assert parse(TEXT) == TOKEN
    assert has_valid_mac(KEYS, TEXT, secret=SECRET)


def test_every_changed_character_is_detected() -> None:
    for place in range(len(TEXT)):
        other = "A" if TEXT[place] != "A" else "B"
        assert not has_valid_mac(KEYS, TEXT[:place] + other + TEXT[place + 1 :], secret=SECRET)


@pytest.mark.parametrize("secret", ["another family's secret", "", SECRET + " ", SECRET.upper()])
def test_the_secret_of_another_family_gives_another_mac(secret: str) -> None:
    assert not has_valid_mac(KEYS, TEXT, secret=secret)


def test_the_database_alone_cannot_make_a_token() -> None:
    """It has the family's half of the key, and not the app's half."""
    assert not has_valid_mac(KeyRing(["what a thief of the database guesses"]), TEXT, secret=SECRET)


def test_an_old_key_still_verifies() -> None:
    assert has_valid_mac(KeyRing(["a newer key, in front", "a key for the test vectors only"]), TEXT, secret=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "a.0.b",
        "a.0.b.c.d",
        "a..b.c",
        ".0.b.c",
        "a.0..c",
        "a.0.b.",
        "a.-1.b.c",
        "a.+1.b.c",
        "a.00.b.c",
        "a.01.b.c",
        "a. 1.b.c",
        "a.1_0.b.c",
        "a.1e3.b.c",
        "a.\u0661.b.c",
        "a.\u00b2.b.c",
        f"a.{'9' * 19}.b.c",
        f"a.{'9' * 5000}.b.c",
        "é.0.b.c",
        "a\x00.0.b.c",
        "a.0.b\n.c",
        "a.0.b.c\n",
        "a b.0.c.d",
        f"{'a' * 65}.0.b.c",
        "v1.e30.x",
        "e30.e30.e30",
    ],
)
def test_a_value_in_another_format_is_not_parsed(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["", ".", "a.0.b.", "a.0.b.é", "\ud800", "a.0.b.\ud800", "\x00.\x00"])
def test_an_arbitrary_value_has_no_valid_mac(text: str) -> None:
    assert not has_valid_mac(KEYS, text, secret=SECRET)


def test_a_repr_shows_no_mac() -> None:
    assert TEXT.rpartition(".")[2] not in repr(parse(TEXT))
