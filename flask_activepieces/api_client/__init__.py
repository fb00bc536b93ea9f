"""The REST client of Activepieces. Usable alone: it does not depend on Flask or a database."""

from .client import ActivepiecesClient

__all__ = ["ActivepiecesClient"]
