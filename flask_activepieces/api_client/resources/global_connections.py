"""Global connections: of the platform, and offered to any of its projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..connection_pool import Timeout
from ..errors import ResourceNotFound, ServerError
from ..wire import segment
from .connection_values import Placeholder, Value
from .connections import Connection, ConnectionStatus
from .resource import ALL, Resource, given

_PATH = "/global-connections"


@dataclass(frozen=True, kw_only=True)
class GlobalConnectionDraft:
    """A global connection to be made, or to replace the one of its external id and its very projects."""

    external_id: str
    display_name: str
    piece_name: str
    value: Value
    #: The projects that may use it; none is possible.
    project_ids: Sequence[str]
    #: Whether projects that are made later may use it, too.
    pre_select_for_new_projects: bool = False
    piece_version: str | None = None
    #: Sent, and dropped by the servers that were seen.
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
        """The global connections of the platform, oldest first; ``display_name`` is any part of the name."""
        rows = self._all(
            Connection,
            "global_connections.list",
            _PATH,
            pieceName=piece_name,
            status=statuses,
            limit=ALL,
        )
        # There are few of them, and Activepieces' own filter takes % and _ for wildcards.
        part = (display_name or "").casefold()
        return rows.where(lambda item: part in item["displayName"].casefold()) if part else rows

    def upsert(self, draft: GlobalConnectionDraft, *, timeout: Timeout | None = None) -> Connection:
        """Make the connection, or replace that of the same external id and the same projects.

        With other projects it becomes a second connection: to change the projects, `update` it. Like every upsert
        of connections, it is never sent again by itself, and only one should run at a time. Seen on 0.85.2 and 0.86.0
        servers: the metadata are not kept.
        """
        if isinstance(draft.value, Placeholder):
            raise InvalidInput({"type": "only a connection of a project can be a placeholder"})
        body = given(
            scope="PLATFORM",
            externalId=draft.external_id,
            displayName=draft.display_name,
            pieceName=draft.piece_name,
            pieceVersion=draft.piece_version,
            projectIds=list(draft.project_ids),
            preSelectForNewProjects=draft.pre_select_for_new_projects,
            metadata=None if draft.metadata is None else dict(draft.metadata),
            type=draft.value.type,
            value=draft.value.to_json(),
        )
        operation = "global_connections.upsert"
        return self._one(Connection, operation, "POST", _PATH, body=body, timeout=timeout)

    def update(
        self,
        connection_id: str,
        *,
        display_name: str,
        project_ids: Sequence[str] | None = None,
        pre_select_for_new_projects: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Rename the connection, and replace what else is given. Its value stays as it is.

        Seen on 0.85.2 and 0.86.0 servers: the metadata are not kept.
        """
        if not display_name:
            raise InvalidInput({"display_name": "is required"})
        body = given(
            displayName=display_name,
            projectIds=None if project_ids is None else list(project_ids),
            preSelectForNewProjects=pre_select_for_new_projects,
            metadata=None if metadata is None else dict(metadata),
        )
        operation, path = "global_connections.update", f"{_PATH}/{segment(connection_id)}"
        try:
            return self._one(Connection, operation, "POST", path, body=body, repeatable=True)
        except ServerError as fault:
            # Seen on a 0.85.2 server: an unknown id is 500, in words that may change. The list is sure to know.
            if any(connection.id == connection_id for connection in self.list()):
                raise
            raise ResourceNotFound(
                operation, status=fault.status, detail="no such connection"
            ) from fault

    def delete(self, connection_id: str) -> None:
        """Delete the connection; flows that use it fail from then on."""
        path = f"{_PATH}/{segment(connection_id)}"
        self._transport.call("global_connections.delete", "DELETE", path)
