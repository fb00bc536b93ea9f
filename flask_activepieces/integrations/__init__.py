"""Tenants' links to Activepieces. The services are on the state of the app; these are the words they speak."""

from .authorize import Finished, StartAuthorization, Started
from .connections import ConnectionFilter
from .credentials import Credentials
from .health import Failing
from .mcp import Rotated
from .records import Integration
from .saving import NewConnection, Reach
from .setup import Setup

__all__ = [
    "ConnectionFilter",
    "Credentials",
    "Failing",
    "Finished",
    "Integration",
    "NewConnection",
    "Reach",
    "Rotated",
    "Setup",
    "StartAuthorization",
    "Started",
]
