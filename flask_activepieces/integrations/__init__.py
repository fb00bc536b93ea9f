"""Tenants' links to Activepieces, and what they have there. The services are on the app's state; these are its words."""

from .authorize import StartAuthorization, Started
from .connections import ConnectionFilter, NewConnection
from .credentials import Credentials
from .health import Failing
from .mcp import Rotated
from .records import Integration
from .setup import Setup

__all__ = [
    "ConnectionFilter",
    "Credentials",
    "Failing",
    "Integration",
    "NewConnection",
    "Rotated",
    "Setup",
    "StartAuthorization",
    "Started",
]
