"""Tenants' integrations with Activepieces: what the services on the state of the app take and return."""

from .connections.health import BrokenConnection
from .connections.lookup import ConnectionFilter
from .connections.new_connection import NewConnection, PlatformSharing
from .connections.service import ReplacementResult
from .mcp import RotatedMcpToken
from .setup.credentials import Credentials
from .setup.request import SetupRequest
from .sign_in.authorization import AuthorizationRedirect, AuthorizationResult, AuthorizationStart
from .store import Integration

__all__ = [
    "AuthorizationRedirect",
    "AuthorizationResult",
    "AuthorizationStart",
    "BrokenConnection",
    "ConnectionFilter",
    "Credentials",
    "Integration",
    "NewConnection",
    "PlatformSharing",
    "ReplacementResult",
    "RotatedMcpToken",
    "SetupRequest",
]
