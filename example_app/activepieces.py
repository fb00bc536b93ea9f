"""Everything that Tasklane says to flask-activepieces; an app needs no more than this.

Who is signed in and where they may share (`ExampleHost`), what an outside program may ask for
(`SCOPES`), by which piece Activepieces comes (`PIECE_NAME`), and the two names that the API uses
(`require_scope`, `current_token`).
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

__all__ = [
    "PIECE_NAME",
    "SCOPES",
    "ExampleHost",
    "activepieces",
    "current_token",
    "require_scope",
]

#: Tasklane's piece in Activepieces; `pieces` packs it.
PIECE_NAME = "@tasklane/piece-tasklane"

#: What an outside program may ask for, in the words that the consent page shows.
SCOPES = {
    "profile:read": "See your name and e-mail address",
    "tasks:read": "See the tasks of the workspace",
    "tasks:write": "Create and change tasks of the workspace",
}


class ExampleHost(FlaskLoginHost):
    """Users act in the companies that they belong to, and run those where they are admins."""

    def principal_of(self, user: User) -> Principal:
        """The user in their first company."""
        return Principal(str(user.id), user.memberships[0].company_id, user.name)

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        """The user a token speaks for, as long as they can sign in and are a member there."""
        user: User | None = self.load_user(user_id)
        if user is None or user.membership_in(tenant_id) is None:
            return None
        return Principal(user_id, tenant_id, user.name)

    def allows(self, principal: Principal, permission: str) -> bool:
        """All of it to admins of that company, nothing to others."""
        user: User | None = self.load_user(principal.user_id)
        membership = user.membership_in(principal.tenant_id) if user else None
        return membership is not None and membership.is_admin

    def may_see_mcp_token(self, principal: Principal) -> bool:
        """To admins, once: they are about to paste it into another program."""
        return self.allows(principal, "admin")

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        """The page of the company's connections: one click there renews that of Tasklane."""
        address = get_state().settings.public_url
        if address is None and has_request_context():
            address = get_state().issuer()
        return None if address is None else f"{address}/automation"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        """The user's companies, the first membership first."""
        user: User | None = self.load_user(principal.user_id)
        memberships = user.memberships if user else []
        return [Workspace(one.company.id, one.company.name) for one in memberships]


activepieces = Activepieces(ExampleHost())
