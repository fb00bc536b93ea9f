"""The sentence in an error of the app's API, for the people who read it: it repeats no other part of a body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Problem details (RFC 9457), the errors of OAuth (RFC 6749 §5.2), and what other APIs use.
_DETAILS = ("detail", "error_description", "message", "title", "error")
#: Where APIs have the errors of fields, and where marshmallow has those of the whole input.
_FIELDS = ("fields", "errors")
_WHOLE_INPUT = "_schema"


def detail_of(body: Mapping[str, Any]) -> str:
    """The sentence about the whole error; empty if it has none."""
    found = (body.get(name) for name in _DETAILS)
    return next((text for text in found if text and isinstance(text, str)), "")


def field_sentences(body: Mapping[str, Any]) -> str:
    """The sentences about single fields, each with the field's name; empty if it has none."""
    errors = next((body[name] for name in _FIELDS if body.get(name) is not None), None)
    return " ".join(_sentences(errors, ()))


def _sentences(errors: Any, path: tuple[str, ...]) -> Iterator[str]:
    """``{"title": ["Not a valid string."], "lines": {"0": {"due": "Missing."}}}`` as a sentence each."""
    if isinstance(errors, str):
        yield f"{'.'.join(path)}: {errors}" if path else errors
    elif isinstance(errors, list):
        for each in errors:
            yield from _sentences(each, path)
    elif isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _sentences(inner, path if name == _WHOLE_INPUT else (*path, str(name)))
