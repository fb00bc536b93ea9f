"""A small Activepieces for tests and demos, and helpers for a host's own tests. Not for production."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .standin.pieces.piece import Action, ActionCall, StandinPiece, StepFailed
    from .standin.server import ActivepiecesServer

__all__ = ["Action", "ActionCall", "ActivepiecesServer", "StandinPiece", "StepFailed"]


def __getattr__(name: str) -> Any:
    # Imported on first use: pytest loads this package in every run, and most runs need no server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .standin import server
    from .standin.pieces import piece

    return getattr(server if name == "ActivepiecesServer" else piece, name)
