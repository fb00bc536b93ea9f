"""Catalogs of translations that an app has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo


def write_catalog(
    folder: Path, catalog: Catalog | Mapping[str, str], locale: str = "de", *, domain: str = "flask_activepieces"
) -> str:
    """Write a compiled catalog below the folder, and return the folder as a setting of Flask-Babel."""
    if not isinstance(catalog, Catalog):
        texts, catalog = catalog, Catalog(locale=locale)
        for message, translation in texts.items():
            catalog.add(message, translation)
    path = folder / locale / "LC_MESSAGES" / f"{domain}.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return str(folder)
