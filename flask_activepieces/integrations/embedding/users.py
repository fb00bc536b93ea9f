"""Who a user of the app is in Activepieces. Pure.

A session of Activepieces covers all projects of a user. So a user of the app is another user there for each project:
their session shows the project of one tenant or organization only, and ends with their access to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ...api_client.embedding_token import EmbeddedUser
from ...errors import SetupError
from ...host.interface import Permission, Principal, Workspace
from ..store import Integration, project_external_id

#: The role in a project, by the largest permission that the host grants. An Editor cannot invite people.
ROLES: Mapping[Permission, str] = {"edit": "Editor", "view": "Viewer"}


def embedded_user(
    integration: Integration,
    principal: Principal,
    *,
    role: str,
    workspace_name: str,
    piece_set: str | None,
    piece_tags: Sequence[str] | None,
) -> EmbeddedUser:
    """What a token says about the user; `SetupError` if the host gives them no name."""
    first_name, last_name = _names(principal, workspace_name)
    project = project_external_id(integration.tenant_id, integration.organization_id)
    return EmbeddedUser(
        external_user_id=f"{project}/{quote(principal.user_id, safe='')}",
        external_project_id=project,
        first_name=first_name,
        last_name=last_name,
        role=role,
        piece_set=None if piece_tags is not None else piece_set,
        piece_tags=None if piece_tags is None else tuple(piece_tags),
    )


def workspace_name(workspaces: Sequence[Workspace], integration: Integration) -> str:
    """The name of the integration's workspace, for people."""
    for workspace in workspaces:
        if (workspace.tenant_id, workspace.organization_id) == (integration.tenant_id, integration.organization_id):
            return workspace.name
    return integration.organization_id or integration.tenant_id


def service_user_id(integration_id: str) -> str:
    """The external id of the user as whom the app calls Activepieces for an integration."""
    return f"flask-activepieces-{integration_id}"


def _names(principal: Principal, workspace: str) -> tuple[str, str]:
    first, *rest = principal.display_name.split() or [""]
    # Activepieces requires both. The workspace tells users with one name apart.
    last = " ".join(rest) or workspace.strip()
    if not first or not last:
        raise SetupError(
            f"User {principal.user_id!r} has no name, and Activepieces requires one:"
            " return a Principal with a display_name, and workspaces with a name."
        )
    return first, last
