"""Everything that this package does for one app, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock
from ..config.settings import Settings
from ..host.interface import Host
from ..oauth.clients.store import OAuthClients
from ..oauth.grants import Grants
from ..storage.audit import Audit
from ..storage.database import Database
from .client_factory import Gateways, MakeClient
from .connections.health import Health
from .connections.leases import Leases
from .connections.recorder import Journal
from .connections.service import TenantConnections
from .flows import TenantFlows
from .mcp import TenantMcp
from .projects import TenantProjects
from .service import Integrations
from .setup.credential_store import Strongbox
from .setup.planner import Planner
from .setup.verifier import Verifier
from .sign_in.integration_client import OwnClients
from .sign_in.one_click import OneClick
from .sign_in.pending import PendingSignIns
from .sign_in.third_party import ThirdPartySignIn
from .tenant_removal import TenantRemoval


@dataclass(frozen=True, kw_only=True)
class Services:
    """What is done for tenants: one object for each thing that they have."""

    integrations: Integrations
    connections: TenantConnections
    projects: TenantProjects
    flows: TenantFlows
    mcp: TenantMcp
    health: Health
    one_click: OneClick
    third_party: ThirdPartySignIn
    strongbox: Strongbox
    tenant_removal: TenantRemoval


def services(
    settings: Settings,
    database: Database,
    host: Host,
    *,
    clock: Clock,
    audit: Audit,
    oauth_clients: OAuthClients,
    grants: Grants,
    let_go: Callable[[], None],
    make_client: MakeClient | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Services:
    """The services of an app.

    ``let_go`` makes the host's session give back its database connection; ``make_client`` and ``sleep`` are for
    tests.
    """
    strongbox = Strongbox(settings.secret_keys)
    gateways = Gateways(settings, database, strongbox, let_go=let_go, make_client=make_client)
    integrations = Integrations(
        database,
        host,
        gateways,
        Planner(Verifier(settings, gateways), strongbox),
        strongbox,
        oauth_clients=oauth_clients,
        audit=audit,
    )
    leases = Leases(database, clock=clock, timeout=settings.timeout, sleep=sleep)
    journal = Journal(database, audit=audit, grants=grants)
    connections = TenantConnections(settings, host, gateways, leases, journal)
    own_clients = OwnClients(strongbox, oauth_clients=oauth_clients)
    return Services(
        integrations=integrations,
        connections=connections,
        projects=TenantProjects(gateways),
        flows=TenantFlows(gateways),
        mcp=TenantMcp(database, host, gateways, audit=audit),
        health=Health(settings, database, host, gateways, connections, audit=audit),
        one_click=OneClick(
            settings, database, host, gateways, connections, own_clients, grants, clock=clock
        ),
        third_party=ThirdPartySignIn(
            settings,
            gateways,
            integrations,
            connections,
            PendingSignIns(settings.secret_keys, leases),
        ),
        strongbox=strongbox,
        tenant_removal=TenantRemoval(
            database, integrations, oauth_clients=oauth_clients, grants=grants
        ),
    )
