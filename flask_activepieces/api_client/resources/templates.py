"""Flow templates: from Activepieces' gallery, of the platform, or exported from a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..decoding import decode_object
from .resource import Resource


@dataclass(frozen=True, kw_only=True)
class FlowTemplate:
    """One flow of a template."""

    display_name: str
    #: The trigger, which contains the steps.
    trigger: Mapping[str, Any] = field(repr=False)
    schema_version: str | None = None
    notes: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Template:
    """One or more flows with a description."""

    name: str
    #: ``OFFICIAL``, ``CUSTOM`` (of the platform) or ``SHARED`` (exported from a flow).
    type: str
    flows: tuple[FlowTemplate, ...] = ()
    #: None for a template that was exported from a flow: it is not stored.
    id: str | None = None
    summary: str = ""
    description: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    #: The names of the pieces that the flows use.
    pieces: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def template_from_json(data: object) -> Template:
    """The template in a file that Activepieces exported; ``data`` is its parsed JSON."""
    return decode_object(Template, data, "templates.read")


class Templates(Resource):
    """``client.templates``"""

    def list(
        self,
        *,
        type: Literal["OFFICIAL", "SHARED", "CUSTOM"] | None = None,  # noqa: A002
        search: str | None = None,
        pieces: Sequence[str] = (),
        category: str | None = None,
    ) -> Sequence[Template]:
        """The matching templates; without internet access, a server's gallery is empty."""
        query = {"type": type, "search": search, "pieces": pieces, "category": category}
        return self._list(Template, "templates.list", "/templates", query=query)

    def get(self, template_id: str) -> Template:
        """The template with this id."""
        return self._get(Template, "templates.get", "/templates", template_id)
