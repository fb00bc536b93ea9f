"""The texts of a piece that Activepieces translates. It looks up a translation by the English text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

#: Activepieces compares this many characters of the English text.
LONGEST_TEXT = 512

_FIELDS = ("displayName", "description", "options.options.*.label")
#: packages/pieces/framework/src/lib/i18n.ts: ``pathsToValuesToTranslate``. A manifest has a list of connections.
PATHS = (
    "description",
    *(f"auth.*.{part}.{name}" for part in ("username", "password") for name in ("displayName", "description")),
    *(f"auth.*.props.*.{name}" for name in _FIELDS),
    "auth.*.description",
    *(f"{steps}.*.{name}" for steps in ("actions", "triggers") for name in ("displayName", "description")),
    *(f"{steps}.*.props.*.{name}" for steps in ("actions", "triggers") for name in _FIELDS),
)


def unused_translations(
    manifest: Mapping[str, Any], translations: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, str | None]]:
    """Translations of texts that the piece does not have: the language, the text, and a similar text of the piece."""
    shown = {text[:LONGEST_TEXT] for path in PATHS for text in _texts_at(manifest, path.split("."))}
    for language, texts in translations.items():
        for text in texts:
            if text[:LONGEST_TEXT] not in shown:
                yield language, text, next(iter(get_close_matches(text, shown, n=1)), None)


def _texts_at(value: Any, path: list[str]) -> Iterator[str]:
    if not path:
        if isinstance(value, str):
            yield value
        return
    first, *rest = path
    if first == "*":
        members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        for member in members:
            yield from _texts_at(member, rest)
    elif isinstance(value, Mapping) and first in value:
        yield from _texts_at(value[first], rest)
