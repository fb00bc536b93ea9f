"""The REST client of Activepieces. Usable alone: it knows neither Flask nor a database."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import ActivepiecesClient

__all__ = ["ActivepiecesClient"]


def __getattr__(name: str) -> Any:
    # By the first who asks: an app needs the errors of this package long before its first call, and requests is slow
    # to load.
    if name != "ActivepiecesClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .client import ActivepiecesClient

    return ActivepiecesClient
