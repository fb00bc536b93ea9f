"""The host's Flask-SQLAlchemy: which of its engines we use, and our tables in its metadata."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from ..config.settings import Settings
from ..errors import SetupError
from .connection_release import connection_release, keep_connection
from .database import Database
from .event_tables import all_tables


def host_database(db: SQLAlchemy, settings: Settings, *, bind_key: str | None) -> Database:
    """Our database, on the engine of this bind; to be called in an app context.

    Our tables become part of the host's metadata, for ``create_all`` and for migrations.
    """
    engine = db.engines.get(bind_key)
    if engine is None:
        raise SetupError(_missing_engine_message(bind_key))
    metadata = db.metadatas.setdefault(bind_key, MetaData(info={"bind_key": bind_key}))
    for table in all_tables():
        name = f"{metadata.schema}.{table.name}" if metadata.schema else table.name
        if name not in metadata.tables:
            table.to_metadata(metadata)
    release = keep_connection
    if settings.release_session:
        release = connection_release(db.session, db.engines.values())
    # In a bind of our own, no other program can expect another journal mode.
    wal = True if settings.sqlite_wal is None and bind_key is not None else settings.sqlite_wal
    return Database(engine, schema=metadata.schema, release=release, sqlite_wal=wal)


def _missing_engine_message(bind_key: str | None) -> str:
    if bind_key is None:
        return (
            "Flask-SQLAlchemy has no default database: set SQLALCHEMY_DATABASE_URI,"
            " or name one of SQLALCHEMY_BINDS with Activepieces(bind_key=...)."
        )
    return f"SQLALCHEMY_BINDS has no bind {bind_key!r}."
