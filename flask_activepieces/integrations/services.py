"""Builds the services for tenants of one app."""

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
from .connections.lookup import ConnectionLookup
from .connections.recorder import ConnectionRecorder
from .connections.saver import ConnectionSaver
from .connections.service import TenantConnections
from .flows import TenantFlows
from .mcp import TenantMcp
from .projects import TenantProjects
from .service import Integrations
from .setup.credential_store import CredentialStore
from .setup.verifier import SetupVerifier
from .sign_in.integration_client import IntegrationClients
from .sign_in.one_click import OneClick
from .sign_in.pending import PendingAuthorizations
from .sign_in.third_party import ThirdPartySignIn
from .tenant_removal import TenantRemoval


@dataclass(frozen=True, kw_only=True)
class TenantServices:
    """What an app can do for its tenants at Activepieces."""

    integrations: Integrations
    connections: TenantConnections
    projects: TenantProjects
    flows: TenantFlows
    mcp: TenantMcp
    connection_health: ConnectionHealth
    one_click: OneClick
    third_party: ThirdPartySignIn
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

    ``release`` returns the database connection of the host's session to its pool; ``make_client`` and ``sleep`` are
    for tests.
    """
    credentials = CredentialStore(settings.secret_keys)
    clients = ClientFactory(
        settings, database, credentials, release=release, make_client=make_client
    )
    integrations = Integrations(
        database,
        host,
        clients,
        SetupVerifier(settings, clients, credentials),
        credentials,
        oauth_clients=oauth_clients,
        audit=audit,
        clock=clock,
    )
    leases = Leases(database, clock=clock, timeout=settings.timeout, sleep=sleep)
    recorder = ConnectionRecorder(database, audit=audit, grants=grants, clock=clock)
    lookup = ConnectionLookup(clients)
    saver = ConnectionSaver(settings, host, clients, lookup, leases, recorder)
    connections = TenantConnections(host, clients, lookup, saver, recorder)
    integration_clients = IntegrationClients(credentials, oauth_clients=oauth_clients)
    pending = PendingAuthorizations(settings.secret_keys, leases)
    return TenantServices(
        integrations=integrations,
        connections=connections,
        projects=TenantProjects(clients),
        flows=TenantFlows(clients),
        mcp=TenantMcp(database, host, clients, audit=audit, clock=clock),
        connection_health=ConnectionHealth(
            settings, database, host, clients, lookup, audit=audit, clock=clock
        ),
        one_click=OneClick(
            settings, database, host, clients, saver, integration_clients, grants, clock=clock
        ),
        third_party=ThirdPartySignIn(
            settings, clients, integrations, lookup, connections, pending, clock=clock
        ),
        tenant_removal=TenantRemoval(
            database, integrations, oauth_clients=oauth_clients, grants=grants, clock=clock
        ),
    )
