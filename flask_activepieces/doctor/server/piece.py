"""The app's piece on the servers: installed, the same as the app declares, and visible to the projects."""

from __future__ import annotations

from collections.abc import Sequence

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import CallNotSupported, ResourceNotFound
from ...errors import DeclarationError, IntegrationDisabled, SetupError
from ...integrations.store import Integration
from ...pieces.installing.installer import PieceInstaller
from ...pieces.installing.versions import FIRST_VERSION, Change
from ...pieces.manifest import Manifest
from ..findings import Findings, Kind
from ..subject import Subject, UsedServer

UNBUILDABLE = Kind("piece-address", "error", "The piece cannot be built: it would not know where the app is.")
NOT_INSTALLED = Kind("piece-missing", "error", "No flow can use the app, and one click does not work.")
OUTDATED = Kind("piece-outdated", "warning", "Flows do not have what the app has declared since.")
HIDDEN = Kind(
    "piece-hidden", "error", "In this project, no flow can use the app, and the piece's dropdowns stay empty."
)

_INSTALL = "Run flask activepieces piece install."
#: How many changes a finding lists.
_MAX_LISTED = 5


def check_piece(subject: Subject) -> Findings:
    """The piece on each server with an integration."""
    name = subject.state.settings.piece_name
    if name is None:
        return
    manifest = None
    if subject.state.piece.title is not None:
        try:
            manifest = subject.state.piece.manifest(version=FIRST_VERSION)
        except DeclarationError:
            return  # another finding
        except SetupError:
            yield UNBUILDABLE.found(
                "ACTIVEPIECES_PUBLIC_URL is not set, and the piece does not ask for the address of the app.",
                "Set it to the app's public URL, such as https://app.example.com, or let every kind of authentication"
                " ask for the address. Then install the piece.",
            )
            return
    for server in subject.servers:
        clients = _clients(subject, server) if server.info is not None else []
        if clients:
            yield from _check_installed(server, clients[0][1], name, manifest)
            for integration, client in clients:
                yield from _check_visible(server, integration, client, name)


def _clients(subject: Subject, server: UsedServer) -> Sequence[tuple[Integration, ActivepiecesClient]]:
    """The integrations that can be used, each with its client."""
    found = []
    for integration in subject.integrations_on(server):
        try:
            found.append((integration, subject.client_factory.client_for(integration, "pieces.get")))
        except (IntegrationDisabled, CallNotSupported):
            continue  # another finding
    return found


def _check_installed(
    server: UsedServer, client: ActivepiecesClient, name: str, manifest: Manifest | None
) -> Findings:
    if manifest is None:  # a piece that was written by hand
        changes: Sequence[Change] | None = () if _is_installed(client, name) else None
    else:
        changes = PieceInstaller(client).changes(manifest)
    if changes is None:
        yield NOT_INSTALLED.found(f"{server.url} does not have {name}.", _INSTALL)
    elif changes:
        listed = "; ".join(change.text for change in changes[:_MAX_LISTED])
        more = f"; and {len(changes) - _MAX_LISTED} more" if len(changes) > _MAX_LISTED else ""
        yield OUTDATED.found(f"{name} on {server.url} differs from what the app declares: {listed}{more}.", _INSTALL)


def _check_visible(server: UsedServer, integration: Integration, client: ActivepiecesClient, name: str) -> Findings:
    project_id = integration.project_id
    if _is_installed(client, name) and not _is_installed(client, name, project_id):
        yield HIDDEN.found(
            f"Project {project_id} of {server.url} does not show {name}.",
            "Add the piece to the piece set of the project, in the settings of the Activepieces platform.",
            tenant_id=integration.tenant_id,
        )


def _is_installed(client: ActivepiecesClient, name: str, project_id: str | None = None) -> bool:
    try:
        client.pieces.get(name, project_id=project_id)
    except ResourceNotFound:
        return False
    return True
