"""The newest real events of each trigger, as resources that an agent can read.

The address is ``trigger://task_done/samples``. The fields of the trigger's form are the query: ``?project=home``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..pieces.declarations import Trigger
from ..pieces.properties import value_fields

_SCHEME, _PATH = "trigger", "/samples"
MIME_TYPE = "application/json"


def uri_of(trigger: Trigger) -> str:
    """The address of the trigger's samples."""
    return f"{_SCHEME}://{trigger.name}{_PATH}"


def parse_uri(uri: str) -> tuple[str, Mapping[str, str]] | None:
    """The name of the trigger and the fields; None for any other address."""
    try:
        parts = urlsplit(uri)
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return None
    if (parts.scheme, parts.path, parts.fragment) != (_SCHEME, _PATH, ""):
        return None
    return parts.netloc, fields


def needs_fields(trigger: Trigger) -> bool:
    """Whether the samples cannot be read without a query."""
    return any(field.required for _, field in value_fields(trigger.input))


def describe_resource(trigger: Trigger) -> dict[str, Any]:
    """The samples as ``resources/list`` shows them."""
    return {"uri": uri_of(trigger), **_described(trigger)}


def describe_template(trigger: Trigger) -> dict[str, Any]:
    """The same with the fields of the form (RFC 6570 §3.2.8), for ``resources/templates/list``."""
    names = ",".join(name for name, _ in value_fields(trigger.input))
    return {"uriTemplate": f"{uri_of(trigger)}{{?{names}}}", **_described(trigger)}


def _described(trigger: Trigger) -> dict[str, Any]:
    return {
        "name": trigger.name,
        "title": trigger.title,
        "description": f"The newest events: {trigger.ai or trigger.description}",
        "mimeType": MIME_TYPE,
    }
