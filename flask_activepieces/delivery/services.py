"""The services of one app that deliver its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import scoped_session

from ..api_client.webhook_calls import WebhookCalls
from ..clock import Clock
from ..config.settings import Settings
from ..crypto.keyring import Encryptor
from ..pieces.declarations import Trigger
from ..storage.audit import Audit
from ..storage.database import Database
from .deliverer import Deliverer
from .dispatcher import Dispatcher, Lease
from .log import DeliveryLog
from .outbox import Outbox
from .polling import Polling
from .receiving import Receivers
from .sender import Sender
from .subscriptions.service import Subscriptions
from .webhook_urls import WebhookServers
from .worker import THREADS, Worker


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The services, from the outbox in the host's transaction to the log."""

    outbox: Outbox
    subscriptions: Subscriptions
    dispatcher: Dispatcher
    deliverer: Deliverer
    log: DeliveryLog
    polling: Polling

    def worker(self, *, threads: int = THREADS) -> Worker:
        """A worker of this app."""
        return Worker(self.dispatcher, self.deliverer, threads=threads)


def build_delivery(
    settings: Settings,
    database: Database,
    session: scoped_session[Any],
    *,
    clock: Clock,
    audit: Audit,
    triggers: Callable[[], Mapping[str, Trigger]],
    is_active: Callable[[str, str], bool],
    dumps: Callable[[Any], str],
) -> Delivery:
    """The services of one app. ``is_active``: whether a user may still use a tenant; ``dumps``: see `Outbox`."""
    servers = WebhookServers(configured=settings.base_url, allowed=settings.allowed_base_urls)
    encryptor = Encryptor(settings.secret_keys, "webhook secret")
    lease = Lease(settings.delivery_lease)
    dispatcher = Dispatcher(database, clock=clock, lease=lease, per_server=settings.deliveries_per_server)
    receivers = Receivers(servers, is_active=is_active)
    deliverer = Deliverer(
        database=database,
        dispatcher=dispatcher,
        receivers=receivers,
        sender=Sender(WebhookCalls(), timeout=lease.timeout, clock=clock),
        encryptor=encryptor,
        clock=clock,
        audit=audit,
        triggers=triggers,
    )
    subscriptions = Subscriptions(database, servers, encryptor, clock=clock, audit=audit)
    return Delivery(
        outbox=Outbox(database, session, clock=clock, dumps=dumps),
        subscriptions=subscriptions,
        dispatcher=dispatcher,
        deliverer=deliverer,
        log=DeliveryLog(database, clock=clock, audit=audit),
        polling=Polling(database, dispatcher, subscriptions, receivers, clock=clock),
    )
