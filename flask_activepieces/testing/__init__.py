"""A small Activepieces for tests and demos, and helpers for a host's own tests. Not for production."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .standin.pieces.calls import ActionCall, FormCall, TriggerCall
    from .standin.pieces.piece import Action, StandinPiece, StepFailed, Trigger
    from .standin.server import ActivepiecesServer

__all__ = [
    "Action",
    "ActionCall",
    "ActivepiecesServer",
    "FormCall",
    "StandinPiece",
    "StepFailed",
    "Trigger",
    "TriggerCall",
]

_MODULES = {
    "ActivepiecesServer": "standin.server",
    "ActionCall": "standin.pieces.calls",
    "FormCall": "standin.pieces.calls",
    "TriggerCall": "standin.pieces.calls",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: pytest loads this package in every run, and most runs need no server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES.get(name, 'standin.pieces.piece')}", __name__), name)
