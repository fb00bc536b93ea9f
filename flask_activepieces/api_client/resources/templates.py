"""Templates: flows to begin with, of Activepieces' gallery, of the platform, or exported from a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..wire import segment
from .resource import Resource, shape


@dataclass(frozen=True, kw_only=True)
class FlowTemplate:
    """One flow of a template."""

    display_name: str
    #: The trigger, and within it the steps.
    trigger: Mapping[str, Any] = field(repr=False)
    schema_version: str | None = None
    notes: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Template:
    """One or more flows, with words about them."""

    name: str
    #: ``OFFICIAL``, ``CUSTOM`` (of the platform) or ``SHARED`` (exported from a flow).
    type: str
    flows: tuple[FlowTemplate, ...] = ()
    #: None for one that was exported from a flow and is kept nowhere.
    id: str | None = None
    summary: str = ""
    description: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    #: The names of the pieces that the flows use.
    pieces: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def template_from_json(data: object) -> Template:
    """The template in a file that Activepieces' pages exported, once it is decoded JSON."""
    return shape(Template).one(data, "templates.read")


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
        """The templates that fit; the gallery of a server without internet is empty."""
        return self._all(
            Template,
            "templates.list",
            "/templates",
            type=type,
            search=search,
            pieces=pieces,
            category=category,
        )

    def get(self, template_id: str) -> Template:
        """One template."""
        return self._one(Template, "templates.get", "GET", f"/templates/{segment(template_id)}")
