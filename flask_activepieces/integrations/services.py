"""Builds the services for the tenants of one app."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock
from ..config.settings import Settings
from ..host.interface import Host
from ..oauth.authorization.codes import CodeIssuer
from ..oauth.clients.service import OAuthClients
from ..oauth.grants import Grants
from ..storage.audit import Audit
from ..storage.database import Database
from .client_factory import ClientFactory, MakeClient, pooled_clients
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
from .setup.credentials import CredentialStore
from .setup.saver import SetupSaver
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
    make_client: MakeClient | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> TenantServices:
    """The services of an app; ``make_client`` and ``sleep`` are for tests."""
    credential_store = CredentialStore(settings.secret_keys)
    client_factory = ClientFactory(settings, database, credential_store, make_client or pooled_clients(settings))
    verifier = SetupVerifier(settings, client_factory, credential_store)
    setup_saver = SetupSaver(clock, audit, credential_store)
    integrations = Integrations(
        database, host, clock, audit, client_factory, verifier, setup_saver, credential_store, oauth_clients
    )
    leases = Leases(database, clock=clock, timeout=settings.timeout, sleep=sleep)
    recorder = ConnectionRecorder(database, clock, audit, grants)
    lookup = ConnectionLookup(client_factory)
    saver = ConnectionSaver(settings, host, client_factory, lookup, leases, recorder)
    connections = TenantConnections(host, client_factory, lookup, saver, recorder)
    integration_clients = IntegrationClients(credential_store, oauth_clients)
    pending = PendingAuthorizations(settings.secret_keys, leases)
    return TenantServices(
        integrations=integrations,
        connections=connections,
        projects=TenantProjects(client_factory),
        flows=TenantFlows(client_factory),
        mcp=TenantMcp(database, host, clock, audit, client_factory),
        connection_health=ConnectionHealth(settings, database, host, clock, audit, client_factory, lookup),
        one_click=OneClick(
            settings,
            database,
            host,
            clock,
            client_factory,
            saver,
            integration_clients,
            grants,
            CodeIssuer.from_settings(settings, clock=clock),
        ),
        third_party=ThirdPartySignIn(settings, clock, client_factory, integrations, lookup, connections, pending),
        tenant_removal=TenantRemoval(database, integrations, oauth_clients, grants, clock),
    )
