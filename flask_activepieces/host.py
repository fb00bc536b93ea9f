"""What the extension asks of the app it lives in: one protocol, one default built on Flask-Login.

A *principal* is who is signed in, in one tenant. Ids are opaque text: an app with integer or UUID keys hands
over ``str(id)`` and gets the same text back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import quote

from flask import current_app

from .errors import SetupError

Permission = Literal["view", "edit", "admin"]

#: The tenant of an app whose users have none: everyone is in the one workspace.
ONLY_TENANT = "default"


@dataclass(frozen=True)
class Principal:
    """Who acts, in which tenant; what an access token will speak for."""

    user_id: str
    tenant_id: str
    display_name: str
    organization_id: str | None = None


@dataclass(frozen=True)
class Workspace:
    """A tenant (or an organization in it) that a user may share with an outside program."""

    tenant_id: str
    name: str
    organization_id: str | None = None

    @property
    def key(self) -> str:
        """What tells it from the user's other workspaces, in a form."""
        if self.organization_id is None:
            return quote(self.tenant_id, safe="")
        return f"{quote(self.tenant_id, safe='')}/{quote(self.organization_id, safe='')}"


class Host(Protocol):
    """The questions. Subclass `FlaskLoginHost` to answer some of them differently.

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

    def reveals_mcp_token(self, principal: Principal) -> bool:
        """Whether this user may see a new MCP token, once, right after they rotated it."""
        return False

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """The app's own page where a broken connection is renewed, with scheme and host; None if it has none."""
        return None


class FlaskLoginHost(Host):
    """The default host: Flask-Login's ``current_user``, with the attributes most apps already have.

    It reads ``tenant_id`` (one shared tenant when a user has none), ``organization_id``, ``tenant_name``,
    ``is_admin``, and the first of ``display_name``, ``name``, ``email`` that is there.
    """

    def current_principal(self) -> Principal | None:
        """Flask-Login's current user, unless anonymous."""
        # Here, for it is slow to load, and apps with a host of their own may do without it.
        from flask_login import current_user

        _loader()
        user = current_user
        # Not the truth of the user: an object with a length may be empty and still be somebody.
        return self.principal_of(user) if getattr(user, "is_authenticated", False) else None

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user as the app's ``user_loader`` finds it, if still active and in that tenant."""
        user = self.load_user(user_id)
        if user is None or not user.is_active:
            return None
        principal = self.principal_of(user)
        return principal if principal.tenant_id == tenant_id else None

    def allows(self, principal: Principal, permission: Permission) -> bool:
        """Everything to users with a true ``is_admin``, nothing to others."""
        user = self.load_user(principal.user_id)
        return bool(user is not None and getattr(user, "is_admin", False))

    def login_url(self, next_url: str) -> str:
        """The app's login view with ``next`` as Flask-Login writes it."""
        view = _login_manager().login_view
        if view is None:
            raise SetupError(
                "Flask-Login does not know the login page: set login_manager.login_view,"
                " or override Host.login_url()."
            )
        from flask_login.utils import login_url

        return str(login_url(view, next_url=next_url))

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """The principal's own tenant and no other."""
        user = self.load_user(principal.user_id)
        name = getattr(user, "tenant_name", None) or principal.tenant_id
        return [Workspace(principal.tenant_id, str(name), principal.organization_id)]

    def principal_of(self, user: Any) -> Principal:
        """The principal for one of the app's user objects."""
        user_id = str(user.get_id())
        tenant_id = getattr(user, "tenant_id", None)
        organization_id = getattr(user, "organization_id", None)
        names = (getattr(user, attribute, None) for attribute in ("display_name", "name", "email"))
        return Principal(
            user_id=user_id,
            tenant_id=ONLY_TENANT if tenant_id is None else str(tenant_id),
            display_name=str(next((name for name in names if name), user_id)),
            organization_id=None if organization_id is None else str(organization_id),
        )

    def load_user(self, user_id: str) -> Any:
        """The app's own user object, by the loader that it gave to Flask-Login."""
        return _loader()(user_id)


def _configured_version() -> str | None:
    version = current_app.config.get("VERSION")
    return None if version is None else str(version)


def _loader() -> Any:
    loader = _login_manager().user_callback
    if loader is None:
        raise SetupError("Flask-Login has no user_loader: add one with @login_manager.user_loader.")
    return loader


def _login_manager() -> Any:
    manager = getattr(current_app, "login_manager", None)
    if manager is None:
        raise SetupError("Flask-Login is not set up on this app: call login_manager.init_app(app).")
    return manager
