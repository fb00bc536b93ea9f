"""The scopes of an app, as its users read them; ValueError says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .parsers import json_mapping

#: What a scope may allow, the least first: the groups of the consent page.
SCOPE_KINDS = ("read", "change", "delete")
#: Words of names such as ``tasks:read`` and ``delete:tasks``.
_READING = frozenset({"read", "readonly", "view", "list", "get", "search", "profile", "email", "openid"})
_DELETING = frozenset({"delete", "remove", "destroy", "purge"})


@dataclass(frozen=True)
class Scope:
    """One permission that an OAuth client may ask for, as the consent page describes it."""

    name: str
    description: str
    required: bool = False
    #: A second line, in smaller letters.
    details: str = ""
    #: One of `SCOPE_KINDS`.
    kind: str = "change"


def scopes(value: Any) -> dict[str, Scope]:
    """The scopes by name."""
    described = json_mapping(value, 'must map scope names to descriptions, such as {"tasks:read": "See tasks"}')
    return {name: _scope(name, description) for name, description in described.items()}


def _scope(name: Any, described: Any) -> Scope:
    # RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    is_token = isinstance(name, str) and all("!" <= c <= "~" and c not in '"\\' for c in name)
    if not name or not is_token:
        raise ValueError(f"{name!r} is not a scope name: printable ASCII without space, quote, backslash")
    given = described if isinstance(described, Mapping) else {"description": described}
    unknown = set(given) - {"description", "details", "kind", "required"}
    if unknown:
        raise ValueError(f"scope {name}: unknown key {min(map(str, unknown))}")
    description, details = given.get("description"), given.get("details") or ""
    if not isinstance(description, str) or not description.strip():
        raise ValueError(f"scope {name} needs a description")
    if not isinstance(details, str):
        raise ValueError(f"the details of scope {name} must be a string")
    kind = given.get("kind") or _kind_of(name)
    if kind not in SCOPE_KINDS:
        raise ValueError(f"the kind of scope {name} must be read, change or delete")
    return Scope(name, description.strip(), given.get("required") is True, details.strip(), kind)


def _kind_of(name: str) -> str:
    """What a scope allows by its name. If the name does not say: to change something."""
    words = re.split(r"[^a-z]+", name.lower())
    first, last = words[0], words[-1]
    if first in _DELETING or last in _DELETING:
        return "delete"
    return "read" if last in _READING or (first == "read" and last != "write") else "change"
