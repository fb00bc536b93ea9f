"""Refresh tokens and the rule of their rotation. Pure: no database and no clock.

A token is ``{family}.{generation}.{nonce}.{mac}`` and is not stored. The mac is keyed by the app's secret keys and by
a random secret of the family, so that neither a leaked database nor a leaked key is enough to make tokens.

The rule for a token with a valid mac, while its family is active (RFC 9700 §4.14.2):

1. The current token rotates: it gets a successor and becomes the previous one.
2. The previous token is used again before its successor: a response was lost. Within 30 seconds, by clocks that may
   differ by a minute, it gets the same successor again (retries, parallel workers). Later it gets a new one, which
   replaces the first successor.
3. An older token, or one that was replaced, is a copy in other hands: the family is revoked.
4. A generation that the row has not reached was issued before the database was restored from a backup: it rotates,
   and the row continues after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ...clock import CLOCK_SKEW
from ...crypto.keyring import KeyRing, looks_like_id
from ...errors import SignatureError

PURPOSE = "refresh token"
#: How long a lost response is repeated.
REPEAT_SECONDS = 30
#: The same on a machine whose clock is ahead of the one that rotated the token.
REPEAT_WINDOW = REPEAT_SECONDS + CLOCK_SKEW


@dataclass(frozen=True)
class RefreshToken:
    """The readable parts of a refresh token."""

    family_id: str
    generation: int
    nonce: str


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The part of a family that the rule looks at."""

    generation: int
    nonce: str = field(repr=False)
    previous_nonce: str | None = field(repr=False)
    rotated_at: int


class Step(Enum):
    """What happens when a genuine token of an active family is used."""

    ROTATE = "issue the successor"
    REPEAT_RESPONSE = "issue the same successor again"
    REPLACE = "issue a new successor in place of the unused one"
    REVOKE = "issue nothing, and revoke the family"


def next_step(token: RefreshToken, family: Rotation, *, now: int) -> Step:
    """The rule above."""
    behind = family.generation - token.generation
    if behind < 0 or (behind == 0 and token.nonce == family.nonce):
        return Step.ROTATE
    if behind == 1 and token.nonce == family.previous_nonce:
        in_time = now - family.rotated_at <= REPEAT_WINDOW
        return Step.REPEAT_RESPONSE if in_time else Step.REPLACE
    return Step.REVOKE


def serialize(keys: KeyRing, token: RefreshToken, *, secret: str) -> str:
    """The token for the client."""
    body = f"{token.family_id}.{token.generation}.{token.nonce}"
    return f"{body}.{keys.sign(PURPOSE, body.encode(), context=secret)}"


def parse(value: str) -> RefreshToken | None:
    """The readable parts, not yet verified; None if the value is not formatted like a refresh token."""
    parts = value.split(".")
    if len(parts) != 4 or not all(map(looks_like_id, parts)):
        return None
    family_id, generation, nonce, _ = parts
    if not generation.isdigit() or len(generation) > 18 or str(int(generation)) != generation:
        return None
    return RefreshToken(family_id, int(generation), nonce)


def has_valid_mac(keys: KeyRing, value: str, *, secret: str) -> bool:
    """Whether the token was issued for the family with this secret."""
    body, _, mac = value.rpartition(".")
    try:
        keys.verify(PURPOSE, body.encode(), mac, context=secret)
    except SignatureError:
        return False
    return True
