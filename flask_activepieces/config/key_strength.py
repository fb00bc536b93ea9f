"""Secret keys that can be guessed: copied from the documentation, repetitive, or short."""

from __future__ import annotations

#: Keys that are, or were, in our documentation.
PLACEHOLDERS = frozenset(
    {
        "replace me by 32 random bytes",
        "a secret key for tests only",
        "the newest key, 64 digits",
        "the key before it, 64 digits",
    }
)
SHORTEST_KEY = 24
#: One in a million random keys of 24 hexadecimal digits has fewer.
FEWEST_CHARACTERS = 8


def weakness(key: str) -> str | None:
    """Why the key can be guessed; None if it looks random. The reason does not repeat the key."""
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
    """The length of the shortest part that the key repeats, at least twice; its own length if there is none."""
    lengths = range(1, len(key) // 2 + 1)
    return next((length for length in lengths if key.startswith(key[length:])), len(key))
