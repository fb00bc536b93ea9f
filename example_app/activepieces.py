"""All code that Tasklane needs to work with flask-activepieces.

`ExampleHost` says who is signed in and which workspaces they can share, `SCOPES` what OAuth clients can request, and
`PIECE` what Tasklane is in Activepieces. `piece.py` and `api.py` declare its actions and triggers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields

from flask_activepieces import (
    Activepieces,
    FlaskLoginHost,
    Piece,
    Principal,
    Workspace,
    auth,
    current_token,
    require_scope,
)
from flask_activepieces import fields as piece_fields

from .models import User
from .passwords import authenticate

__all__ = ["PIECE", "SCOPES", "ExampleHost", "activepieces", "current_token", "host", "require_scope"]


#: What OAuth clients may request, with the descriptions on the consent page.
SCOPES = {
    "profile:read": "See your name and e-mail address",
    "tasks:read": {"description": "See the tasks of the workspace", "details": "With who created them and when"},
    "tasks:write": {"description": "Create and change tasks of the workspace", "details": "No task can be deleted."},
}


class LoginSchema(Schema):
    """The form of a connection with e-mail address, password and workspace."""

    email = fields.String(required=True, metadata={"title": "E-mail address"})
    password = piece_fields.Secret(required=True)
    workspace = fields.String(metadata={"description": "Its id. Empty: your first workspace."})


#: Tasklane in Activepieces, with all ways to sign in.
PIECE = Piece(
    name="@tasklane/piece-tasklane",
    title="Tasklane",
    description="A task list for teams",
    logo="static/tasklane.svg",
    categories=["PRODUCTIVITY"],
    authors=["tasklane"],
    auth=[
        auth.OAuth2(
            title="Sign in to Tasklane",
            description="Sign in and choose the workspace to share.",
            scopes=list(SCOPES),
            asks_for_address=True,
        ),
        auth.SecretText(description="Create one in Tasklane, on the page Connected apps."),
        auth.BasicAuth(username_title="E-mail address"),
        auth.CustomAuth(title="Login with a workspace", form=LoginSchema),
    ],
    custom_api_call=True,
)


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

    def check_password(self, username: str, password: str) -> Principal | None:
        """The user with this e-mail address and password, in their first company."""
        user = authenticate(username.strip().lower(), password)
        return self.principal_of(user) if user else None

    def check_credentials(self, credentials: Mapping[str, Any]) -> Principal | None:
        """The same in the company that the form names."""
        principal = self.check_password(credentials["email"], credentials["password"])
        workspace = credentials.get("workspace")
        if principal is None or not workspace:
            return principal
        return self.load_principal(principal.user_id, workspace)


host = ExampleHost()
activepieces = Activepieces(host, piece=PIECE)
