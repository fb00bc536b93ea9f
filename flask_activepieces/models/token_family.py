"""Token families: what one redeemed code bought, that is, one connection on the other side.

The primary key is the code's ``jti``, so a code can be redeemed once on any database. No token is stored: a
refresh token is recognised by its generation, its nonce and its mac, and the row is overwritten at each
refresh, so a connection costs one row however long it lives.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, HostId, Id, Instant


class TokenFamilyRow(Base):
    """One family; rows of revoked families stay until `prune`, so that a replay is still seen."""

    __tablename__ = TABLE_PREFIX + "token_families"

    id: Mapped[Id] = mapped_column(primary_key=True)
    client_id: Mapped[Id] = mapped_column(index=True)
    tenant_id: Mapped[HostId]
    user_id: Mapped[HostId]
    organization_id: Mapped[HostId | None]
    grant_id: Mapped[Id] = mapped_column(index=True)
    scope: Mapped[str] = mapped_column(Text)
    #: Half of the key that its refresh tokens are signed with; useless without the app's secret keys.
    secret: Mapped[Id]
    generation: Mapped[int] = mapped_column(BigInteger)
    nonce: Mapped[Id]
    previous_nonce: Mapped[Id | None]
    refresh_count: Mapped[int] = mapped_column(BigInteger)
    rotated_at: Mapped[Instant]
    created_at: Mapped[Instant]
    #: Moves on with every refresh: an idle connection ends, a used one does not. No index holds what a refresh
    #: overwrites, for then PostgreSQL would write anew in every index of the table.
    expires_at: Mapped[Instant]
    revoked_at: Mapped[Instant | None]
