"""Scopes as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.scopes import SCOPE_KINDS
from ...messages import Message
from ...oauth import scopes
from ...state import State
from .i18n import gettext

_TITLES: Mapping[str, str] = {
    "read": Message("View"),
    "change": Message("Create and change"),
    "delete": Message("Delete"),
}
_UNKNOWN = Message("A permission that no longer exists")


@dataclass(frozen=True)
class ScopeGroup:
    """Scopes that allow the same kind of thing."""

    kind: str
    title: str
    scopes: Sequence[Mapping[str, Any]]


def grouped(described: Iterable[Mapping[str, Any]]) -> list[ScopeGroup]:
    """The scopes of a consent request in groups, those that allow the least first."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in SCOPE_KINDS}
    for scope in described:
        by_kind[scope["kind"]].append(scope)
    return [ScopeGroup(kind, _TITLES[kind], of_kind) for kind, of_kind in by_kind.items() if of_kind]


def descriptions(state: State, scope: str) -> list[str]:
    """What these scopes allow, in the words of the app."""
    known = state.settings.scopes
    return [known[name].description if name in known else gettext(_UNKNOWN) for name in scopes.split(scope)]
