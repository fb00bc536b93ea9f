"""The services for the tenants of one app, and how they are put together."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..clock import Clock
from ..config.settings import Settings
from ..host.interface import Host
from ..oauth.authorization.codes import CodeIssuer
from ..oauth.clients.service import OAuthClients
from ..oauth.grants import Grants
from ..storage.audit import Audit
from ..storage.database import Database
from .agent_steps import TenantAgentSteps
from .client_factory import ClientFactory, MakeClient, pooled_clients
from .connections.health import ConnectionHealth
from .connections.leases import Leases
from .connections.recorder import ConnectionRecorder
from .connections.saver import ConnectionSaver
from .connections.service import TenantConnections
from .credentials import CredentialStore
from .dependencies import Dependencies
from .embedding.builder import Embedding
from .embedding.provisioning import Provisioning
from .mcp import TenantMcp
from .pieces import TenantPieces
from .project import TenantFlows, TenantProjects
from .service import Integrations
from .setup import SetupVerifier
from .sign_in.one_click import OneClick
from .sign_in.pending import PendingAuthorizations
from .sign_in.third_party import ThirdPartySignIn
from .tenant_removal import TenantRemoval


class TenantServices:
    """What an app can do for its tenants at Activepieces; ``make_client`` and ``sleep`` are for tests."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        *,
        clock: Clock,
        audit: Audit,
        oauth_clients: OAuthClients,
        grants: Grants,
        make_client: MakeClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        credential_store = CredentialStore(settings.secret_keys)
        client_factory = ClientFactory(settings, database, credential_store, make_client or pooled_clients(settings))
        deps = Dependencies(
            settings=settings,
            database=database,
            host=host,
            clock=clock,
            audit=audit,
            oauth_clients=oauth_clients,
            grants=grants,
            credential_store=credential_store,
            client_factory=client_factory,
        )
        leases = Leases(database, clock=clock, timeout=settings.timeout, sleep=sleep)
        recorder = ConnectionRecorder(deps)
        saver = ConnectionSaver(deps, leases, recorder)
        provisioning = Provisioning(deps, leases)
        self.embedding = Embedding(deps, provisioning)
        self.integrations = Integrations(deps, SetupVerifier(deps), provisioning)
        self.connections = TenantConnections(deps, saver, recorder)
        self.projects = TenantProjects(client_factory)
        self.flows = TenantFlows(deps)
        self.pieces = TenantPieces(deps)
        self.mcp = TenantMcp(deps)
        self.agent_steps = TenantAgentSteps(deps)
        self.connection_health = ConnectionHealth(deps, self.connections)
        self.one_click = OneClick(deps, saver, CodeIssuer.from_settings(settings, clock=clock))
        pending = PendingAuthorizations(settings.secret_keys, leases)
        self.third_party = ThirdPartySignIn(deps, self.integrations, self.connections, pending)
        self.tenant_removal = TenantRemoval(deps, self.integrations, provisioning)
