"""What is to become of an integration, settled with Activepieces before anything is saved.

A plan is good on the ground that it was made on: with the same credentials, at the same server. When somebody else
has moved that meanwhile, what Activepieces said was about something else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ...errors import IntegrationDisabled
from .. import store as records
from ..store import Integration
from .credential_store import CredentialStore
from .credentials import Credentials
from .verifier import Assignment, Place, SetupVerifier


@dataclass(frozen=True, kw_only=True)
class Ground:
    """An integration as it stands, if there is one, and its credentials as they are stored: encrypted."""

    integration: Integration | None
    locked: str | None = field(repr=False)

    @classmethod
    def of(cls, connection: Connection, integration: Integration | None) -> Ground:
        """The ground under an integration that was read in the same transaction."""
        if integration is None:
            return cls(integration=None, locked=None)
        locked = records.encrypted_secrets(connection, integration).credentials
        return cls(integration=integration, locked=locked)

    @property
    def base_url(self) -> str | None:
        """The server of the integration; None also where there is none yet."""
        return self.integration.base_url if self.integration else None

    def is_under(self, other: Ground) -> bool:
        """Whether the same integration stands there, with the same credentials at the same server."""
        return self._marks() == other._marks()

    def _marks(self) -> tuple[str | None, str | None, str | None]:
        return (self.integration.id if self.integration else None, self.base_url, self.locked)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to save, if the ground is still the same."""

    ground: Ground
    place: Place
    #: None: the project stays.
    assignment: Assignment | None
    #: None: they stay.
    credentials: Credentials | None = field(repr=False)

    @property
    def columns(self) -> dict[str, Any]:
        """Where the integration is to be, as columns."""
        columns: dict[str, Any] = {"base_url": self.place.base_url}
        return columns | (vars(self.assignment) if self.assignment else {})


class SetupPlanner:
    """Makes plans; asks Activepieces, and holds no database connection while it does."""

    def __init__(self, verifier: SetupVerifier, credential_store: CredentialStore) -> None:
        self._verifier = verifier
        self._credential_store = credential_store

    def plan(
        self,
        ground: Ground,
        place: Place,
        given: Credentials,
        *,
        removed: Collection[str] = (),
        wanted: str | None = None,
    ) -> Plan:
        """What it comes to that these credentials are given, those removed, and a project is wanted."""
        kept = self._kept(ground, place, given).without(removed)
        assignment = None
        # What is taken away concerns nobody but the app, as long as something is left.
        if given or wanted is not None or not (removed and kept):
            assignment = self._verifier.assignment(
                place,
                given=given,
                kept=kept,
                wanted=wanted,
                current=ground.integration.project_id if ground.integration else None,
            )
        are_others = given or removed or place.base_url != ground.base_url
        return Plan(
            ground=ground,
            place=place,
            assignment=assignment,
            credentials=kept.merged(given) if are_others else None,
        )

    def _kept(self, ground: Ground, place: Place, given: Credentials) -> Credentials:
        """What the integration has already; a server never sees what was given for another."""
        found = ground.integration
        if found is None or found.base_url != place.base_url:
            return Credentials()
        try:
            return self._credential_store.opened(found.id, ground.locked) or Credentials()
        except IntegrationDisabled:
            if not given:
                raise
            return Credentials()  # in place of what nothing opens any more
