"""What an app offers to agents: its tools, and the samples of its triggers. The lists of them are cached."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from ..pieces.declarations import Trigger
from ..pieces.definition import PieceDefinition
from .json_rpc import INVALID_PARAMS, Encoded, RpcError
from .samples import describe_resource, describe_template, needs_fields
from .tools import Tool, tools_of

#: Some clients read the first page only.
PAGE_SIZE = 200
#: Lists depend on the scopes of the token, of which few combinations are in use.
_KEPT_LISTS = 128


class Offer(NamedTuple):
    """One item of a list, and the scopes that are required to see it."""

    name: str
    scopes: frozenset[str]
    describe: Callable[[], Mapping[str, Any]]


class Catalogue:
    """The tools and samples of one app."""

    def __init__(self, definition: PieceDefinition) -> None:
        self.tools: Mapping[str, Tool] = tools_of(definition)
        self.triggers: Mapping[str, Trigger] = dict(sorted(definition.triggers.items()))
        triggers = self.triggers.values()
        self._offers: Mapping[str, Sequence[Offer]] = {
            "tools": [Offer(tool.name, tool.scopes, tool.describe) for tool in self.tools.values()],
            "resources": _offers((each for each in triggers if not needs_fields(each)), describe_resource),
            "resourceTemplates": _offers((each for each in triggers if each.input), describe_template),
        }
        self._scopes = frozenset(definition.tool_scopes)
        self._encoded_page = lru_cache(maxsize=_KEPT_LISTS)(self._encode_page)

    def page(self, kind: str, scopes: frozenset[str], cursor: object) -> dict[str, Any]:
        """The next items of this kind after the cursor, as far as the scopes allow."""
        # Only what is a name: pages are kept by it.
        after = "" if cursor is None else _name_of(cursor, {offer.name for offer in self._offers[kind]})
        return dict(self._encoded_page(kind, scopes & self._scopes, after))

    def _encode_page(self, kind: str, scopes: frozenset[str], after: str) -> Mapping[str, Any]:
        visible = [offer for offer in self._offers[kind] if offer.scopes <= scopes and offer.name > after]
        shown = visible[:PAGE_SIZE]
        page = {kind: Encoded(json.dumps([offer.describe() for offer in shown]))}
        return page if len(shown) == len(visible) else {**page, "nextCursor": _cursor_of(shown[-1].name)}


def _offers(triggers: Iterable[Trigger], describe: Callable[[Trigger], Mapping[str, Any]]) -> Sequence[Offer]:
    return [Offer(each.name, each.scopes, partial(describe, each)) for each in triggers]


def _cursor_of(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode()


def _name_of(cursor: object, names: Collection[str]) -> str:
    """The name, one of these, after which the page begins."""
    try:
        name = urlsafe_b64decode(str(cursor)).decode()
    except ValueError:
        name = ""
    if name not in names or _cursor_of(name) != cursor:
        raise RpcError(INVALID_PARAMS, "This cursor is not one of this list.")
    return name
