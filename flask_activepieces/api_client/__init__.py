"""The API client for Activepieces. It can be used alone: it needs neither Flask nor a database."""

from .client import ActivepiecesClient
from .connection_pool import ConnectionPool, Retries
from .wire import Timeout

__all__ = ["ActivepiecesClient", "ConnectionPool", "Retries", "Timeout"]
