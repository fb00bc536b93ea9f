"""Creates the tables of the small host: once per run by SQL, then by copying the file."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces.storage import tables

_made: list[bytes] = []


def make_tables(app: Flask, file: Path) -> None:
    """Recreate all tables of the app; ``file`` is the database file of an unchanged small host."""
    db: SQLAlchemy = app.extensions["sqlalchemy"]
    with app.app_context():
        if file.exists() or not _is_unchanged_host(app, db, file):
            db.drop_all()
            db.create_all()
        elif _made:
            file.write_bytes(_made[0])
        else:
            db.create_all()
            db.engine.dispose()  # so that the file is complete, without a write-ahead log
            _made.append(file.read_bytes())


def _is_unchanged_host(app: Flask, db: SQLAlchemy, file: Path) -> bool:
    in_file = app.config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{file}"
    ours_only = set(db.metadata.tables) == set(tables.metadata.tables)
    return in_file and ours_only and list(db.metadatas) == [None]
