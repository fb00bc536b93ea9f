"""`FlaskLoginHost`: the `Host` for apps with Flask-Login."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import current_app
from werkzeug.routing import BuildError

from ..errors import SetupError
from .interface import Host, Permission, Principal, Workspace

log = logging.getLogger(__name__)

#: The tenant of an app with a single one.
DEFAULT_TENANT = "default"

#: What a developer has to choose before users can belong to tenants.
TENANT_CHOICES = (
    "Choose FlaskLoginHost(single_tenant=True) if all users share one tenant, or"
    ' FlaskLoginHost(tenant_attribute="company_id") with the name of the attribute of your users.'
)


class FlaskLoginHost(Host):
    """The host for apps with Flask-Login: it reads the attributes of ``current_user``.

    The app chooses how users belong to tenants: ``single_tenant=True``, or ``tenant_attribute`` with the name of the
    attribute that holds the tenant's id. ``organization_attribute`` names the organization within the tenant.
    ``admin`` is the name of an attribute, or a function of the user. An attribute may also be a method without
    arguments. Workspaces are named by ``tenant_name``, users by the first of ``display_name``, ``name``, ``email``.
    """

    def __init__(
        self,
        *,
        single_tenant: bool = False,
        tenant_attribute: str | None = None,
        organization_attribute: str | None = None,
        admin: str | Callable[[Any], object] = "is_admin",
    ) -> None:
        if single_tenant and tenant_attribute is not None:
            raise SetupError("FlaskLoginHost takes single_tenant=True or tenant_attribute, not both.")
        reads_no_tenant = not single_tenant and tenant_attribute is None
        if reads_no_tenant and type(self).principal_of is FlaskLoginHost.principal_of:
            raise SetupError(
                f"FlaskLoginHost does not know which tenant a user belongs to. {TENANT_CHOICES}"
                " A subclass can override principal_of() instead."
            )
        self._tenant_attribute = tenant_attribute
        self._organization_attribute = organization_attribute
        self._admin = admin

    @property
    def only_tenant(self) -> str | None:
        """The tenant of an app with a single one; None for other apps."""
        has_own_rule = type(self).principal_of is not FlaskLoginHost.principal_of
        return None if has_own_rule or self._tenant_attribute is not None else DEFAULT_TENANT

    def current_principal(self) -> Principal | None:
        """Flask-Login's current user, unless anonymous or without a tenant."""
        from flask_login import current_user

        _loader()
        user = current_user
        # The attribute, not the truth value of the user: a user object may define a length of 0.
        # Any true value counts, as in Flask-Login itself: the app's column may hold 1.
        return self.principal_of(user) if _value_of(user, "is_authenticated") else None

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user from the app's ``user_loader``, if active and in that tenant."""
        user = self.load_user(user_id)
        if user is None or not _is_true(user, "is_active"):
            return None
        principal = self.principal_of(user)
        return principal if principal is not None and principal.tenant_id == tenant_id else None

    def allows(self, principal: Principal, permission: Permission) -> bool:
        """Admins may do everything, others nothing. Only ``True`` makes an admin."""
        user = self.load_user(principal.user_id)
        if user is None:
            return False
        if isinstance(self._admin, str):
            return _is_true(user, self._admin)
        return self._admin(user) is True

    def login_url(self, next_url: str) -> str:
        """The app's login view, with ``next`` as Flask-Login adds it."""
        view = _login_manager().login_view
        if view is None:
            raise SetupError(
                "Flask-Login does not know the login page: set login_manager.login_view,"
                " or override Host.login_url()."
            )
        from flask_login.utils import login_url

        try:
            return str(login_url(view, next_url=next_url))
        except BuildError as error:
            raise SetupError(
                f"login_manager.login_view is {view!r}, which no view of this app is named."
                ' Set it to the name of the login view, such as "login", or "auth.login" in a blueprint.'
            ) from error

    def sign_out(self) -> None:
        """Flask-Login's own way."""
        from flask_login import logout_user

        logout_user()

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """The principal's own tenant only."""
        user = self.load_user(principal.user_id)
        name = _value_of(user, "tenant_name") or principal.tenant_id
        return [Workspace(principal.tenant_id, str(name), principal.organization_id)]

    def principal_of(self, user: Any) -> Principal | None:
        """The principal for one of the app's user objects; None when the user has no tenant."""
        user_id = str(user.get_id())
        tenant_id: str | None = DEFAULT_TENANT
        if self._tenant_attribute is not None:
            tenant_id = _id_of(user, self._tenant_attribute)
        if tenant_id is None:
            log.warning(
                "User %s is treated as signed out, because %s is None. Give the user a tenant.",
                user_id,
                self._tenant_attribute,
            )
            return None
        organization_id = None
        if self._organization_attribute is not None:
            organization_id = _id_of(user, self._organization_attribute)
        names = (_value_of(user, attribute) for attribute in ("display_name", "name", "email"))
        return Principal(
            user_id=user_id,
            tenant_id=tenant_id,
            display_name=str(next((name for name in names if name), user_id)),
            organization_id=organization_id,
        )

    def load_user(self, user_id: str) -> Any:
        """The app's user object, from its ``user_loader``."""
        return _loader()(user_id)


def _id_of(user: Any, attribute: str) -> str | None:
    name = user.__class__.__name__
    if not hasattr(user, attribute):
        raise SetupError(f"{name} has no attribute {attribute!r}. Correct the name in FlaskLoginHost(...).")
    value = _value_of(user, attribute)
    if value is None:
        return None
    # The text of any other object, such as a related one, may be that of another tenant.
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise SetupError(
            f"{name}.{attribute} is of type {type(value).__name__}, not an id. Name an attribute that is a str,"
            " an int or a UUID, or override principal_of()."
        )
    return str(value)


def _value_of(user: Any, attribute: str) -> Any:
    value = getattr(user, attribute, None)
    return value() if callable(value) else value


def _is_true(user: Any, attribute: str) -> bool:
    # Only True: a bound method, a mock and a string such as "no" are truthy, too.
    return _value_of(user, attribute) is True


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
