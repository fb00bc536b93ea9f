"""Invitations to the platform (`Users`) or to a project (`Members`): one route, one shape."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ProjectRole:
    """What a member may do in a project."""

    id: str
    name: str
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation to the platform or to one project."""

    id: str
    email: str
    #: ``PENDING`` until it is followed; one made with an API key is ``ACCEPTED`` at once.
    status: str
    #: ``PLATFORM`` or ``PROJECT``.
    type: str
    platform_role: str | None = None
    project_id: str | None = None
    #: Only in lists.
    project_role: ProjectRole | None = None
    #: Lets in whoever has it. There only for the user who invites, on a server that sends no mail.
    link: str | None = field(default=None, repr=False)
    created: str
    updated: str
