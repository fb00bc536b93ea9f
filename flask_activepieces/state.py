"""What the extension knows about one app, and the only reader of ``app.extensions["activepieces"]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Flask, current_app, request

from .clock import Clock
from .config.settings import Settings
from .config.urls import loopback_issuer
from .delivery.services import Delivery
from .errors import DeclarationError, SetupError
from .host.interface import Host
from .integrations.services import TenantServices
from .mcp.call_log import CallLog
from .mcp.call_overview import CallOverview
from .mcp.server import McpServer
from .oauth.authorization.codes import CodeIssuer
from .oauth.authorization.pending_requests import PendingRequests
from .oauth.client_policies import ClientPolicies
from .oauth.clients.dynamic import DynamicClients
from .oauth.clients.overview import ClientOverview
from .oauth.clients.service import OAuthClients
from .oauth.connected_agents import ConnectedAgents
from .oauth.connected_apps import ConnectedApps
from .oauth.documents.service import DocumentClients
from .oauth.grants import Grants
from .oauth.personal_tokens import PersonalTokens
from .oauth.resources import Resource, Resources
from .oauth.revocations import RevocationCheck
from .oauth.tokens.server import OAuthServer
from .pieces.idempotency import ActionCalls
from .pieces.registry import PieceRegistry
from .storage.audit import Audit
from .storage.audit_log import AuditLog
from .storage.database import Database
from .storage.failure_limit import FailureLimiter
from .storage.rate_limit import RateLimiter

EXTENSION = "activepieces"


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that one app has. Built once by ``init_app``; frozen, and one per app."""

    settings: Settings
    host: Host
    clock: Clock = field(repr=False)
    #: The same services with other settings and another database.
    rebuild: Callable[[Settings, Database], State] = field(repr=False)
    database: Database
    audit: Audit
    audit_log: AuditLog
    oauth_clients: OAuthClients
    client_overview: ClientOverview
    grants: Grants
    personal_tokens: PersonalTokens
    connected_apps: ConnectedApps
    connected_agents: ConnectedAgents
    pending_requests: PendingRequests
    code_issuer: CodeIssuer
    document_clients: DocumentClients
    dynamic_clients: DynamicClients
    client_policies: ClientPolicies
    server: OAuthServer
    revocations: RevocationCheck
    failure_limiter: FailureLimiter
    rate_limiter: RateLimiter
    tenants: TenantServices
    piece: PieceRegistry
    action_calls: ActionCalls
    mcp: McpServer
    tool_calls: CallLog
    call_overview: CallOverview
    delivery: Delivery

    def now(self) -> int:
        """The current time in whole seconds."""
        return int(self.clock())

    def issuer(self) -> str:
        """The issuer of what the current request asks for."""
        return self.settings.public_url or loopback_issuer(request.root_url)

    def title(self) -> str:
        """The name of the app for people: the one in its settings, that of its piece, or its host name."""
        return self.settings.app_name or self.piece.title or urlsplit(self.issuer()).hostname or ""

    def serves_mcp(self) -> bool:
        """Whether agents find the app's actions at the MCP endpoint."""
        enabled = self.settings.mcp_enabled
        return bool(self.piece.definition().tools) if enabled is None else enabled

    def accepts_client_documents(self) -> bool:
        """Whether a client may be known by the URL of its metadata document."""
        enabled = self.settings.client_documents
        if enabled is not None:
            return enabled
        try:
            return self.serves_mcp()
        except DeclarationError:
            # Mistakes in the piece are reported elsewhere, and must not keep other clients from the metadata.
            return False

    def resources(self) -> Resources:
        """The protected resources, as the current request names them."""
        mcp = Resource("mcp", self.settings.mcp_path)
        return Resources(issuer=self.issuer(), mcp=mcp, serves_mcp=self.serves_mcp)

    def mcp_resource(self) -> str:
        """The URL of the MCP endpoint, which identifies it as a protected resource (RFC 8707, RFC 9728)."""
        return self.issuer() + self.settings.mcp_path


def get_state(app: Flask | None = None) -> State:
    """The state of this app; `SetupError` says what was forgotten."""
    state = (app or current_app).extensions.get(EXTENSION)
    if state is None:
        raise SetupError("flask-activepieces is not set up on this app: call Activepieces(host).init_app(app).")
    assert isinstance(state, State)
    return state
