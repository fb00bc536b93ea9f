"""Secret keys that others can guess: copied from a page, of little variety, or short."""

from __future__ import annotations

#: Keys that stand in our documentation, or stood there.
PLACEHOLDERS = frozenset(
    {
        "replace me by 32 random bytes",
        "a secret key for tests only",
        "the newest key, 64 digits",
        "the key before it, 64 digits",
    }
)
SHORTEST_KEY = 24
#: 24 random hexadecimal digits have fewer different ones in one case of a million.
FEWEST_CHARACTERS = 8


def weakness(key: str) -> str | None:
    """Why others can guess the key; None if it looks random. The answer does not repeat the key."""
    if key in PLACEHOLDERS:
        return "it is an example from the documentation"
    if len(key) < SHORTEST_KEY:
        return f"it has fewer than {SHORTEST_KEY} characters"
    if len(set(key)) < FEWEST_CHARACTERS:
        return f"it has fewer than {FEWEST_CHARACTERS} different characters"
    if _period(key) < SHORTEST_KEY:
        return "it repeats a short part"
    return None


def _period(key: str) -> int:
    """The length of the part that is repeated, or of the whole key."""
    return (key + key).index(key, 1)
