"""Connections: what flows use to sign in to other services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import InvalidInput
from ..connection_pool import Timeout
from ..errors import CallNotSupported, ResourceNotFound
from ..rows import Rows
from ..wire import segment
from .connection_values import Placeholder, Value
from .resource import ALL, Resource, given, shape
from .server import Server, release

ConnectionStatus = Literal["ACTIVE", "MISSING", "ERROR"]
ConnectionScope = Literal["PROJECT", "PLATFORM"]

#: What Activepieces' filter of names takes for something else: two wildcards and their escape.
_WILDCARDS = frozenset("%_\\")
#: From this version on, a replacement does what it is asked for, and no more.
_CHOOSES = (0, 86)


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A person who owns connections."""

    email: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One connection. What it holds, Activepieces tells nobody.

    ``owner`` and ``flow_ids`` come with lists only; of any other answer they are None.
    """

    id: str
    external_id: str
    display_name: str
    #: ``SECRET_TEXT``, ``OAUTH2``, …: the ``type`` of a value. That of a placeholder is ``NO_AUTH``.
    type: str
    piece_name: str
    piece_version: str | None = None
    project_ids: tuple[str, ...] = ()
    platform_id: str | None = None
    #: ``PLATFORM`` for a global connection, else ``PROJECT``.
    scope: str
    #: ``ACTIVE``; ``ERROR`` when its token could not be renewed; ``MISSING`` when it was never given a value.
    status: str
    owner_id: str | None = None
    owner: Owner | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    flow_ids: tuple[str, ...] | None = None
    pre_select_for_new_projects: bool = False
    created: str
    updated: str


@dataclass(frozen=True, kw_only=True)
class ConnectionDraft:
    """A connection to be made, or to replace the one that has its external id in its project."""

    project_id: str
    #: The host's own name for it, by which flows use it: any text.
    external_id: str
    display_name: str
    #: In full: ``@activepieces/piece-slack``.
    piece_name: str
    value: Value
    #: An exact version; without one, the newest.
    piece_version: str | None = None
    #: None keeps what is there, an empty mapping removes it.
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class AuthorizationUrl:
    """Where to send a user who is to authorize a piece; the verifier goes into `OAuth2.code_challenge`."""

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
    ) -> Rows[Connection]:
        """The connections of a project and the global ones in it, oldest first.

        ``piece_name`` is exact; ``display_name`` is any part of the name, in upper or lower case.
        """
        wanted = display_name or ""
        rows = self._all(
            Connection,
            "connections.list",
            "/app-connections",
            projectId=project_id,
            pieceName=piece_name,
            # A backslash at its end would fail in the database; so such names are only looked for here.
            displayName=None if "\\" in wanted else wanted or None,
            status=list(statuses),
            scope=scope,
            limit=ALL,
        )
        if not _WILDCARDS.intersection(wanted):
            return rows
        part = wanted.casefold()
        return rows.where(lambda item: part in item["displayName"].casefold())

    def get(self, project_id: str, connection_id: str) -> Connection:
        """One connection by its id; `ResourceNotFound` if the project has none. (Activepieces can only list them.)"""
        rows = self.list(project_id).where(lambda item: item["id"] == connection_id)
        if not rows:
            raise ResourceNotFound("connections.get", detail="no such connection in this project")
        return rows[0]

    def find(self, project_id: str, external_id: str) -> Connection | None:
        """The connection with this external id, the oldest if there are several; None if there is none."""
        rows = self.list(project_id).where(lambda item: item["externalId"] == external_id)
        return rows[0] if rows else None

    def upsert(self, draft: ConnectionDraft, *, timeout: Timeout | None = None) -> Connection:
        """Make the connection, or replace the one of its external id, value and piece included.

        Nothing in Activepieces keeps two of these calls at once from making two connections of one external id; let
        only one run at a time. It is never sent again by itself once Activepieces may have seen it. Where pieces
        check values, it takes as long as the piece does; and 300 seconds if there is no worker.
        """
        body = given(
            projectId=draft.project_id,
            externalId=draft.external_id,
            displayName=draft.display_name,
            pieceName=draft.piece_name,
            pieceVersion=draft.piece_version,
            metadata=None if draft.metadata is None else dict(draft.metadata),
            type=draft.value.type,
            value=None if isinstance(draft.value, Placeholder) else draft.value.to_json(),
        )
        answer = self._transport.call(
            "connections.upsert", "POST", "/app-connections", body=body, timeout=timeout
        )
        return shape(Connection).one(answer, "connections.upsert")

    def update(
        self,
        connection_id: str,
        *,
        display_name: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Rename the connection, and replace its metadata if they are given. Its value stays as it is.

        A server may have written an ``accountIdentifier`` into the metadata: give it along, or it is lost.
        """
        if not display_name:
            raise InvalidInput({"display_name": "is required"})
        return self._one(
            Connection,
            "connections.update",
            "POST",
            f"/app-connections/{segment(connection_id)}",
            body=given(
                displayName=display_name, metadata=None if metadata is None else dict(metadata)
            ),
            repeatable=True,
        )

    def delete(self, connection_id: str) -> None:
        """Delete the connection; flows that use it fail from then on (see `Connection.flow_ids`).

        Of a global connection Activepieces says that it was deleted, and keeps it: use ``global_connections``.
        """
        path = f"/app-connections/{segment(connection_id)}"
        self._transport.call("connections.delete", "DELETE", path)

    def list_owners(self, project_id: str) -> Sequence[Owner]:
        """The people who own connections in the project."""
        path = "/app-connections/owners"
        return self._all(Owner, "connections.list_owners", path, projectId=project_id)

    def replace(
        self,
        project_id: str,
        *,
        source_id: str,
        target_id: str,
        apply_to_published: bool = True,
        delete_source: bool = True,
    ) -> None:
        """Let every flow that uses the source use the target, and delete the source.

        Without ``apply_to_published`` only drafts change, and without ``delete_source`` the source stays. A server
        before 0.86 cannot do less than all of it, so `CallNotSupported` is raised there. It does not say what it did:
        list the connections to see whether the source is gone. Both must be of the same piece.

        Never with an API key: seen on 0.85.2 and 0.86.0 servers, it fails half-way and leaves a published flow with
        an empty draft.
        """
        if source_id == target_id:
            # Activepieces would delete the connection.
            raise InvalidInput({"target_id": "must be another connection than the source"})
        if delete_source and not apply_to_published:
            raise InvalidInput(
                {"delete_source": "published flows would be left without their connection"}
            )
        operation = "connections.replace"
        if not delete_source:
            self._check_that_sources_may_stay(operation)
        body = {
            "projectId": project_id,
            "sourceAppConnectionId": source_id,
            "targetAppConnectionId": target_id,
            # False unless they are sent, since 0.86; earlier servers ignore them, and do both.
            "applyToPublishedVersions": apply_to_published,
            "deleteSourceConnection": delete_source,
        }
        self._transport.call(operation, "POST", "/app-connections/replace", body=body)

    def _check_that_sources_may_stay(self, operation: str) -> None:
        version = Server(self._transport).info().version
        if release(version) < _CHOOSES:
            raise CallNotSupported(
                operation,
                detail=f"this Activepieces ({version}) always deletes the source and changes published flows",
                remedy="Update it to 0.86 or later, or let it do both.",
            )

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
        """Where a user authorizes the piece. Its ``state`` is random, and Activepieces does not check it later.

        ``scopes`` narrows what the piece declares; ``props`` fill the placeholders of its URLs.
        """
        return self._one(
            AuthorizationUrl,
            "connections.authorization_url",
            "POST",
            "/app-connections/oauth2/authorization-url",
            body=given(
                pieceName=piece_name,
                pieceVersion=piece_version,
                projectId=project_id,
                clientId=client_id,
                redirectUrl=redirect_url,
                scopes=None if scopes is None else list(scopes),
                props=None if props is None else dict(props),
            ),
            repeatable=True,
        )
