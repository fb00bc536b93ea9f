"""Connections, with which flows authenticate to other services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import InvalidInput
from ..decoding import json_name
from ..errors import CallNotSupported, ResourceNotFound
from ..wire import ApiCall, Query, Timeout
from .connection_values import Placeholder, Value
from .resource import NO_LIMIT, Record, Resource, without_none
from .server import Server, release

ConnectionStatus = Literal["ACTIVE", "MISSING", "ERROR"]
ConnectionScope = Literal["PROJECT", "PLATFORM"]

#: The wildcards of Activepieces' filter by name, and their escape.
_WILDCARDS = frozenset("%_\\")
#: The first version in which a replacement can spare published flows and the source.
PARTIAL_REPLACEMENT = (0, 86)


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The owner of connections."""

    email: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Connection(Record):
    """A connection. Activepieces does not return its value; ``owner`` and ``flow_ids`` come only with lists."""

    external_id: str
    display_name: str
    #: ``SECRET_TEXT``, ``OAUTH2``, …: the ``type`` of its value. That of a placeholder is ``NO_AUTH``.
    type: str
    piece_name: str
    piece_version: str | None = None
    project_ids: tuple[str, ...] = ()
    platform_id: str | None = None
    #: ``PLATFORM`` for a global connection, otherwise ``PROJECT``.
    scope: str
    #: ``ACTIVE``, ``ERROR`` (its token could not be refreshed) or ``MISSING`` (it has no value yet).
    status: str
    owner_id: str | None = None
    owner: Owner | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    flow_ids: tuple[str, ...] | None = None
    pre_select_for_new_projects: bool = False


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A connection to save."""

    #: The host's id for it, which flows refer to: any string.
    external_id: str
    display_name: str
    #: The full name: ``@activepieces/piece-slack``.
    piece_name: str
    value: Value
    #: An exact version; None: the newest.
    piece_version: str | None = None
    #: None keeps the existing metadata, an empty mapping removes them. 0.85.2 and 0.86.0 servers do not store the
    #: metadata of global connections.
    metadata: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The body of the call that saves it."""
        value = None if isinstance(self.value, Placeholder) else self.value.to_json()
        members = {json_name(name): member for name, member in vars(self).items()}
        return without_none({**members, "type": self.value.type, "value": value})


@dataclass(frozen=True, kw_only=True)
class ConnectionDraft(Draft):
    """A connection to create, or to replace the one with the same external id in the project."""

    project_id: str


@dataclass(frozen=True, kw_only=True)
class AuthorizationUrl:
    """Where a user authorizes a piece; the verifier belongs in `OAuth2.code_challenge`."""

    url: str = field(metadata={"wire": "authorizationUrl"})
    code_verifier: str | None = field(default=None, repr=False)


class Connections(Resource):
    """``client.connections``"""

    def list(
        self,
        project_id: str,
        *,
        piece_name: str | None = None,
        display_name: str | None = None,
        statuses: Sequence[ConnectionStatus] = (),
        scope: ConnectionScope | None = None,
    ) -> Sequence[Connection]:
        """The connections of a project and its global ones, oldest first; ``display_name`` is part of the name."""
        name_part = display_name or ""
        query: Query = {
            "projectId": project_id,
            "pieceName": piece_name,
            # Activepieces' database fails on a backslash at the end.
            "displayName": None if "\\" in name_part else name_part or None,
            "status": statuses,
            "scope": scope,
            "limit": NO_LIMIT,
        }
        connections = self._list(Connection, "connections.list", "/app-connections", query=query)
        return connections if _WILDCARDS.isdisjoint(name_part) else named(name_part, connections)

    def get(self, project_id: str, connection_id: str) -> Connection:
        """The connection with this id. Activepieces can only list connections, so this is as slow as a list."""
        for connection in self.list(project_id):
            if connection.id == connection_id:
                return connection
        raise ResourceNotFound("connections.get", detail="no such connection in this project")

    def find(self, project_id: str, external_id: str) -> Connection | None:
        """The connection with this external id (the oldest of several), or None."""
        connections = self.list(project_id)
        return next((each for each in connections if each.external_id == external_id), None)

    def upsert(self, draft: ConnectionDraft, *, timeout: Timeout | None = None) -> Connection:
        """Create the connection, or replace the value and the piece of the one with this external id.

        Run only one at a time for an external id: Activepieces does not prevent two simultaneous calls from creating
        two connections. It is not retried once Activepieces may have received it. If the piece validates values, the
        call takes as long as the piece does, and 300 seconds without a worker.
        """
        body = draft.to_json()
        call = ApiCall("connections.upsert", "POST", "/app-connections", body=body, timeout=timeout)
        return self._object(Connection, call)

    def update(
        self, connection_id: str, *, display_name: str, metadata: Mapping[str, Any] | None = None
    ) -> Connection:
        """Rename the connection, and replace its metadata unless they are None. Its value does not change.

        New metadata must include the ``accountIdentifier`` that a server may have stored there, or it is lost.
        """
        require_name(display_name)
        operation, body = "connections.update", {"displayName": display_name, "metadata": metadata}
        return self._post(Connection, operation, "/app-connections", connection_id, body=body, idempotent=True)

    def delete(self, connection_id: str) -> None:
        """Delete the connection; flows that use it fail from then on (see `Connection.flow_ids`).

        For a global connection, use ``global_connections``: here Activepieces reports success and keeps it.
        """
        self._delete("connections.delete", "/app-connections", connection_id)

    def list_owners(self, project_id: str) -> Sequence[Owner]:
        """The owners of connections in the project."""
        query = {"projectId": project_id}
        return self._list(Owner, "connections.list_owners", "/app-connections/owners", query=query)

    def replace(
        self,
        project_id: str,
        *,
        source_id: str,
        target_id: str,
        apply_to_published: bool = True,
        delete_source: bool = True,
    ) -> None:
        """Make every flow that uses the source use the target, which must have the same piece; delete the source.

        ``apply_to_published=False`` changes only drafts, ``delete_source=False`` keeps the source; servers before
        0.86 cannot keep it (`CallNotSupported`). Activepieces does not report what it did: list the connections to
        see whether the source is gone. Users only: on 0.85.2 and 0.86.0 servers a call with an API key fails half-way
        and leaves a published flow with an empty draft.
        """
        if source_id == target_id:
            # Activepieces would delete the connection.
            raise InvalidInput({"target_id": "must be another connection than the source"})
        if delete_source and not apply_to_published:
            raise InvalidInput({"delete_source": "published flows would lose their connection"})
        operation = "connections.replace"
        if not delete_source and release(version := Server(self._transport).info().version) < PARTIAL_REPLACEMENT:
            raise CallNotSupported(
                operation,
                detail=f"Activepieces {version} always changes published flows and deletes the source",
                remedy="Upgrade it to 0.86 or later, or allow both.",
            )
        body = {
            "projectId": project_id,
            "sourceAppConnectionId": source_id,
            "targetAppConnectionId": target_id,
            # Since 0.86 these default to False; earlier servers ignore them and do both.
            "applyToPublishedVersions": apply_to_published,
            "deleteSourceConnection": delete_source,
        }
        self._transport.send(ApiCall(operation, "POST", "/app-connections/replace", body=body))

    def authorization_url(
        self,
        piece_name: str,
        *,
        client_id: str,
        redirect_url: str,
        project_id: str | None = None,
        piece_version: str | None = None,
        scopes: Sequence[str] | None = None,
        props: Mapping[str, Any] | None = None,
    ) -> AuthorizationUrl:
        """The URL where a user authorizes the piece. Activepieces does not check its random ``state`` later.

        ``scopes`` narrows those of the piece; ``props`` replace the placeholders in its URLs.
        """
        body = {
            "pieceName": piece_name,
            "pieceVersion": piece_version,
            "projectId": project_id,
            "clientId": client_id,
            "redirectUrl": redirect_url,
            "scopes": scopes,
            "props": props,
        }
        path = "/app-connections/oauth2/authorization-url"
        return self._post(AuthorizationUrl, "connections.authorization_url", path, body=body, idempotent=True)


def named(name_part: str, connections: Sequence[Connection]) -> Sequence[Connection]:
    """The connections with this in their name, ignoring case."""
    return [each for each in connections if name_part.casefold() in each.display_name.casefold()]


def require_name(display_name: str) -> None:
    """Raises `InvalidInput` for an empty name."""
    if not display_name:
        raise InvalidInput({"display_name": "is required"})
