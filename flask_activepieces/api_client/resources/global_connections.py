"""Global connections, which belong to the platform and can be shared with any of its projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..errors import ResourceNotFound, ServerError
from ..wire import ApiCall, Query, Timeout
from .connection_values import Placeholder
from .connections import Connection, ConnectionStatus, Draft, named, require_name
from .resource import NO_LIMIT, Resource


@dataclass(frozen=True, kw_only=True)
class GlobalConnectionDraft(Draft):
    """A global connection to create, or to replace the one with the same external id and the same projects."""

    #: The projects that may use it; may be empty.
    project_ids: Sequence[str]
    #: Whether projects that are created later may use it too.
    pre_select_for_new_projects: bool = False


class GlobalConnections(Resource):
    """``client.global_connections``"""

    def list(
        self,
        *,
        piece_name: str | None = None,
        display_name: str | None = None,
        statuses: Sequence[ConnectionStatus] = (),
    ) -> Sequence[Connection]:
        """The global connections of the platform, oldest first; ``display_name`` matches any part of the name."""
        query: Query = {"pieceName": piece_name, "status": statuses, "limit": NO_LIMIT}
        connections = self._list(Connection, "global_connections.list", "/global-connections", query=query)
        # They are few, and Activepieces' own filter treats % and _ as wildcards.
        return named(display_name or "", connections)

    def upsert(self, draft: GlobalConnectionDraft, *, timeout: Timeout | None = None) -> Connection:
        """Create the connection, or replace the one with the same external id and the same projects.

        With other projects it creates a second connection: use `update` to change projects. Run only one at a time:
        see `Connections.upsert`.
        """
        if isinstance(draft.value, Placeholder):
            raise InvalidInput({"type": "only a connection of a project can be a placeholder"})
        body = {**draft.to_json(), "scope": "PLATFORM"}
        call = ApiCall("global_connections.upsert", "POST", "/global-connections", body=body, timeout=timeout)
        return self._object(Connection, call)

    def update(
        self,
        connection_id: str,
        *,
        display_name: str,
        project_ids: Sequence[str] | None = None,
        pre_select_for_new_projects: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Rename the connection, and replace what is not None. Its value does not change."""
        require_name(display_name)
        operation = "global_connections.update"
        body = {
            "displayName": display_name,
            "projectIds": project_ids,
            "preSelectForNewProjects": pre_select_for_new_projects,
            "metadata": metadata,
        }
        try:
            return self._post(Connection, operation, "/global-connections", connection_id, body=body, idempotent=True)
        except ServerError as error:
            # Seen on a 0.85.2 server: an unknown id is 500, with a message that may change. So look into the list.
            if any(connection.id == connection_id for connection in self.list()):
                raise
            raise ResourceNotFound(operation, status=error.status, detail="no such connection") from error

    def delete(self, connection_id: str) -> None:
        """Delete the connection; flows that use it fail from then on."""
        self._delete("global_connections.delete", "/global-connections", connection_id)
