"""Installs the piece on an Activepieces server: chooses the version, uploads it, and finds the flows that use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import CallTimedOut, ResourceNotFound
from ...api_client.resources.flows import Flow
from ...api_client.wire import Timeout
from ..archive import PieceArchive
from ..metadata import metadata_of
from .code_check import check_code
from .versions import FIRST_VERSION, Change, Level, compare, next_version

#: An upload takes half a second. Without a worker, Activepieces responds after 300 seconds.
_UPLOAD = Timeout(read=120, total=150)
#: A server with several processes does not list a new piece immediately.
_LISTED_SECONDS = 60
_PAUSE_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class FlowInUse:
    """A flow with a step of the piece, in the versions that it uses."""

    id: str
    display_name: str
    project_id: str
    versions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an installation would do."""

    #: None: the piece is not installed yet.
    installed: str | None
    #: The changes since then, the largest first.
    changes: Sequence[Change]
    #: The version to install.
    version: str
    #: For a major version: the flows that use the piece.
    flows: Sequence[FlowInUse] = ()

    @property
    def is_needed(self) -> bool:
        """Whether the server lacks the piece, or has a different one."""
        return self.installed is None or bool(self.changes)

    @property
    def is_major(self) -> bool:
        """Whether flows must be changed before they use this version."""
        return any(change.level is Level.MAJOR for change in self.changes)


class PieceInstaller:
    """Installs pieces with one credential: an API key, or an admin of the platform.

    ``node`` is the path of Node, if it is installed. Node then loads each piece before the upload.
    """

    def __init__(
        self,
        client: ActivepiecesClient,
        *,
        node: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._node = node
        self._sleep = sleep
        self._clock = clock

    def plan(self, manifest: Mapping[str, Any]) -> Plan:
        """Compare the piece of this manifest with the newest one on the server. The manifest's version is ignored."""
        name = manifest["name"]
        installed = self._newest(name)
        if installed is None:
            return Plan(installed=None, changes=(), version=FIRST_VERSION)
        changes = compare(installed, metadata_of(manifest))
        plan = Plan(
            installed=installed["version"], changes=changes, version=next_version(installed["version"], changes)
        )
        return Plan(**{**vars(plan), "flows": self.flows_with(name)}) if plan.is_major else plan

    def changes(self, manifest: Mapping[str, Any]) -> Sequence[Change] | None:
        """The changes since the newest version on the server; None if the server does not have the piece."""
        installed = self._newest(manifest["name"])
        return None if installed is None else compare(installed, metadata_of(manifest))

    def install(self, archive: PieceArchive) -> None:
        """Upload the piece, and wait until the server lists it. `Conflict` if the server already has this version."""
        check_code(archive, node=self._node)
        self._client.pieces.install(archive.content, name=archive.name, version=archive.version, timeout=_UPLOAD)
        deadline = self._clock() + _LISTED_SECONDS
        while not self._is_listed(archive.name, archive.version):
            if self._clock() >= deadline:
                raise CallTimedOut("pieces.get", seconds=_LISTED_SECONDS)
            self._sleep(_PAUSE_SECONDS)

    def flows_with(self, name: str) -> list[FlowInUse]:
        """The flows with a step of the piece, in all projects that the credential can access."""
        return [
            FlowInUse(id=flow.id, display_name=flow.display_name, project_id=project.id, versions=tuple(sorted(used)))
            for project in self._client.projects.list()
            for flow in self._client.flows.list(project.id)
            if (used := {version for step in self._triggers(flow) for version in _versions_in(step, name)})
        ]

    def _triggers(self, flow: Flow) -> Iterator[Mapping[str, Any]]:
        """The triggers, each with all steps after it, of the published version and of the draft."""
        yield flow.version.trigger
        if flow.published_version_id not in (None, flow.version.id):
            yield self._client.flows.get(flow.id, version_id=flow.published_version_id).version.trigger

    def _newest(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._client.pieces.metadata(name)
        except ResourceNotFound:
            return None

    def _is_listed(self, name: str, version: str) -> bool:
        try:
            return bool(self._client.pieces.metadata(name, version=version)["version"] == version)
        except ResourceNotFound:
            return False


def _versions_in(step: Any, name: str) -> Iterator[str]:
    """The versions of the piece in a step and in all steps inside and after it."""
    if isinstance(step, Mapping):
        if step.get("pieceName") == name:
            yield str(step.get("pieceVersion", ""))
        for inner in step.values():
            yield from _versions_in(inner, name)
    elif isinstance(step, list):
        for inner in step:
            yield from _versions_in(inner, name)
