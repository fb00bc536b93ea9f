"""Tenants' integrations with Activepieces: what the services on the state of the app take and return."""

from .connections.health import BrokenConnection
from .connections.saver import NewConnection, PlatformSharing
from .connections.service import ConnectionFilter, ReplacementResult
from .credentials import Credentials
from .embedding.builder import EmbeddedBuilder
from .mcp import RotatedMcpToken
from .setup import SetupRequest
from .sign_in.third_party import AuthorizationRedirect, AuthorizationResult, AuthorizationStart
from .store import Integration

__all__ = [
    "AuthorizationRedirect",
    "AuthorizationResult",
    "AuthorizationStart",
    "BrokenConnection",
    "ConnectionFilter",
    "Credentials",
    "EmbeddedBuilder",
    "Integration",
    "NewConnection",
    "PlatformSharing",
    "ReplacementResult",
    "RotatedMcpToken",
    "SetupRequest",
]
