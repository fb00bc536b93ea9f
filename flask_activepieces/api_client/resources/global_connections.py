"""Global connections, which belong to the platform and can be shared with any of its projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..errors import ResourceNotFound, ServerError
from ..wire import ApiCall, Query, Timeout, path_segment
from .connection_values import Placeholder, Value
from .connections import Connection, ConnectionStatus
from .resource import NO_LIMIT, Resource, without_none

_PATH = "/global-connections"


@dataclass(frozen=True, kw_only=True)
class GlobalConnectionDraft:
    """A global connection to create, or to replace the one with the same external id and the same projects."""

    external_id: str
    display_name: str
    piece_name: str
    value: Value
    #: The projects that may use it; may be empty.
    project_ids: Sequence[str]
    #: Whether projects that are created later may use it too.
    pre_select_for_new_projects: bool = False
    piece_version: str | None = None
    #: 0.85.2 and 0.86.0 servers do not store them.
    metadata: Mapping[str, Any] | None = None


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
        call = ApiCall("global_connections.list", "GET", _PATH, query=query)
        # They are few, and Activepieces' own filter treats % and _ as wildcards.
        name_part = (display_name or "").casefold()
        connections = self._list(Connection, call)
        return [each for each in connections if name_part in each.display_name.casefold()]

    def upsert(self, draft: GlobalConnectionDraft, *, timeout: Timeout | None = None) -> Connection:
        """Create the connection, or replace the one with the same external id and the same projects.

        With other projects it creates a second connection: use `update` to change projects. As for all upserts of
        connections, run only one at a time; it is not retried.
        """
        if isinstance(draft.value, Placeholder):
            raise InvalidInput({"type": "only a connection of a project can be a placeholder"})
        body = without_none(
            scope="PLATFORM",
            externalId=draft.external_id,
            displayName=draft.display_name,
            pieceName=draft.piece_name,
            pieceVersion=draft.piece_version,
            projectIds=draft.project_ids,
            preSelectForNewProjects=draft.pre_select_for_new_projects,
            metadata=draft.metadata,
            type=draft.value.type,
            value=draft.value.to_json(),
        )
        call = ApiCall("global_connections.upsert", "POST", _PATH, body=body, timeout=timeout)
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
        if not display_name:
            raise InvalidInput({"display_name": "is required"})
        body = without_none(
            displayName=display_name,
            projectIds=project_ids,
            preSelectForNewProjects=pre_select_for_new_projects,
            metadata=metadata,
        )
        path = f"{_PATH}/{path_segment(connection_id)}"
        call = ApiCall("global_connections.update", "POST", path, body=body, idempotent=True)
        try:
            return self._object(Connection, call)
        except ServerError as error:
            # Seen on a 0.85.2 server: an unknown id is 500, with a message that may change. So look into the list.
            if any(connection.id == connection_id for connection in self.list()):
                raise
            raise ResourceNotFound(call.operation, status=error.status, detail="no such connection") from error

    def delete(self, connection_id: str) -> None:
        """Delete the connection; flows that use it fail from then on."""
        path = f"{_PATH}/{path_segment(connection_id)}"
        self._transport.send(ApiCall("global_connections.delete", "DELETE", path))
