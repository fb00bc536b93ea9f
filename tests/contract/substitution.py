"""Maps recorded ids, tokens, keys and addresses to the stand-in's, learned from responses."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

_ID = r"[0-9a-zA-Z]{21}"
#: Strings that each server generates, so that they must be mapped.
_OPAQUE = re.compile(
    rf"{_ID}|[0-9a-zA-Z]{{72}}|sk-[0-9a-zA-Z]{{61}}|eyJ[\w-]+\.[\w-]+\.[\w-]+|-----BEGIN.*|[\w-]{{43}}|[0-9a-f]{{64}}|(?:at|rt)-[0-9a-f]{{8}}",
    re.DOTALL,
)
#: Shorter strings might occur in longer ones by chance.
_LEAST = 13


class Names:
    """Recorded text -> the stand-in's."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, recorded: Any, actual: Any) -> None:
        """Learn the mapping from a recorded response and the stand-in's."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for key in recorded.keys() & actual.keys():
                self.learn(recorded[key], actual[key])
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in zip(recorded, actual, strict=False):
                self.learn(one, other)
        elif _is_opaque(recorded) and _is_opaque(actual):
            self._known.setdefault(recorded, actual)

    def bind(self, recorded: str, actual: str) -> None:
        """Set a mapping."""
        self._known[recorded] = actual

    def bind_once(self, recorded: str, actual: str) -> None:
        """Set a mapping unless there is one."""
        self._known.setdefault(recorded, actual)

    def knows(self, recorded: str) -> bool:
        return recorded in self._known

    def translated(self, value: Any) -> Any:
        """The value with recorded names replaced by the stand-in's, in cursors too."""
        if isinstance(value, dict):
            return {self.translated(key): self.translated(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.translated(part) for part in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A string, replaced as a whole or in parts."""
        if text in self._known:
            return self._known[text]
        return self._cursor(self._parts(text))

    def _parts(self, text: str) -> str:
        for recorded, actual in self._known.items():
            if len(recorded) >= _LEAST and recorded in text:
                text = text.replace(recorded, actual)
        return text

    def _cursor(self, text: str) -> str:
        """A cursor, alone or in a query, may contain names in two layers of base64."""
        found = re.search(r"(?:^|cursor=)([\w+/=]{16,})", text)
        place = cursor_place(found[1]) if found else None
        if found is None or place is None:
            return text
        return text.replace(found[1], cursor(place[0], self._parts(place[1])))


def _is_opaque(value: Any) -> bool:
    return isinstance(value, str) and _OPAQUE.fullmatch(value) is not None


def cursor_place(text: str) -> tuple[str, str] | None:
    """Direction and position in a cursor; None if the string is not a cursor."""
    try:
        way, _, inner = base64.b64decode(text, validate=True).decode().partition("_")
        if way in ("next", "prev"):
            return way, base64.b64decode(inner, validate=True).decode()
    except ValueError:
        pass
    return None


def cursor(way: str, place: str) -> str:
    """The cursor for a place."""
    inner = base64.b64encode(place.encode()).decode()
    return base64.b64encode(f"{way}_{inner}".encode()).decode()


def decoded(part: str) -> dict[str, Any]:
    """One part of a JWT, unverified."""
    values: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return values


def encoded(values: dict[str, Any]) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
