"""The tables of the small host: made by the database once a run, and copied from then on."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces.storage import tables

_made: list[bytes] = []


def make_tables(app: Flask, file: Path) -> None:
    """Make all tables of the app anew; ``file`` is where it keeps them if it is the small host as it is."""
    db: SQLAlchemy = app.extensions["sqlalchemy"]
    with app.app_context():
        if file.exists() or not _is_as_usual(app, db, file):
            db.drop_all()
            db.create_all()
        elif _made:
            file.write_bytes(_made[0])
        else:
            db.create_all()
            db.engine.dispose()  # now the file is all that there is, without a write-ahead log
            _made.append(file.read_bytes())


def _is_as_usual(app: Flask, db: SQLAlchemy, file: Path) -> bool:
    in_file = app.config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{file}"
    ours_only = set(db.metadata.tables) == set(tables.metadata.tables)
    return in_file and ours_only and list(db.metadatas) == [None]
