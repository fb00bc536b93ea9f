"""The pieces of a tenant's Activepieces, and the app's own piece there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..api_client.resources.pieces import Piece
from ..pieces.archive import build_archive
from ..pieces.installing.installer import PieceInstaller, Plan
from .dependencies import Dependencies
from .store import Integration


@dataclass(frozen=True)
class TenantPieces:
    """Lists pieces, and installs the app's own piece on a platform of the tenant's own."""

    deps: Dependencies

    def list(self, integration: Integration, *, search: str | None = None) -> Sequence[Piece]:
        """The newest versions of all pieces, or of those that match the search."""
        return self.deps.client_factory.client_for(integration, "pieces.list").pieces.list(search=search)

    def get(self, integration: Integration, name: str) -> Piece:
        """The newest version of a piece, with the ways to authenticate."""
        return self.deps.client_factory.client_for(integration, "pieces.get").pieces.get(name)

    def compare(self, integration: Integration, manifest: Mapping[str, Any]) -> Plan:
        """What an installation of the app's piece would change there."""
        return self._installer(integration).plan(manifest)

    def install(self, integration: Integration, manifest: Mapping[str, Any], *, user_id: str) -> None:
        """Install the app's piece in the version of the manifest, and wait until Activepieces lists it."""
        self._installer(integration).install(build_archive(manifest))
        detail = {"piece_name": manifest["name"], "version": manifest["version"]}
        self.deps.database.run_in_transaction(
            lambda transaction: self.deps.record(
                transaction, "piece.installed", integration, user_id=user_id, **detail
            )
        )

    def _installer(self, integration: Integration) -> PieceInstaller:
        # A platform has one catalogue for all of its projects: only who has a credential of its own may change it.
        return PieceInstaller(self.deps.client_factory.client_for(integration, "pieces.install"))
