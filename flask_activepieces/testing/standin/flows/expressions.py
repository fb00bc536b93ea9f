"""The expressions of flows: ``{{connections['crm']}}``, ``{{trigger['output'].body}}``, ``{{step_1['output'][0]}}``.

A real engine evaluates JavaScript. The stand-in only resolves names, keys and indexes, which is what the builder
writes; everything else, and every unknown path, is null. A step's result is under ``output``:
``{{trigger.body.name}}``, as in older guides, was empty on a 0.85.2 server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ..routing.responses import Json

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"\s*\w+(?:\.\w+|\[(?:'[^']*'|\"[^\"]*\"|\d+)\])*\s*")
_PART = re.compile(r"(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")
_CONNECTION = re.compile(r"\{\{\s*connections(?:\['([^']*)'\]|\[\"([^\"]*)\"\]|\.(\w+))")


def resolve(value: Json, scope: Mapping[str, Json]) -> Json:
    """The value, with each expression in its strings replaced by its value in the scope."""
    if isinstance(value, str):
        return _resolve_text(value, scope)
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    if isinstance(value, dict):
        return {name: resolve(item, scope) for name, item in value.items()}
    return value


def connections_in(value: Json) -> list[str]:
    """The distinct external ids of the connections in a value's expressions, in order of appearance."""
    matches = (names for text in _texts(value) for names in _CONNECTION.findall(text))
    return list(dict.fromkeys("".join(names) for names in matches))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _resolve_text(text: str, scope: Mapping[str, Json]) -> Json:
    whole = _EXPRESSION.fullmatch(text)
    if whole and "{{" not in whole[1]:
        return _resolve_path(whole[1], scope)
    return _EXPRESSION.sub(lambda match: _as_text(_resolve_path(match[1], scope)), text)


def _resolve_path(path: str, scope: Mapping[str, Json]) -> Json:
    here: Json = scope if _PATH.fullmatch(path) else None
    for part in _parts(path):
        here = _step(here, part)
    return here


def _parts(path: str) -> Iterator[str | int]:
    for name, quoted, double_quoted, place in _PART.findall(path):
        yield int(place) if place else name or quoted or double_quoted


def _step(here: Json, part: str | int) -> Json:
    try:
        if isinstance(here, Mapping) and isinstance(part, str):
            return here[part]
        if isinstance(here, list) and isinstance(part, int):
            return here[part]
    except (KeyError, IndexError):
        pass
    return None


def _as_text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
