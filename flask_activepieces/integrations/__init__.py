"""Tenants' links to Activepieces. The services are on the state of the app; these are the words they speak."""

from .connections.health import BrokenConnection
from .connections.saver import NewConnection, PlatformSharing
from .connections.service import ConnectionFilter, ReplacementResult
from .mcp import RotatedMcpToken
from .setup.credentials import Credentials
from .setup.verifier import SetupRequest
from .sign_in.third_party import AuthorizationRedirect, AuthorizationResult, AuthorizationStart
from .store import Integration

__all__ = [
    "ConnectionFilter",
    "Credentials",
    "BrokenConnection",
    "AuthorizationResult",
    "Integration",
    "NewConnection",
    "PlatformSharing",
    "ReplacementResult",
    "RotatedMcpToken",
    "SetupRequest",
    "AuthorizationStart",
    "AuthorizationRedirect",
]
