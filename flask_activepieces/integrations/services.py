"""Everything that this package does for one app, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock
from ..config.settings import Settings
from ..host.interface import Host
from ..oauth.clients.service import OAuthClients
from ..oauth.grants import Grants
from ..storage.audit import Audit
from ..storage.database import Database
from .client_factory import ClientFactory, MakeClient
from .connections.health import ConnectionHealth
from .connections.leases import Leases
from .connections.recorder import ConnectionRecorder
from .connections.service import TenantConnections
from .flows import TenantFlows
from .mcp import TenantMcp
from .projects import TenantProjects
from .service import Integrations
from .setup.credential_store import CredentialStore
from .setup.planner import SetupPlanner
from .setup.verifier import SetupVerifier
from .sign_in.integration_client import IntegrationClients
from .sign_in.one_click import OneClick
from .sign_in.pending import PendingAuthorizations
from .sign_in.third_party import ThirdPartySignIn
from .tenant_removal import TenantRemoval


@dataclass(frozen=True, kw_only=True)
class TenantServices:
    """What is done for tenants: one object for each thing that they have."""

    integrations: Integrations
    connections: TenantConnections
    projects: TenantProjects
    flows: TenantFlows
    mcp: TenantMcp
    connection_health: ConnectionHealth
    one_click: OneClick
    third_party: ThirdPartySignIn
    credential_store: CredentialStore
    tenant_removal: TenantRemoval


def build_services(
    settings: Settings,
    database: Database,
    host: Host,
    *,
    clock: Clock,
    audit: Audit,
    oauth_clients: OAuthClients,
    grants: Grants,
    release: Callable[[], None],
    make_client: MakeClient | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> TenantServices:
    """The services of an app.

    ``release`` makes the host's session give back its database connection; ``make_client`` and ``sleep`` are for
    tests.
    """
    credential_store = CredentialStore(settings.secret_keys)
    client_factory = ClientFactory(
        settings, database, credential_store, release=release, make_client=make_client
    )
    integrations = Integrations(
        database,
        host,
        client_factory,
        SetupPlanner(SetupVerifier(settings, client_factory), credential_store),
        credential_store,
        oauth_clients=oauth_clients,
        audit=audit,
    )
    leases = Leases(database, clock=clock, timeout=settings.timeout, sleep=sleep)
    recorder = ConnectionRecorder(database, audit=audit, grants=grants)
    connections = TenantConnections(settings, host, client_factory, leases, recorder)
    integration_clients = IntegrationClients(credential_store, oauth_clients=oauth_clients)
    return TenantServices(
        integrations=integrations,
        connections=connections,
        projects=TenantProjects(client_factory),
        flows=TenantFlows(client_factory),
        mcp=TenantMcp(database, host, client_factory, audit=audit),
        connection_health=ConnectionHealth(
            settings, database, host, client_factory, connections, audit=audit
        ),
        one_click=OneClick(
            settings,
            database,
            host,
            client_factory,
            connections,
            integration_clients,
            grants,
            clock=clock,
        ),
        third_party=ThirdPartySignIn(
            settings,
            client_factory,
            integrations,
            connections,
            PendingAuthorizations(settings.secret_keys, leases),
        ),
        credential_store=credential_store,
        tenant_removal=TenantRemoval(
            database, integrations, oauth_clients=oauth_clients, grants=grants
        ),
    )
