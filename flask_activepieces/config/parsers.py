"""Numbers, lists and words in the configuration, which may all come as text; ValueError says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def seconds(low: int, high: int) -> Callable[[Any], int]:
    """Converts a number of seconds within these bounds."""

    def convert(value: Any) -> int:
        try:
            seconds = int(str(value))
        except ValueError:
            raise ValueError("it must be a whole number of seconds") from None
        if not low <= seconds <= high:
            raise ValueError(f"it must be between {low} and {high} seconds")
        return seconds

    return convert


def word(value: Any) -> str:
    """One word of printable ASCII: an id, a name, a key that goes into a header."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be a text")
    text = value.strip()
    if not all("!" <= character <= "~" for character in text):
        raise ValueError("it must be printable ASCII without spaces")
    return text


def texts(value: Any) -> list[str]:
    """A list of texts."""
    if isinstance(value, str):
        value = parsed(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ValueError("it must be a list of texts")
    return [item.strip() for item in value if item.strip()]


def key_texts(value: Any) -> list[str]:
    """A list of private keys, each as text."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[", "{")):
            return [text]
        value = parsed(text)
    if isinstance(value, Mapping):
        value = value.get("keys", [value])  # a JWK set (RFC 7517 §5) or one key
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("it must be a list of private keys, as PEM or JSON Web Keys")
    return [item if isinstance(item, str) else json.dumps(item) for item in value]


def parsed(text: str) -> Any:
    """The JSON in a text."""
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("it starts like JSON but is not valid JSON") from None


def rsa_private_key(value: Any) -> str:
    """A private key in PEM, as Activepieces makes them; the refusal does not repeat it."""
    from cryptography.exceptions import (
        UnsupportedAlgorithm,
    )  # slow to load, and few have such a key
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = str(value).strip()
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            "it must be a private key in PEM form, as Activepieces shows it once"
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ValueError("it must be an RSA key of 2048 bits or more")
    return text
