"""OAuth clients: outside programs that may ask for tokens, of one tenant or of all."""

from __future__ import annotations

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, HostId, Id, Instant, exact_text, human_text


class OAuthClientRow(Base):
    """One registered client; only hashes of its secrets are here."""

    __tablename__ = TABLE_PREFIX + "oauth_clients"

    client_id: Mapped[Id] = mapped_column(primary_key=True)
    #: None: every tenant's users may grant it access.
    tenant_id: Mapped[HostId | None] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(human_text(120))
    description: Mapped[str] = mapped_column(human_text(500))
    #: SHA-256 of the secret; None for a public client (RFC 6749 §2.1).
    secret_hash: Mapped[str | None] = mapped_column(exact_text(64))
    #: The secret before the last rotation: both work, so that a rotation has no gap.
    previous_secret_hash: Mapped[str | None] = mapped_column(exact_text(64))
    #: Space-separated: a URI has no space (RFC 3986).
    redirect_uris: Mapped[str] = mapped_column(Text)
    #: Space-separated too, as everywhere in OAuth (RFC 6749 §3.3).
    scope: Mapped[str] = mapped_column(Text)
    grant_types: Mapped[str] = mapped_column(String(120))
    require_pkce: Mapped[bool]
    #: Whether an operator let it get codes without the page, for what its user has allowed before.
    remember_consent: Mapped[bool]
    #: Whether it is a resource server, which may introspect tokens of other clients (RFC 7662 §2.1).
    introspects: Mapped[bool]
    #: The integration that it was made for, which alone may use it; None for one that somebody registered.
    integration_id: Mapped[Id | None]
    created_at: Mapped[Instant]
    #: How many access tokens it got by its own credentials, and when the last: a row for each would fill the audit.
    tokens_issued: Mapped[int] = mapped_column(Integer)
    last_issued_at: Mapped[Instant | None]
