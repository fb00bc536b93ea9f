"""Folders, which group the flows of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..wire import ApiCall, Query, path_segment
from .resource import NO_LIMIT, Resource


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of a project."""

    id: str
    project_id: str
    display_name: str
    #: Activepieces sorts folders by it.
    display_order: float = 0
    created: str
    updated: str


class Folders(Resource):
    """``client.folders``"""

    def list(self, project_id: str) -> Sequence[Folder]:
        """The folders of a project."""
        query: Query = {"projectId": project_id, "limit": NO_LIMIT}
        return self._list(Folder, ApiCall("folders.list", "GET", "/folders", query=query))

    def get(self, folder_id: str) -> Folder:
        """The folder with this id."""
        path = f"/folders/{path_segment(folder_id)}"
        return self._object(Folder, ApiCall("folders.get", "GET", path))

    def create(self, project_id: str, display_name: str) -> Folder:
        """A new folder."""
        body = {"projectId": project_id, "displayName": display_name}
        return self._object(Folder, ApiCall("folders.create", "POST", "/folders", body=body))

    def update(self, folder_id: str, display_name: str) -> Folder:
        """Rename the folder."""
        path = f"/folders/{path_segment(folder_id)}"
        body = {"displayName": display_name}
        return self._object(Folder, ApiCall("folders.update", "POST", path, body=body, idempotent=True))

    def delete(self, folder_id: str) -> None:
        """Delete the folder; its flows stay."""
        path = f"/folders/{path_segment(folder_id)}"
        self._transport.send(ApiCall("folders.delete", "DELETE", path))
