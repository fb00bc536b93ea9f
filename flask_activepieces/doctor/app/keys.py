"""The secret keys: their strength, their age, and what they encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Table, select

from ...clock import format_for_people
from ...config.parsers import weakness
from ...config.settings import MAKE_A_KEY
from ...crypto.keyring import Encryptor
from ...integrations.credentials import PURPOSE
from ...state import State
from ...storage.event_tables import subscriptions
from ...storage.tables import integrations
from ..findings import Findings, Kind

WEAK = Kind("key-weak", "warning", "Whoever guesses it can issue access tokens, and read the credentials of tenants.")
OLD = Kind(
    "key-old", "warning", "The longer a key is used, the more copies of it exist, and the more a leak reveals."
)
NOT_NEWEST = Kind(
    "keys-reencrypt", "warning", "The older key cannot be removed as long as credentials are encrypted with it."
)
UNREADABLE = Kind(
    "secrets-unreadable", "error", "These integrations cannot call Activepieces, and these flows get no events."
)
_DAY = 86_400
#: What `build_delivery` encrypts the secrets of subscriptions for.
_WEBHOOKS = "webhook secret"
#: A year, as NIST SP 800-57 recommends at most two for keys like these.
MAX_AGE = 365 * _DAY


@dataclass(frozen=True, kw_only=True)
class _Ciphertext:
    """A stored secret: whose, and with which key it was encrypted; None: with no current one."""

    owner: str
    tenant_id: str
    key: tuple[int, int] | None
    is_credential: bool


def check_key_strength(state: State) -> Findings:
    """No key can be guessed. With a public URL for others, weak keys are refused at the start."""
    for number, reason in state.settings.secret_keys.problems(weakness):
        yield WEAK.found(f"Secret key {number} can be guessed, because {reason}.", f"{_capitalized(MAKE_A_KEY)}.")


def check_stored_secrets(state: State, tenant_id: str | None) -> Findings:
    """What is encrypted can be decrypted, with the newest key, which is not too old."""
    stored = _ciphertexts(state, tenant_id)
    for each in stored:
        if each.key is None:
            yield UNREADABLE.found(
                f"The secret of {each.owner} cannot be decrypted with the configured secret keys.",
                "Restore the old key in ACTIVEPIECES_SECRET_KEYS, or set the integration up again; a flow has to be"
                " disabled and enabled again.",
                tenant_id=each.tenant_id,
            )
    by_older_key = [each.owner for each in stored if each.is_credential and each.key is not None and each.key[0] > 0]
    if by_older_key:
        yield NOT_NEWEST.found(
            f"Not encrypted with the newest secret key: {', '.join(by_older_key)}.",
            "Run flask activepieces keys reencrypt.",
        )
    since = min((each.key[1] for each in stored if each.key is not None and each.key[0] == 0), default=None)
    if since is not None and state.now() - since > MAX_AGE:
        yield OLD.found(
            f"The newest secret key has been in use since {format_for_people(since)}, or longer.",
            "Rotate it: flask activepieces keys rotate explains how.",
        )


def _ciphertexts(state: State, tenant_id: str | None) -> Sequence[_Ciphertext]:
    credentials = Encryptor(state.settings.secret_keys, PURPOSE)
    webhooks = Encryptor(state.settings.secret_keys, _WEBHOOKS)
    sources = [
        (integrations, integrations.c.encrypted_credentials, credentials, "integration"),
        (integrations, integrations.c.encrypted_client_secret, credentials, "integration"),
        (subscriptions, subscriptions.c.encrypted_secret, webhooks, "subscription"),
    ]
    return [
        _Ciphertext(
            owner=f"{noun} {row.id}",
            tenant_id=row.tenant_id,
            key=encryptor.key_of(row.secret, context=row.id),
            is_credential=encryptor is credentials,
        )
        for table, column, encryptor, noun in sources
        for row in _secrets(state, table, column, tenant_id)
    ]


def _secrets(state: State, table: Table, column: Column[str], tenant_id: str | None) -> Sequence[Row[Any]]:
    statement = select(table.c.id, table.c.tenant_id, column.label("secret")).where(column.is_not(None))
    if tenant_id is not None:
        statement = statement.where(table.c.tenant_id == tenant_id)
    return state.database.read(lambda conn: conn.execute(statement).all())


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
