"""Which MCP clients the users of a tenant may approve: all, those of listed hosts, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, select

from ...errors import InvalidInput
from ...host.ids import checked_ids
from ...messages import Message
from ...storage import tables
from ...storage.database import Transaction
from ...storage.dialects import insert_ignore
from .client import OAuthClient

Mode = Literal["all", "listed", "none"]
MODES: tuple[Mode, ...] = get_args(Mode)
MAX_HOSTS = 100

#: A host name, an address, or the scheme of an app on the user's device.
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.:+-]{0,251}[a-z0-9])?")

table = tables.client_policies


@dataclass(frozen=True, kw_only=True)
class ClientPolicy:
    """The decision of a tenant's admin."""

    mode: Mode = "all"
    #: Only with the mode "listed".
    hosts: tuple[str, ...] = ()

    def allows(self, client: OAuthClient) -> bool:
        """Whether users of the tenant may approve this client. Always true if an operator or admin registered it."""
        return not client.is_self_registered or self.allows_hosts(client.hosts)

    def allows_hosts(self, hosts: Iterable[str]) -> bool:
        """Whether users may approve a client with these hosts."""
        return self.mode == "all" or (self.mode == "listed" and set(hosts) <= set(self.hosts))


DEFAULT = ClientPolicy()


def checked_policy(mode: str, hosts: Iterable[str]) -> ClientPolicy:
    """The policy; `InvalidInput` if it is invalid."""
    known: dict[str, Mode] = {each: each for each in MODES}
    names = tuple(dict.fromkeys(host.strip().lower() for host in hosts))
    problems: dict[str, Message] = {}
    if mode not in known:
        problems["mode"] = Message("Must be one of: %(modes)s.", modes=", ".join(MODES))
    elif (mode == "listed") != bool(names):
        problems["hosts"] = (
            Message("List at least one host, or allow none.")
            if mode == "listed"
            else Message("Hosts are only for the mode listed.")
        )
    if len(names) > MAX_HOSTS:
        problems["hosts"] = Message("At most %(most)d hosts.", most=MAX_HOSTS)
    invalid = next((name for name in names if not _HOST.fullmatch(name)), None)
    if invalid is not None:
        problems["hosts"] = Message("%(host)r is not a host name, such as claude.ai.", host=invalid[:80])
    if problems:
        raise InvalidInput(problems)
    return ClientPolicy(mode=known[mode], hosts=names)


def find_policies(conn: Connection, tenant_ids: Sequence[str]) -> dict[str, ClientPolicy]:
    """The policy of each tenant."""
    rows = conn.execute(select(table).where(table.c.tenant_id.in_(checked_ids("tenant_ids", tenant_ids))))
    stored = {row.tenant_id: _from_row(row) for row in rows}
    return {tenant_id: stored.get(tenant_id, DEFAULT) for tenant_id in tenant_ids}


def lock_policy(transaction: Transaction, tenant_id: str, *, now: int) -> ClientPolicy:
    """The policy of the tenant. It cannot be changed until the end of the transaction."""
    # Make sure that there is a row to lock.
    default = {"tenant_id": tenant_id, "mode": DEFAULT.mode, "hosts": "", "updated_at": now}
    transaction.execute(insert_ignore(table, transaction.dialect), default)
    statement = select(table).where(table.c.tenant_id == tenant_id).with_for_update(read=True)
    return _from_row(transaction.execute(statement).one())


def _from_row(row: Any) -> ClientPolicy:
    return ClientPolicy(mode=row.mode, hosts=tuple(row.hosts.split()))
