"""What Activepieces says about an error, made fit for a message: short, in one line, and without a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

_LONGEST = 300
#: More of it is not even looked at.
_MOST = 10_000
#: A secret shorter than this is removed only where it stands alone: "a" would tear every word apart.
_SHORT = 4


def tidy(text: str, *, secrets: Iterable[str] = ()) -> str:
    """The text in one line of at most 300 characters, with every secret replaced by an ellipsis."""
    text = text[:_MOST]
    # Longest first: what is a part of another secret would leave the rest of that one.
    for secret in sorted(
        {form for each in secrets for form in _forms(each)}, key=len, reverse=True
    ):
        pattern = re.escape(secret)
        if len(secret) < _SHORT:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, "…", text)
    # Not printable is what controls a terminal, what reorders text, and what is invisible.
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def _forms(secret: str) -> Iterator[str]:
    """How a secret may look when it is quoted in a text."""
    if secret.strip():
        yield secret
        yield json.dumps(secret)[1:-1]
        yield quote(secret, safe="")
