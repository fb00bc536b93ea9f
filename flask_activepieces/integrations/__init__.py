"""Tenants' links to Activepieces. The services are on the state of the app; these are the words they speak."""

from .connections import ConnectionFilter, Replaced
from .credentials import Credentials
from .health import Failing
from .mcp import Rotated
from .records import Integration
from .saving import NewConnection, Reach
from .setup import Setup
from .third_party import Finished, StartAuthorization, Started

__all__ = [
    "ConnectionFilter",
    "Credentials",
    "Failing",
    "Finished",
    "Integration",
    "NewConnection",
    "Reach",
    "Replaced",
    "Rotated",
    "Setup",
    "StartAuthorization",
    "Started",
]
