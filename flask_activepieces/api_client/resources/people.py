"""Users of the platform, members of a project, and invitations to either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...errors import InvalidInput
from ..wire import Query
from .resource import NO_LIMIT, Record, Resource

PlatformRole = Literal["ADMIN", "MEMBER", "OPERATOR"]


@dataclass(frozen=True, kw_only=True)
class User(Record):
    """A user of the platform; ``external_id`` is the host's id of a user who signs in with a signed token."""

    #: For a user who signs in with a signed token, a hash in hex.
    email: str
    first_name: str
    last_name: str
    #: ``ACTIVE`` or ``INACTIVE``.
    status: str
    platform_role: str
    external_id: str | None = None
    last_active_date: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProjectRole:
    """A role in a project, with its permissions."""

    id: str
    name: str
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Member(Record):
    """The membership of a user in a project."""

    project_id: str
    user_id: str
    user: User
    project_role: ProjectRole


@dataclass(frozen=True, kw_only=True)
class Invitation(Record):
    """An invitation to the platform or to a project."""

    email: str
    #: ``PENDING`` or ``ACCEPTED``; an invitation made with an API key is accepted at once.
    status: str
    #: ``PLATFORM`` or ``PROJECT``.
    type: str
    platform_role: str | None = None
    project_id: str | None = None
    #: Only in lists.
    project_role: ProjectRole | None = None
    #: Anyone who has it can join. Only the inviting user gets it, and only from a server that sends no e-mail.
    link: str | None = field(default=None, repr=False)


class Users(Resource):
    """``client.users``"""

    def list(self) -> Sequence[User]:
        """All users of the platform."""
        return self._list(User, "users.list", "/users", query={"limit": NO_LIMIT})

    def get(self, user_id: str) -> User:
        """The user with this id of Activepieces."""
        return self._get(User, "users.get", "/users", user_id)

    def find(self, external_id: str) -> User | None:
        """The user with this id in the host; None before the first sign-in."""
        if not external_id:
            raise InvalidInput({"external_id": "is required"})
        query: Query = {"externalId": external_id, "limit": NO_LIMIT}
        users = self._list(User, "users.find", "/users", query=query)
        # A server without this filter would return all users.
        return next((user for user in users if user.external_id == external_id), None)

    def update(
        self,
        user_id: str,
        *,
        active: bool | None = None,
        platform_role: PlatformRole | None = None,
        external_id: str | None = None,
    ) -> User:
        """Change the user; an inactive user cannot sign in."""
        status = None if active is None else ("ACTIVE" if active else "INACTIVE")
        body = {"status": status, "platformRole": platform_role, "externalId": external_id}
        return self._post(User, "users.update", "/users", user_id, body=body, idempotent=True)

    def delete(self, user_id: str) -> None:
        """Remove the user from the platform."""
        self._delete("users.delete", "/users", user_id)

    def invite(self, email: str, *, platform_role: PlatformRole) -> Invitation:
        """Invite someone to the platform. Activepieces does not check the address."""
        body = {"type": "PLATFORM", "email": email, "platformRole": platform_role}
        return self._post(Invitation, "users.invite", "/user-invitations", body=body)

    def list_invitations(self) -> Sequence[Invitation]:
        """The invitations to the platform, pending and accepted."""
        query: Query = {"type": "PLATFORM", "limit": NO_LIMIT}
        return self._list(Invitation, "users.list_invitations", "/user-invitations", query=query)

    def delete_invitation(self, invitation_id: str) -> None:
        """Withdraw an invitation; a user who accepted it stays."""
        self._delete("users.delete_invitation", "/user-invitations", invitation_id)


class Members(Resource):
    """``client.members``"""

    def list(self, project_id: str) -> Sequence[Member]:
        """The members of a project, without its owner."""
        return self._list(
            Member, "members.list", "/project-members", query={"projectId": project_id, "limit": NO_LIMIT}
        )

    def delete(self, member_id: str) -> None:
        """End a membership; the user stays on the platform."""
        self._delete("members.delete", "/project-members", member_id)

    def invite(self, project_id: str, *, email: str, role: str) -> Invitation:
        """Invite someone to a team project (`Conflict` for a personal one), or change the role of an invitation.

        ``role`` is in any case of letters. Activepieces does not check the address.
        """
        body = {"type": "PROJECT", "projectId": project_id, "email": email, "projectRole": role}
        return self._post(Invitation, "members.invite", "/user-invitations", body=body)

    def list_invitations(self, project_id: str) -> Sequence[Invitation]:
        """The invitations to a project, pending and accepted."""
        query: Query = {"type": "PROJECT", "projectId": project_id, "limit": NO_LIMIT}
        return self._list(Invitation, "members.list_invitations", "/user-invitations", query=query)

    def delete_invitation(self, invitation_id: str) -> None:
        """Withdraw an invitation; a user who accepted it stays."""
        self._delete("members.delete_invitation", "/user-invitations", invitation_id)
