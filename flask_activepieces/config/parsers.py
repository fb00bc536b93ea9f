"""Numbers, lists and strings in the configuration, which may all come as strings; ValueError says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


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


def string_list(value: Any) -> list[str]:
    """A list of strings."""
    if isinstance(value, str):
        value = parse_json(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return [item.strip() for item in value if item.strip()]


def key_list(value: Any) -> list[str]:
    """A list of private keys, each as PEM or JSON."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[", "{")):
            return [text]
        value = parse_json(text)
    if isinstance(value, Mapping):
        value = value.get("keys", [value])  # a JWK set (RFC 7517 §5) or one key
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("must be a list of private keys, as PEM or JSON Web Keys")
    return [item if isinstance(item, str) else json.dumps(item) for item in value]


def parse_json(text: str) -> Any:
    """The JSON in a string."""
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("starts like JSON but is not valid JSON") from None


def rsa_private_key(value: Any) -> str:
    """A private key in PEM, as Activepieces makes them; the refusal does not repeat it."""
    pem = str(value).strip()
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("must be a PEM private key, as Activepieces shows it once") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ValueError("must be an RSA key of 2048 bits or more")
    return pem
