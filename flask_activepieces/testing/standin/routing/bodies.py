"""Reads the body of a request as Fastify does: JSON, forms with brackets, plain text, or files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from flask import Request

from .responses import Json, Row, framework_error

_BRACKETS = re.compile(r"\[([^\]]*)\]")


def read_body(request: Request) -> Json:
    """The decoded body, or None if it is empty. Reads the whole body, so that the connection can be reused."""
    raw = request.get_data(cache=True, parse_form_data=False)
    kind = request.mimetype
    if request.method in ("GET", "HEAD"):
        return None
    if kind == "application/json":
        return _json(raw)
    if kind == "application/x-www-form-urlencoded":
        return nested(request.form.items(multi=True))
    if kind == "multipart/form-data":
        return nested(request.form.items(multi=True)) | dict(request.files.items())
    if not raw:
        return None
    if kind == "text/plain":
        return raw.decode("utf-8", "replace")
    raise framework_error(415, f"Unsupported Media Type: {kind}", code="FST_ERR_CTP_INVALID_MEDIA_TYPE")


def nested(pairs: Iterable[tuple[str, str]]) -> Row:
    """``value[type]=NO_AUTH`` as ``{"value": {"type": "NO_AUTH"}}``, and a repeated name as a list."""
    tree: Row = {}
    for name, value in pairs:
        first, _, rest = name.partition("[")
        path = [first, *_BRACKETS.findall(f"[{rest}" if rest else "")]
        _set_nested(tree, path, value)
    return tree


def _set_nested(tree: Row, path: list[str], value: str) -> None:
    *branches, leaf = path
    if branches and not leaf:  # name[]=value
        *branches, leaf = branches
        value_list = [value]
        for branch in branches:
            tree = tree.setdefault(branch, {})
        tree.setdefault(leaf, []).extend(value_list)
        return
    for branch in branches:
        tree = tree.setdefault(branch, {})
    if leaf not in tree:
        tree[leaf] = value
    elif isinstance(tree[leaf], list):
        tree[leaf].append(value)
    else:
        tree[leaf] = [tree[leaf], value]


def _json(raw: bytes) -> Json:
    if not raw.strip():
        raise framework_error(
            400,
            "Body cannot be empty when content-type is set to 'application/json'",
            code="FST_ERR_CTP_EMPTY_JSON_BODY",
        )
    try:
        return json.loads(raw)
    except ValueError:
        raise framework_error(
            400,
            "Body is not valid JSON but content-type is set to 'application/json'",
            code="FST_ERR_CTP_INVALID_JSON_BODY",
        ) from None
