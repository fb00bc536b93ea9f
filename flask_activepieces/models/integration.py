"""Integrations: a tenant's, or an organization's, link to one Activepieces project and key."""

from __future__ import annotations

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, HostId, Id, Instant, exact_text, human_text


class IntegrationRow(Base):
    """One link; what opens a door is encrypted, with a key that fits this row only."""

    __tablename__ = TABLE_PREFIX + "integrations"
    __table_args__ = (UniqueConstraint("tenant_id", "organization_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[HostId]
    #: Empty for the tenant as a whole, and not NULL: of NULLs a unique key may hold several.
    organization_id: Mapped[HostId]
    #: None: the server that the app is configured for.
    base_url: Mapped[str | None] = mapped_column(Text)
    project_id: Mapped[str] = mapped_column(exact_text(64))
    #: Whether it is the project of all tenants on the app's own key.
    shared: Mapped[bool]
    #: A JSON object, encrypted; None: the app's own key.
    credentials: Mapped[str | None] = mapped_column(Text)
    #: What people may see of the credentials: of a key four characters, of a user the e-mail address.
    masked_credential: Mapped[str | None] = mapped_column(human_text(255))
    enabled: Mapped[bool]
    #: The integration's own connection: the last one that was saved for the app's own piece.
    connection_id: Mapped[str | None] = mapped_column(exact_text(64))
    connection_external_id: Mapped[str | None] = mapped_column(exact_text(190))
    #: The OAuth client made for it, and that client's secret, encrypted.
    oauth_client_id: Mapped[Id | None]
    oauth_client_secret: Mapped[str | None] = mapped_column(Text)
    #: A JSON list of the connections that the last check found broken.
    failing: Mapped[str] = mapped_column(Text)
    #: Counts the changes, so that none is lost between reading the row and writing it.
    revision: Mapped[int]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
