"""What the extension asks of the app it lives in: one protocol.

A *principal* is who is signed in, in one tenant. Ids are opaque text (see `host_ids`): an app with integer or UUID
keys passes ``str(id)`` and gets the same text back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import quote

from flask import current_app

from .ids import checked_id, checked_optional_id

Permission = Literal["view", "edit", "admin"]


@dataclass(frozen=True)
class Principal:
    """Who acts, in which tenant; what an access token will speak for."""

    user_id: str
    tenant_id: str
    display_name: str
    organization_id: str | None = None

    def __post_init__(self) -> None:
        """`SetupError` names the attribute that cannot be an id."""
        checked_id("Principal.user_id", self.user_id)
        checked_id("Principal.tenant_id", self.tenant_id)
        checked_optional_id("Principal.organization_id", self.organization_id)


@dataclass(frozen=True)
class Workspace:
    """A tenant (or an organization in it) that a user may share with an outside program."""

    tenant_id: str
    name: str
    organization_id: str | None = None

    def __post_init__(self) -> None:
        """`SetupError` names the attribute that cannot be an id."""
        checked_id("Workspace.tenant_id", self.tenant_id)
        checked_optional_id("Workspace.organization_id", self.organization_id)

    @property
    def key(self) -> str:
        """What tells it from the user's other workspaces, in a form."""
        if self.organization_id is None:
            return quote(self.tenant_id, safe="")
        return f"{quote(self.tenant_id, safe='')}/{quote(self.organization_id, safe='')}"


class Host(Protocol):
    """The questions. `FlaskLoginHost` answers them for apps with Flask-Login, and can be subclassed.

    A class that inherits from this one has to answer the first five; the others have an answer.
    """

    def current_principal(self) -> Principal | None:
        """Who is signed in on this request; None for a stranger."""
        ...

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user a token speaks for; None when unknown, disabled or no longer in that tenant.

        Asked by ``flask activepieces grants check`` and not at each request or refresh: an app that disables a
        user calls `Activepieces.revoke_user`.
        """
        ...

    def allows(self, principal: Principal, permission: Permission) -> bool:
        """Whether the principal may view, edit or administer integrations in their tenant."""
        ...

    def login_url(self, next_url: str) -> str:
        """Where to send a stranger who shall come back to ``next_url``, a path of this app."""
        ...

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """What the user may share, the preferred one first; never empty for a signed-in user."""
        ...

    def version(self) -> str | None:
        """The version of the app, which Activepieces is told with every connection; None if it has none."""
        return _configured_version()

    def may_see_mcp_token(self, principal: Principal) -> bool:
        """Whether this user may see a new MCP token, once, right after they rotated it."""
        return False

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """The app's own page where a broken connection is renewed, with scheme and host; None if it has none."""
        return None


def _configured_version() -> str | None:
    version = current_app.config.get("VERSION")
    return None if version is None else str(version)
