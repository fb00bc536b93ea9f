"""All code that Tasklane needs to work with flask-activepieces.

`ExampleHost` says who is signed in and which workspaces they can share, `SCOPES` what OAuth clients can
request, and `PIECE_NAME` which piece Activepieces uses. `api.py` uses `require_scope` and `current_token`.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import has_request_context

from flask_activepieces import (
    Activepieces,
    FlaskLoginHost,
    Principal,
    Workspace,
    current_token,
    get_state,
    require_scope,
)

from .models import User

__all__ = ["PIECE_NAME", "SCOPES", "ExampleHost", "activepieces", "current_token", "host", "require_scope"]

#: Tasklane's piece in Activepieces; `pieces` packs it.
PIECE_NAME = "@tasklane/piece-tasklane"

#: What OAuth clients may request, with the descriptions on the consent page.
SCOPES = {
    "profile:read": "See your name and e-mail address",
    "tasks:read": "See the tasks of the workspace",
    "tasks:write": "Create and change tasks of the workspace",
}


class ExampleHost(FlaskLoginHost):
    """Each company is a tenant. Users belong to several companies, and administer those where they are admins."""

    def principal_of(self, user: User) -> Principal:
        """The user in their first company."""
        return Principal(str(user.id), user.memberships[0].company_id, user.name)

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user of a token; None if disabled or no longer in that company."""
        user: User | None = self.load_user(user_id)
        if user is None or user.membership_in(tenant_id) is None:
            return None
        return Principal(user_id, tenant_id, user.name)

    def allows(self, principal: Principal, permission: str) -> bool:
        """Everything to admins of that company, nothing to others."""
        user: User | None = self.load_user(principal.user_id)
        membership = user.membership_in(principal.tenant_id) if user else None
        return membership is not None and membership.is_admin

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """The user's companies, the first membership first."""
        user: User | None = self.load_user(principal.user_id)
        companies = [membership.company for membership in user.memberships] if user else []
        return [Workspace(company.id, company.name) for company in companies]

    def may_see_mcp_token(self, principal: Principal) -> bool:
        """Admins may: they copy it into another program."""
        return self.allows(principal, "admin")

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """The page of the company's connections, where one click renews a broken one."""
        state = get_state()
        site = state.settings.public_url or (state.issuer() if has_request_context() else None)
        return f"{site}/automation" if site else None


host = ExampleHost()
activepieces = Activepieces(host)
