"""Pieces: what the stand-in knows of them, and the ones it begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .answers import Json, Row
from .world import World


@dataclass(frozen=True)
class Piece:
    """A piece as a test declares it; ``auth`` as in a piece's metadata.

    ``validate`` plays the piece's own check of a connection: it gets the value and answers what is wrong with it, or
    nothing.
    """

    name: str
    auth: Mapping[str, Any] | None = None
    display_name: str | None = None
    version: str = "0.1.0"
    validate: Callable[[Json], str | None] | None = None


def find_piece(world: World, name: str, version: str | None = None) -> Row | None:
    """The metadata of an installed piece, as ``GET /pieces/:name`` gives it; the newest version unless one is named."""
    rows = world.store.all("piece", name=name)
    exact = [row for row in rows if row["version"] == version]
    return (exact or rows or [None])[-1]
