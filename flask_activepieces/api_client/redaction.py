"""Makes a message of Activepieces fit to show: short, on one line, and without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

_MAX_LENGTH = 300
#: The rest of a longer message is dropped before anything else.
_MAX_INPUT = 10_000
#: A shorter secret is only removed as a whole word: "a" would match inside most words.
_MIN_SECRET = 4


def redact(message: str, *, secrets: Iterable[str] = ()) -> str:
    """The message on one line of at most 300 characters, with each secret replaced by an ellipsis."""
    message = message[:_MAX_INPUT]
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    # Longest first: a secret that is part of another one would leave the rest of it.
    for spelling in sorted(spellings, key=len, reverse=True):
        pattern = re.escape(spelling)
        if len(spelling) < _MIN_SECRET:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        message = re.sub(pattern, "…", message)
    # Unprintable characters control terminals, reorder text or are invisible.
    message = "".join(char if char.isprintable() else " " for char in message)
    message = " ".join(message.split())
    return message if len(message) <= _MAX_LENGTH else f"{message[: _MAX_LENGTH - 1].rstrip()}…"


def _spellings(secret: str) -> tuple[str, ...]:
    """The secret itself, in JSON and in a URL."""
    return (secret, json.dumps(secret)[1:-1], quote(secret, safe="")) if secret.strip() else ()
