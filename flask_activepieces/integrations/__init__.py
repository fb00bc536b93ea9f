"""Tenants' links to Activepieces. The services are on the state of the app; these are the words they speak."""

from .connections.health import Failing
from .connections.saver import NewConnection, Reach
from .connections.service import ConnectionFilter, Replaced
from .mcp import Rotated
from .setup.credentials import Credentials
from .setup.verifier import Setup
from .sign_in.third_party import Finished, StartAuthorization, Started
from .store import Integration

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
