"""Everything that this package does for one app, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..audit import Audit
from ..clock import Clock
from ..config import Settings
from ..database import Database
from ..host import Host
from ..oauth.clients import OAuthClients
from ..oauth.grants import Grants
from .authorize import ThirdPartySignIn
from .connect import OneClick
from .connections import TenantConnections
from .flows import TenantFlows
from .gateways import Connect, Gateways
from .health import Health
from .integrations import Integrations
from .journal import Journal
from .leases import Leases
from .mcp import TenantMcp
from .own_client import OwnClients
from .plans import Planner
from .projects import TenantProjects
from .setup import Verifier
from .strongbox import Strongbox


@dataclass(frozen=True, kw_only=True)
class Services:
    """One object for each thing that a tenant has."""

    integrations: Integrations
    connections: TenantConnections
    projects: TenantProjects
    flows: TenantFlows
    mcp: TenantMcp
    health: Health
    one_click: OneClick
    third_party: ThirdPartySignIn
    strongbox: Strongbox


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
    connect: Connect | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Services:
    """The services of an app.

    ``let_go`` makes the host's session give its database connection back; ``connect`` and ``sleep`` are for tests.
    """
    strongbox = Strongbox(settings.secret_keys)
    gateways = Gateways(settings, database, strongbox, let_go=let_go, connect=connect)
    integrations = Integrations(
        database,
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
        third_party=ThirdPartySignIn(settings, gateways, integrations, connections, leases),
        strongbox=strongbox,
    )
