"""Values in the configuration, which may all come as strings; ValueError says what is wrong, without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..crypto.signing_key import load_signing_key

#: Keys that are, or were, in our documentation.
PLACEHOLDERS = frozenset(
    {
        "replace me by 32 random bytes",
        "a secret key for tests only",
        "64 hexadecimal digits",
        "the newest key, 64 digits",
        "the key before it, 64 digits",
    }
)
SHORTEST_KEY = 24
#: One in a million random keys of 24 hexadecimal digits has fewer.
FEWEST_CHARACTERS = 8


def seconds_between(low: int, high: int) -> Callable[[Any], int]:
    """Converts a number of seconds within these bounds."""
    return whole_number(low, high, "seconds")


def whole_number(low: int, high: int, unit: str = "") -> Callable[[Any], int]:
    """Converts a whole number within these bounds."""

    def convert(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError("must be a whole number" + (f" of {unit}" if unit else "")) from None
        if not low <= number <= high:
            raise ValueError(f"must be between {low} and {high} {unit}".rstrip())
        return number

    return convert


def one_of(*choices: str) -> Callable[[Any], str]:
    """Accepts one of these words."""

    def convert(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return str(value)

    return convert


def subset_of(*choices: str) -> Callable[[Any], tuple[str, ...]]:
    """Accepts a list of some of these words."""

    def convert(value: Any) -> tuple[str, ...]:
        chosen = string_list(value)
        unknown = [each for each in chosen if each not in choices]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; possible are {', '.join(choices)}")
        return tuple(dict.fromkeys(chosen))

    return convert


def boolean(value: Any) -> bool:
    """True or False, also as a string."""
    known = {"true": True, "1": True, "false": False, "0": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise ValueError("must be True or False") from None


def ascii_token(value: Any) -> str:
    """Printable ASCII without spaces: an id, a name, a key that goes into a header."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a non-empty string")
    token = value.strip()
    if not all("!" <= character <= "~" for character in token):
        raise ValueError("must be printable ASCII without spaces")
    return token


def one_line(maximum: int) -> Callable[[Any], str]:
    """Accepts a text for people: one line of at most so many characters."""

    def convert(value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ValueError("must be one line of text")
        if len(value.strip()) > maximum:
            raise ValueError(f"must have at most {maximum} characters")
        return value.strip()

    return convert


def string_list(value: Any) -> list[str]:
    """A list of strings."""
    if isinstance(value, str):
        value = _parse_json(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return [item.strip() for item in value if item.strip()]


def key_list(value: Any) -> list[str]:
    """A list of private keys, each as PEM or JSON."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[", "{")):
            return [text]
        value = _parse_json(text)
    if isinstance(value, Mapping):
        value = value.get("keys", [value])  # a JWK set (RFC 7517 §5) or one key
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("must be a list of private keys, as PEM or JSON Web Keys")
    return [item if isinstance(item, str) else json.dumps(item) for item in value]


def json_mapping(value: Any, expected: str) -> Mapping[Any, Any]:
    """A mapping, also as JSON; ``expected`` is the message for anything else."""
    if isinstance(value, str):
        value = _parse_json(value)
    if not isinstance(value, Mapping):
        raise ValueError(expected)
    return value


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("starts like JSON but is not valid JSON") from None


def rsa_private_key(value: Any) -> str:
    """A private key in PEM, as Activepieces makes them."""
    pem = str(value).strip()
    load_signing_key(pem)
    return pem


def weakness(key: str) -> str | None:
    """Why a secret key can be guessed; None if it looks random."""
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
    # The length of the shortest part that the key repeats, at least twice; its own length if there is none.
    lengths = range(1, len(key) // 2 + 1)
    return next((length for length in lengths if key.startswith(key[length:])), len(key))
