"""`OAuthClients`: registers, finds, changes and deletes OAuth clients."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import bindparam, delete, insert, literal_column, select, update

from ...clock import Clock
from ...config.scopes import Scope
from ...crypto.keyring import constant_time_equal, sha256_hex
from ...errors import InvalidInput, NotFound
from ...host.ids import checked_id
from ...messages import Message
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import ConcurrentUpdate, Database, Transaction
from .. import revocations
from ..tokens import families
from ..transactions import in_own_transaction
from . import client as stored
from .client import DOCUMENT, SECRET_PREFIX, OAuthClient, client_from_row
from .registration import Registration, row_values

_table = tables.oauth_clients


def new_secret() -> str:
    """A new secret of 256 random bits. It cannot be guessed, so a fast hash is sufficient to store it."""
    return SECRET_PREFIX + secrets.token_hex(32)


@dataclass(frozen=True)
class NewCredentials:
    """The id and the secret of a new client, made before the transaction, which may run twice.

    If the response to a COMMIT is lost, the second run finds by the id that the first run has registered the client.
    """

    client_id: str = field(default_factory=lambda: secrets.token_hex(16))
    secret: str = field(default_factory=new_secret, repr=False)


class OAuthClients:
    """The OAuth clients of one app.

    A method with the suffix ``_in`` is a part of the caller's transaction; other methods have their own transaction.
    ``integration_id`` is the integration that calls: only it may change the client that was created for it.
    ``user_id`` is the user who does it; None for operators, and for programs that manage their own registration.
    """

    def __init__(self, database: Database, *, clock: Clock, audit: Audit, known_scopes: Mapping[str, Scope]) -> None:
        self.database = database
        self._clock = clock
        self._audit = audit
        self._known_scopes = known_scopes

    def find_by_id(self, client_id: str) -> OAuthClient | None:
        """The client with this id, of any tenant: for operators."""
        return self.database.read(lambda conn: stored.find_by_id(conn, client_id))

    def find_requested(self, identifier: str) -> OAuthClient | None:
        """The client that a request names, of any tenant."""
        return self.database.read(lambda conn: stored.find_requested(conn, identifier))

    def get_for_tenant(self, client_id: str, *, tenant_id: str) -> OAuthClient:
        """The tenant's client; `NotFound` for any other, including global clients."""
        tenant = checked_id("tenant_id", tenant_id)
        client = self.find_by_id(client_id)
        if client is None or client.tenant_id != tenant:
            raise NotFound("OAuth client", client_id)
        return client

    def list_for_tenant(self, tenant_id: str) -> list[OAuthClient]:
        """The tenant's clients, by name."""
        return self.database.read(lambda conn: stored.list_for_tenant(conn, tenant_id))

    def names_of(self, client_ids: Sequence[str]) -> Mapping[str, str]:
        """The names of these clients, of any tenant, by id; without those that were deleted."""
        return self.database.read(lambda conn: stored.names_of(conn, client_ids))

    def list_all(self) -> list[OAuthClient]:
        """All clients, global clients first: for operators."""
        tenant = _table.c.tenant_id
        statement = select(_table).order_by(tenant.is_not(None), tenant, _table.c.name)
        rows = self.database.read(lambda conn: conn.execute(statement).all())
        return [client_from_row(row._asdict()) for row in rows]

    def register(self, registration: Registration, *, user_id: str | None = None) -> tuple[OAuthClient, str | None]:
        """The new client, and its secret unless it is public; `InvalidInput` if the registration is invalid."""
        credentials = NewCredentials()
        return self.database.run_in_transaction(
            lambda transaction: self.register_in(transaction, registration, credentials, user_id=user_id)
        )

    def register_in(
        self,
        transaction: Transaction,
        registration: Registration,
        credentials: NewCredentials,
        *,
        integration_id: str | None = None,
        user_id: str | None = None,
    ) -> tuple[OAuthClient, str | None]:
        """Like `register`, with credentials that were made before the transaction."""
        registration.validate(self._known_scopes)
        now = int(self._clock())
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
        client = client_from_row(values)
        event = _event("client.created", client, now, user_id)
        registered = stored.find_by_id(transaction.conn, client.client_id)
        if registered is not None:
            self._audit.notify_after_commit(transaction, event)
            return registered, secret
        transaction.execute(insert(_table), values)
        self._audit.record(transaction, event)
        return client, secret

    def update_in(
        self,
        transaction: Transaction,
        client: OAuthClient,
        registration: Registration,
        *,
        integration_id: str | None = None,
        expected_version: str | None = None,
        user_id: str | None = None,
    ) -> OAuthClient:
        """The client with its new registration; it stays public or confidential, and in its tenant.

        `NotFound` if it was deleted meanwhile. With ``expected_version``, nothing changes unless that is the client's
        ``registration_version``.
        """
        _check_not_managed(client, integration_id)
        _check_not_described(client)
        if expected_version is not None:
            client = self._locked(transaction, client)
        fixed = replace(registration, public=not client.is_confidential, tenant_id=client.tenant_id)
        fixed.validate(self._known_scopes)
        before, after = row_values(client.registration()), row_values(fixed)
        # Only the differences, so that another admin's change at the same time is kept.
        changed = {name: value for name, value in after.items() if value != before[name]}
        if changed:
            if expected_version not in (None, client.registration_version):
                raise InvalidInput({"version": _CHANGED_BEFORE})
            self._update_row(transaction, client, changed)
            self._record(transaction, "client.updated", client, user_id)
        return client_from_row(vars(client) | after)

    update = in_own_transaction(update_in)

    def rotate_secret(
        self,
        client: OAuthClient,
        *,
        keep_old: bool = True,
        expected_version: str | None = None,
        user_id: str | None = None,
    ) -> str:
        """The client's new secret. The old one stays valid until the next rotation, if it is kept.

        With ``expected_version``, nothing changes unless that is the client's ``secret_version``.
        """
        secret = new_secret()
        self._rotate_secret(client, secret, keep_old=keep_old, expected_version=expected_version, user_id=user_id)
        return secret

    def rotate_secret_in(
        self,
        transaction: Transaction,
        client: OAuthClient,
        secret: str,
        *,
        keep_old: bool = True,
        expected_version: str | None = None,
        integration_id: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Like `rotate_secret`, with a `new_secret` that was made before the transaction."""
        _check_not_managed(client, integration_id)
        if not client.has_secret:
            raise InvalidInput({"client_id": Message("A public client has no secret to rotate.")})
        event = _event("client.secret_rotated", client, int(self._clock()), user_id)
        current = stored.find_by_id(transaction.conn, client.client_id)
        if current is None:
            raise NotFound("OAuth client", client.client_id)
        if current.secret_hash == sha256_hex(secret):  # by an earlier run of this transaction
            self._audit.notify_after_commit(transaction, event)
            return
        if expected_version is not None and not constant_time_equal(expected_version, current.secret_version):
            raise InvalidInput({"secret_version": _ROTATED_BEFORE})
        statement = update(_table).where(
            _table.c.client_id == client.client_id, _table.c.secret_hash == current.secret_hash
        )
        values = {
            "secret_hash": sha256_hex(secret),
            "previous_secret_hash": current.secret_hash if keep_old else None,
        }
        if not transaction.execute_rowcount(statement.values(values)):
            raise ConcurrentUpdate
        self._audit.record(transaction, event)

    _rotate_secret = in_own_transaction(rotate_secret_in)

    def set_enabled_in(
        self,
        transaction: Transaction,
        client: OAuthClient,
        enabled: bool,
        *,
        integration_id: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Suspend or resume the client. A suspended client gets no tokens, and keeps its grants."""
        _check_not_managed(client, integration_id)
        if enabled == (client.disabled_at is None):
            return
        self._update_row(transaction, client, {"disabled_at": None if enabled else int(self._clock())})
        self._record(transaction, "client.enabled" if enabled else "client.disabled", client, user_id)

    set_enabled = in_own_transaction(set_enabled_in)

    def delete_in(self, transaction: Transaction, client: OAuthClient, *, user_id: str | None = None) -> None:
        """Delete the client with its grants and revoke its tokens; `NotFound` if it was deleted before."""
        now = int(self._clock())
        # Its row first: the deletion waits for any approval that has locked it (see `Grants.approve`).
        removal = delete(_table).where(_table.c.client_id == client.client_id)
        if not transaction.execute_rowcount(removal):
            raise NotFound("OAuth client", client.client_id)
        of_client = tables.grants.c.client_id == client.client_id
        revoked = [revocations.client(client.client_id)]
        if client.source == DOCUMENT:
            # It returns with the same id when a user approves it again.
            revoked = [
                revocations.grant(each)
                for each in transaction.conn.scalars(select(tables.grants.c.id).where(of_client))
            ]
        transaction.execute(delete(tables.grants).where(of_client))
        families.revoke_where(transaction, families.table.c.client_id == client.client_id, now=now)
        revocations.add(transaction, *revoked, now=now)
        self._record(transaction, "client.deleted", client, user_id)

    delete = in_own_transaction(delete_in)

    def _locked(self, transaction: Transaction, client: OAuthClient) -> OAuthClient:
        """The client as it is now, which no one else changes before the end of the transaction."""
        statement = select(_table).where(_table.c.client_id == client.client_id).with_for_update()
        row = transaction.conn.execute(statement).one_or_none()
        if row is None:
            raise NotFound("OAuth client", client.client_id)
        return client_from_row(row._asdict())

    def _record(self, transaction: Transaction, name: str, client: OAuthClient, user_id: str | None) -> None:
        self._audit.record(transaction, _event(name, client, int(self._clock()), user_id))

    def _update_row(self, transaction: Transaction, client: OAuthClient, values: Mapping[str, object]) -> None:
        statement = update(_table).where(_table.c.client_id == client.client_id).values(values)
        if not transaction.execute_rowcount(statement):
            raise NotFound("OAuth client", client.client_id)


#: A second click would invalidate the secret in use, and no one would have seen the secret of the first click.
_ROTATED_BEFORE = Message(
    "Nothing was changed: the secret was rotated since you opened this page."
    " If no one has copied the new secret, rotate again; the secret in use until now then stops working."
)
_CHANGED_BEFORE = Message(
    "Someone else has changed this client since you opened this page. Compare, and save again to replace the change."
)


def _event(name: str, client: OAuthClient, now: int, user_id: str | None) -> Event:
    return Event(
        name=name,
        at=now,
        tenant_id=client.tenant_id,
        user_id=user_id,
        client_id=client.client_id,
        detail={"client": client.name},
    )


def _check_not_managed(client: OAuthClient, integration_id: str | None) -> None:
    # Flow authors can read the secret of such a client, so its permissions must not be extended.
    if client.integration_id != integration_id:
        raise InvalidInput(
            {
                "client_id": Message(
                    "This client is managed by an integration. You can only delete it,"
                    " and the integration then creates another."
                )
            }
        )


def _check_not_described(client: OAuthClient) -> None:
    if client.source == DOCUMENT:
        message = Message("This client is described by its document. You can suspend or delete it.")
        raise InvalidInput({"client_id": message})


def count_token(database: Database, client_id: str, *, now: int) -> bool:
    """Count an access token of the client-credentials grant; False if the client was deleted."""
    return database.write(_COUNT_TOKEN, {"this": client_id, "now": now}) == 1


_COUNT_TOKEN = (
    update(_table)
    .where(_table.c.client_id == bindparam("this"))
    .values(tokens_issued=_table.c.tokens_issued + literal_column("1"), last_issued_at=bindparam("now"))
)
