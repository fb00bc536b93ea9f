"""Folders: how the flows of a project are sorted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..wire import segment
from .resource import ALL, Resource


@dataclass(frozen=True, kw_only=True)
class Folder:
    """One folder."""

    id: str
    project_id: str
    display_name: str
    #: Folders are shown in the order of these numbers.
    display_order: float = 0
    created: str
    updated: str


class Folders(Resource):
    """``client.folders``"""

    def list(self, project_id: str) -> Sequence[Folder]:
        """The folders of a project."""
        return self._all(Folder, "folders.list", "/folders", projectId=project_id, limit=ALL)

    def get(self, folder_id: str) -> Folder:
        """One folder."""
        return self._one(Folder, "folders.get", "GET", f"/folders/{segment(folder_id)}")

    def create(self, project_id: str, display_name: str) -> Folder:
        """A folder of this name."""
        body = {"projectId": project_id, "displayName": display_name}
        return self._one(Folder, "folders.create", "POST", "/folders", body=body)

    def update(self, folder_id: str, display_name: str) -> Folder:
        """The folder with another name."""
        return self._one(
            Folder,
            "folders.update",
            "POST",
            f"/folders/{segment(folder_id)}",
            body={"displayName": display_name},
            repeatable=True,
        )

    def delete(self, folder_id: str) -> None:
        """Delete the folder; its flows stay."""
        self._transport.call("folders.delete", "DELETE", f"/folders/{segment(folder_id)}")
