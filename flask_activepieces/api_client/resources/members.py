"""Members of a project: who of the platform's users may do what in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..wire import segment
from .invitations import Invitation, ProjectRole
from .resource import ALL, Resource
from .users import User


@dataclass(frozen=True, kw_only=True)
class Member:
    """One user in one project."""

    id: str
    project_id: str
    user_id: str
    user: User
    project_role: ProjectRole
    created: str
    updated: str


class Members(Resource):
    """``client.members``"""

    def list(self, project_id: str) -> Sequence[Member]:
        """The members of a project. Its owner is none of them."""
        return self._all(
            Member, "members.list", "/project-members", projectId=project_id, limit=ALL
        )

    def delete(self, member_id: str) -> None:
        """Take the membership from a user, who stays on the platform."""
        path = f"/project-members/{segment(member_id)}"
        self._transport.call("members.delete", "DELETE", path)

    def invite(self, project_id: str, *, email: str, role: str) -> Invitation:
        """Invite somebody to a team project (`Conflict` for a personal one); ``role`` in any case of letters.

        Inviting the same address again changes the role. Activepieces does not check the address.
        """
        body = {"type": "PROJECT", "projectId": project_id, "email": email, "projectRole": role}
        return self._one(Invitation, "members.invite", "POST", "/user-invitations", body=body)

    def list_invitations(self, project_id: str) -> Sequence[Invitation]:
        """The invitations to a project, followed or not."""
        return self._all(
            Invitation,
            "members.list_invitations",
            "/user-invitations",
            type="PROJECT",
            projectId=project_id,
            limit=ALL,
        )

    def delete_invitation(self, invitation_id: str) -> None:
        """Take an invitation back; who followed it stays."""
        path = f"/user-invitations/{segment(invitation_id)}"
        self._transport.call("members.delete_invitation", "DELETE", path)
