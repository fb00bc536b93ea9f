"""A small Activepieces for tests and demos, and what a host's own tests need. Not for production."""

from .pieces import Piece
from .server import ActivepiecesServer

__all__ = ["ActivepiecesServer", "Piece"]
