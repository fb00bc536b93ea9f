"""The REST client of Activepieces. Usable alone: it knows neither Flask nor a database."""

from .client import ActivepiecesClient

__all__ = ["ActivepiecesClient"]
