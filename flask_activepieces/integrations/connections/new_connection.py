"""A connection on its way to Activepieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...api_client.resources.connection_values import Value


@dataclass(frozen=True, kw_only=True)
class PlatformSharing:
    """Which projects may use a global connection; None keeps what is stored."""

    #: Must contain the integration's project. None for a new connection: only that project.
    project_ids: Sequence[str] | None = None
    #: Whether future projects may use it, too. None for a new connection: no.
    pre_select_for_new_projects: bool | None = None


@dataclass(frozen=True, kw_only=True)
class NewConnection:
    """A connection to create, or to give another value."""

    #: None until it is known: an authorization code is valid for a minute only.
    value: Value | None = field(default=None, repr=False)
    #: None: the app's own piece.
    piece_name: str | None = None
    piece_version: str | None = None
    display_name: str | None = None
    #: Its name among the tenant's connections; the same name again updates it. None: the display name.
    external_id: str | None = None
    #: None keeps the existing metadata.
    metadata: Mapping[str, Any] | None = None
    #: The project that the caller expects; it can only be the integration's.
    project_id: str | None = None
    #: For a global connection. None: it belongs to the project.
    platform_sharing: PlatformSharing | None = None
    #: The user for whom a one-click connection is made; it replaces the name.
    owner_user_id: str | None = None
    #: The id of the connection that gets another value; it replaces the name.
    replaces_id: str | None = None
