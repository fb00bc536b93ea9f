"""Users of the platform, and the invitations by which people become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import InvalidInput
from ..wire import segment
from .invitations import Invitation
from .resource import ALL, Resource, given

PlatformRole = Literal["ADMIN", "MEMBER", "OPERATOR"]


@dataclass(frozen=True, kw_only=True)
class User:
    """One user; ``external_id`` is the host's id of a user who was signed in by a signed token."""

    id: str
    #: A hash in hex, for a user who was signed in by a signed token.
    email: str
    first_name: str
    last_name: str
    #: ``ACTIVE`` or ``INACTIVE``.
    status: str
    platform_role: str
    external_id: str | None = None
    last_active_date: str | None = None
    created: str
    updated: str


class Users(Resource):
    """``client.users``"""

    def list(self) -> Sequence[User]:
        """All users of the platform."""
        return self._all(User, "users.list", "/users", limit=ALL)

    def get(self, user_id: str) -> User:
        """One user by Activepieces' id."""
        return self._one(User, "users.get", "GET", f"/users/{segment(user_id)}")

    def find(self, external_id: str) -> User | None:
        """The user whom the host knows by this id; None before their first sign-in."""
        if not external_id:
            raise InvalidInput({"external_id": "is required"})
        found = self._all(User, "users.find", "/users", externalId=external_id, limit=ALL)
        # A server that did not know the filter would answer with all users.
        return next((user for user in found if user.external_id == external_id), None)

    def update(
        self,
        user_id: str,
        *,
        active: bool | None = None,
        platform_role: PlatformRole | None = None,
        external_id: str | None = None,
    ) -> User:
        """The user with what is given changed; one who is not active cannot sign in."""
        status = None if active is None else ("ACTIVE" if active else "INACTIVE")
        body = given(status=status, platformRole=platform_role, externalId=external_id)
        path = f"/users/{segment(user_id)}"
        return self._one(User, "users.update", "POST", path, body=body, repeatable=True)

    def delete(self, user_id: str) -> None:
        """Take the user from the platform."""
        self._transport.call("users.delete", "DELETE", f"/users/{segment(user_id)}")

    def invite(self, email: str, *, platform_role: PlatformRole) -> Invitation:
        """Invite somebody to the platform. Activepieces does not check the address."""
        body = {"type": "PLATFORM", "email": email, "platformRole": platform_role}
        return self._one(Invitation, "users.invite", "POST", "/user-invitations", body=body)

    def list_invitations(self) -> Sequence[Invitation]:
        """The invitations to the platform, followed or not."""
        return self._all(
            Invitation, "users.list_invitations", "/user-invitations", type="PLATFORM", limit=ALL
        )

    def delete_invitation(self, invitation_id: str) -> None:
        """Take an invitation back; who followed it stays."""
        path = f"/user-invitations/{segment(invitation_id)}"
        self._transport.call("users.delete_invitation", "DELETE", path)
