"""A small Activepieces for tests and demos, and what a host's own tests need. Not for production."""

from .piece import Action, ActionCall, Piece, StepFailed
from .server import ActivepiecesServer

__all__ = ["Action", "ActionCall", "ActivepiecesServer", "Piece", "StepFailed"]
