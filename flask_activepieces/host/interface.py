"""What the extension asks the app that it is part of.

A *principal* is who is signed in, in one tenant. Ids are opaque strings (see `ids`): an app with integer or UUID keys
passes ``str(id)`` and gets the same string back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from flask import current_app

from .ids import checked_id, checked_optional_id

Permission = Literal["view", "edit", "admin"]


@dataclass(frozen=True)
class Principal:
    """Who is signed in, in which tenant; what an access token speaks for."""

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
    """A tenant, or an organization in it, that a user may share with an OAuth client."""

    tenant_id: str
    name: str
    organization_id: str | None = None

    def __post_init__(self) -> None:
        """`SetupError` names the attribute that cannot be an id."""
        checked_id("Workspace.tenant_id", self.tenant_id)
        checked_optional_id("Workspace.organization_id", self.organization_id)

    @property
    def form_value(self) -> str:
        """Its value in forms, unique among the user's workspaces."""
        if self.organization_id is None:
            return quote(self.tenant_id, safe="")
        return f"{quote(self.tenant_id, safe='')}/{quote(self.organization_id, safe='')}"


@dataclass(frozen=True)
class NavigationItem:
    """A link in the navigation of the automation area."""

    #: The page, as in the setting ``ACTIVEPIECES_DISABLED_PAGES``; any other name for a page of the app's own.
    name: str
    label: str
    url: str
    is_current: bool = False


class Host(ABC):
    """What the extension asks the app. `FlaskLoginHost` answers for apps with Flask-Login, and can be subclassed.

    The first five methods must be implemented; the others have defaults.
    """

    @abstractmethod
    def current_principal(self) -> Principal | None:
        """Who is signed in on this request; None if no one is."""

    @abstractmethod
    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user that a token speaks for; None if unknown, disabled or no longer in that tenant.

        Called by ``flask activepieces grants check``, not on each request or refresh: an app that disables a user
        calls `Activepieces.revoke_user`.
        """

    @abstractmethod
    def allows(self, principal: Principal, permission: Permission) -> bool:
        """Whether the principal may view, edit or administer integrations in their tenant."""

    @abstractmethod
    def login_url(self, next_url: str) -> str:
        """The URL of the login page, which must return to ``next_url``, a path of this app."""

    @abstractmethod
    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """What the user may share, the preferred one first; never empty for a signed-in user."""

    def sign_out(self) -> None:
        """End the session of a user who wants to approve an app with another account.

        A host without it offers no change of account on the consent page.
        """
        raise NotImplementedError

    def check_password(self, username: str, password: str) -> Principal | None:
        """The user with this name and password, for the `BasicAuth` of the app's piece; None to refuse.

        An unknown name must take as long as a wrong password: check some hash in both cases, or strangers learn who
        has an account. Too many failures are refused before this is called.
        """
        return None

    def check_credentials(self, fields: Mapping[str, Any]) -> Principal | None:
        """The user whose credentials these are, for the `CustomAuth` of the app's piece; None to refuse.

        ``fields`` is what the schema of the `CustomAuth` loaded. The same applies as for `check_password`.
        """
        return None

    def version(self) -> str | None:
        """The version of the app, which is saved with every connection; by default the app's ``VERSION`` setting."""
        version = current_app.config.get("VERSION")
        return None if version is None else str(version)

    def may_see_mcp_token(self, principal: Principal) -> bool:
        """Whether this user may see a new MCP token, once, right after rotating it."""
        return False

    def navigation(self, principal: Principal, items: Sequence[NavigationItem]) -> Sequence[NavigationItem]:
        """The links of the automation area for this user, who may open all of these: add, remove or reorder them."""
        return items

    def display_names(self, user_ids: Sequence[str], tenant_id: str) -> Mapping[str, str]:
        """The names of these users of a tenant by id, for the audit log; without those who are unknown."""
        found = {user_id: self.load_principal(user_id, tenant_id) for user_id in user_ids}
        return {user_id: principal.display_name for user_id, principal in found.items() if principal is not None}

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """The absolute URL of the app's page for renewing a broken connection; None if it has none."""
        return None
