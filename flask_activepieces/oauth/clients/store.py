"""OAuth clients: registering, finding, changing, giving a new secret, deleting; and what Authlib asks of one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    insert,
    literal_column,
    null,
    select,
    update,
)

from ...config.settings import Scope
from ...crypto.keyring import looks_like_id, sha256_hex
from ...errors import InvalidInput, NotFound
from ...host.ids import checked_id
from ...messages import Message
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import ConcurrentUpdate, Database, Transaction
from .. import revocations
from ..tokens import families
from . import redirect_uris as redirects
from .registration import CLIENT_CREDENTIALS, Registration, row_values

_table = tables.oauth_clients

#: So that leaked secrets can be recognised by scanners.
SECRET_PREFIX = "fas_"  # noqa: S105  # a prefix, not a secret

_ALL: Select[Any] = select(_table)


@dataclass(frozen=True, kw_only=True)
class OAuthClient(ClientMixin):
    """A registered client; its secrets are here as hashes, and even those not in its ``repr``."""

    client_id: str
    tenant_id: str | None
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    scope: str
    grant_types: str
    require_pkce: bool
    remember_consent: bool
    introspects: bool
    #: The integration that it was made for: no user meets it, and nobody changes it by hand.
    integration_id: str | None
    created_at: int
    #: By its own credentials, for no user.
    tokens_issued: int
    last_issued_at: int | None
    #: Since when it gets no tokens.
    disabled_at: int | None
    secret_hash: str | None = field(repr=False)
    previous_secret_hash: str | None = field(repr=False)

    @property
    def confidential(self) -> bool:
        """Whether it has a secret (RFC 6749 §2.1)."""
        return self.secret_hash is not None

    @property
    def secret_mark(self) -> str:
        """Tells whether the secret is still the same; says nothing about it, nor about its hash."""
        return sha256_hex(self.secret_hash or "")

    def accepts_redirect(self, uri: str) -> bool:
        """Whether the URI is registered (RFC 9700 §4.1.3)."""
        return redirects.matches(uri, self.redirect_uris, public=not self.confidential)

    def serves(self, tenant_id: str) -> bool:
        """Whether users of this tenant may grant it access."""
        return self.tenant_id is None or self.tenant_id == tenant_id

    def registration(self) -> Registration:
        """What was decided about it so far: the ground for a change."""
        return Registration(
            name=self.name,
            description=self.description,
            redirect_uris=self.redirect_uris,
            scope=self.scope,
            tenant_id=self.tenant_id,
            public=not self.confidential,
            require_pkce=self.require_pkce,
            remember_consent=self.remember_consent,
            client_credentials=self.check_grant_type(CLIENT_CREDENTIALS),
            introspects=self.introspects,
        )

    # What Authlib's grants ask of a client:

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it is registered for this grant."""
        return grant_type in self.grant_types.split()

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id


def new_secret() -> str:
    """256 random bits. Nothing slow is needed to store their hash, and nothing slow to check it."""
    return SECRET_PREFIX + secrets.token_hex(32)


@dataclass(frozen=True)
class NewCredentials:
    """The id and the secret of a client to register, made before the transaction, which may run twice.

    When the answer to a COMMIT is lost, the second run finds by the id that the first one has registered the client.
    """

    client_id: str = field(default_factory=lambda: secrets.token_hex(16))
    secret: str = field(default_factory=new_secret, repr=False)


class OAuthClients:
    """The clients of one app; every look-up by a tenant's admin names the tenant."""

    def __init__(self, *, known_scopes: Mapping[str, Scope], audit: Audit) -> None:
        self._known_scopes = known_scopes
        self._audit = audit

    def register(
        self,
        transaction: Transaction,
        registration: Registration,
        credentials: NewCredentials,
        *,
        now: int,
        integration_id: str | None = None,
    ) -> tuple[OAuthClient, str | None]:
        """The new client, and its secret unless it is public. `InvalidInput` if it cannot be."""
        self._check(registration)
        secret = None if registration.public else credentials.secret
        values = row_values(registration) | {
            "client_id": credentials.client_id,
            "secret_hash": sha256_hex(secret) if secret else None,
            "previous_secret_hash": None,
            "integration_id": integration_id,
            "created_at": now,
            "tokens_issued": 0,
            "last_issued_at": None,
            "disabled_at": None,
        }
        client = client_of(values)
        event = _event("client.created", client, now)
        if find_any(transaction.conn, client.client_id) is None:
            transaction.execute(insert(_table), values)
            self._audit.record(transaction, event)
        else:
            self._audit.notify_after_commit(transaction, event)
        return client, secret

    def change(
        self,
        transaction: Transaction,
        client: OAuthClient,
        registration: Registration,
        *,
        now: int,
        integration_id: str | None = None,
    ) -> OAuthClient:
        """The client with its new registration; it keeps its kind, its tenant and its secrets.

        `NotFound` when it was deleted meanwhile. The client of an integration is changed for that one only.
        """
        _check_whose(client, integration_id)
        fixed = replace(registration, public=not client.confidential, tenant_id=client.tenant_id)
        self._check(fixed)
        before, after = row_values(client.registration()), row_values(fixed)
        # Only what was changed: what another admin changes just now is not undone.
        changed = {name: value for name, value in after.items() if value != before[name]}
        if changed:
            statement = update(_table).where(_table.c.client_id == client.client_id)
            if transaction.execute_rowcount(statement.values(changed)) == 0:
                raise NotFound("OAuth client", client.client_id)
            self._audit.record(transaction, _event("client.updated", client, now))
        return client_of(asdict(client) | after)

    def rotate_secret(
        self,
        transaction: Transaction,
        client: OAuthClient,
        secret: str,
        *,
        now: int,
        keep_old: bool = True,
        in_place_of: str | None = None,
        integration_id: str | None = None,
    ) -> None:
        """Give the client a `new_secret`. The one before it works until the next rotation, unless it must end now.

        The secret is made before the transaction, which may run twice: a client that has it already keeps the one
        before it. With ``in_place_of``, the hash of the secret to replace, it is `ConcurrentUpdate` if it has
        another one by now; without it, `NotFound` when the client was deleted meanwhile. An integration rotates the
        secret of its own client.
        """
        _check_whose(client, integration_id)
        if not client.confidential:
            raise InvalidInput({"client_id": Message("a public client has no secret to rotate")})
        new, event = sha256_hex(secret), _event("client.secret_rotated", client, now)
        current = find_any(transaction.conn, client.client_id)
        if current is not None and current.secret_hash == new:
            self._audit.notify_after_commit(transaction, event)
            return
        # What is the old secret is for the row to say, in case that another admin rotates just now; and it
        # comes first, because MySQL works through the assignments in their order.
        statement = update(_table).where(_table.c.client_id == client.client_id)
        if in_place_of is not None:
            statement = statement.where(_table.c.secret_hash == in_place_of)
        rotated = transaction.execute_rowcount(
            statement.ordered_values(
                (_table.c.previous_secret_hash, _table.c.secret_hash if keep_old else null()),
                (_table.c.secret_hash, new),
            )
        )
        if not rotated:
            raise (
                NotFound("OAuth client", client.client_id)
                if in_place_of is None
                else ConcurrentUpdate
            )
        self._audit.record(transaction, event)

    def set_enabled(
        self,
        transaction: Transaction,
        client: OAuthClient,
        enabled: bool,
        *,
        now: int,
        integration_id: str | None = None,
    ) -> None:
        """Suspend the client, or end that: a suspended client gets no tokens, and keeps its grants."""
        _check_whose(client, integration_id)
        if enabled == (client.disabled_at is None):
            return
        statement = update(_table).where(_table.c.client_id == client.client_id)
        if not transaction.execute_rowcount(statement.values(disabled_at=None if enabled else now)):
            raise NotFound("OAuth client", client.client_id)
        name = "client.enabled" if enabled else "client.disabled"
        self._audit.record(transaction, _event(name, client, now))

    def delete(self, transaction: Transaction, client: OAuthClient, *, now: int) -> None:
        """Delete the client with its grants; every token it has stops working. `NotFound` if it was gone already."""
        # Its row first: its deletion waits for any approval that holds it (see `Grants.allow`).
        removal = delete(_table).where(_table.c.client_id == client.client_id)
        if not transaction.execute_rowcount(removal):
            raise NotFound("OAuth client", client.client_id)
        transaction.execute(
            delete(tables.grants).where(tables.grants.c.client_id == client.client_id)
        )
        families.revoke_for_client(transaction, client.client_id, now=now)
        revocations.add(transaction, revocations.client(client.client_id), now=now)
        self._audit.record(transaction, _event("client.deleted", client, now))

    def _check(self, registration: Registration) -> None:
        problems = registration.problems(self._known_scopes)
        if problems:
            raise InvalidInput(problems)


def _event(name: str, client: OAuthClient, now: int) -> Event:
    return Event(
        name=name,
        at=now,
        tenant_id=client.tenant_id,
        client_id=client.client_id,
        detail={"client": client.name},
    )


def _check_whose(client: OAuthClient, integration_id: str | None) -> None:
    # A flow's author can print the secret of such a client: what it may do is for nobody to widen.
    if client.integration_id != integration_id:
        raise InvalidInput(
            {
                "client_id": Message(
                    "an integration keeps this client by itself; it can only be deleted,"
                    " and the next click makes another"
                )
            }
        )


def count_token(database: Database, client_id: str, *, now: int) -> bool:
    """Count an access token that the client gets by its own credentials; False if the client is gone."""
    return database.write(_COUNT_TOKEN, {"this": client_id, "now": now}) == 1


def find(connection: Connection, client_id: str, *, tenant_id: str) -> OAuthClient:
    """The tenant's own client; `NotFound` for any other, global ones included."""
    tenant = checked_id("tenant_id", tenant_id)
    client = find_any(connection, client_id)
    if client is None or client.tenant_id != tenant:
        raise NotFound("OAuth client", client_id)
    return client


def find_any(connection: Connection, client_id: str) -> OAuthClient | None:
    """The client of any tenant: for the protocol and for operators at the command line."""
    if not looks_like_id(client_id):
        return None
    row = connection.execute(_ALL.where(_table.c.client_id == client_id)).one_or_none()
    return None if row is None else client_of(row._asdict())


def of_tenant(connection: Connection, tenant_id: str) -> list[OAuthClient]:
    """The tenant's own clients, by name."""
    tenant = checked_id("tenant_id", tenant_id)
    statement = _ALL.where(_table.c.tenant_id == tenant).order_by(_table.c.name)
    return [client_of(row._asdict()) for row in connection.execute(statement)]


def of_all_tenants(connection: Connection) -> list[OAuthClient]:
    """Every client, global ones first: for operators at the command line."""
    return [
        client_of(row._asdict())
        for row in connection.execute(
            _ALL.order_by(_table.c.tenant_id.is_not(None), _table.c.tenant_id, _table.c.name)
        )
    ]


def client_of(values: Mapping[str, Any]) -> OAuthClient:
    """The client in a mapping that has all columns of the table, and perhaps more."""
    known = {column: values[column] for column in _FIELDS}
    return OAuthClient(**known | {"redirect_uris": tuple(values["redirect_uris"].split())})


_FIELDS = tuple(column.name for column in fields(OAuthClient))
_COUNT_TOKEN = (
    update(_table)
    .where(_table.c.client_id == bindparam("this"))
    .values(
        tokens_issued=_table.c.tokens_issued + literal_column("1"), last_issued_at=bindparam("now")
    )
)
