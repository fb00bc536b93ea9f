"""The declarative base of our tables, and the few column types that they share.

No table refers to a host table: users and tenants are opaque text. Ids compare byte by byte on every database
(MySQL would otherwise take ``Ab`` and ``aB`` for one tenant). Instants are whole seconds since 1970.
"""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import BigInteger, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column

from ..host_ids import LONGEST_HOST_ID

TABLE_PREFIX = "activepieces_"


def exact_text(length: int) -> String:
    """Text whose comparison is exact on every database."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


def human_text(length: int) -> String:
    """Text that people wrote, in any script and with emoji, whatever the database was made for."""
    return String(length).with_variant(
        String(length, collation="utf8mb4_unicode_ci"), "mysql", "mariadb"
    )


#: An id made by us: 22 to 43 characters of base64url or hex.
Id = Annotated[str, mapped_column(exact_text(64))]
#: An id made by the host: a user, tenant or organization.
HostId = Annotated[str, mapped_column(exact_text(LONGEST_HOST_ID))]
Instant = Annotated[int, mapped_column(BigInteger)]
#: A primary key that the database counts up (SQLite counts INTEGER only).
Serial = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]


class Base(DeclarativeBase):
    """Holds the metadata that `extension` copies into the host's."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
