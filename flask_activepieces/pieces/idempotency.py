"""Calls of actions by idempotency key: a repeated call gets the first response, and does not act again.

A call is claimed before it acts, and its response is stored for a day. A failed call can be repeated. If the worker
is killed during a call, it is unknown whether the call acted, and the key can be used again when the claim expires.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, delete, select, update

from ..clock import Clock
from ..crypto.keyring import random_id, sha256_hex
from ..errors import ActivepiecesError, InvalidInput
from ..storage.database import ConcurrentUpdate, Database, Transaction
from ..storage.dialects import insert_ignore
from ..storage.tables import action_calls

#: As long as the engine of Activepieces lets an action run.
CLAIM_SECONDS = 600
#: Enough, because flows are retried within minutes.
KEEP_SECONDS = 86_400
#: Longer responses are not stored, so repeating such a call acts again.
MAX_ANSWER = 1024 * 1024
MAX_KEY = 255
#: When to retry while the first call is running.
RETRY_SECONDS = 5

_table = action_calls


class CallInProgress(ActivepiecesError):
    """Raised while the first call with this idempotency key is running."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("The first call with this idempotency key is still running.")


@dataclass(frozen=True)
class Call:
    """One call. ``name`` identifies it among all calls; ``fingerprint`` is a hash of its inputs."""

    name: str
    fingerprint: str
    holder: str = field(default_factory=random_id)

    @classmethod
    def of(cls, key: str, *, owner: Sequence[str], fingerprint: str) -> Call:
        """The call with this key. ``owner`` identifies the caller and the action."""
        if not 0 < len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
            raise InvalidInput({"Idempotency-Key": f"Use 1 to {MAX_KEY} printable ASCII characters."})
        return cls(sha256_hex(json.dumps([*owner, key])), fingerprint)


class ActionCalls:
    """The calls of one app's actions."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def claim(self, call: Call) -> str | None:
        """The response of the first such call; None if this call is the first and must act.

        `CallInProgress` while the first call is running, `InvalidInput` if it had other inputs.
        """
        now = int(self._clock())
        row = {
            "name": call.name,
            "fingerprint": call.fingerprint,
            "holder": call.holder,
            "answer": None,
            "claimed_until": now + CLAIM_SECONDS,
            "expires_at": now + KEEP_SECONDS,
        }

        def run(transaction: Transaction) -> str | None:
            claim = insert_ignore(_table, transaction.dialect)
            if transaction.execute_rowcount(claim, row):
                return None
            first = transaction.execute(select(_table).where(_table.c.name == call.name)).one_or_none()
            if first is None:
                raise ConcurrentUpdate  # it has just failed
            if first.holder == call.holder:
                return None  # the commit was not confirmed, and the transaction runs again
            if first.expires_at <= now or (first.answer is None and first.claimed_until <= now):
                is_first = and_(_table.c.name == call.name, _table.c.holder == first.holder)
                transaction.execute(delete(_table).where(is_first))
                if transaction.execute_rowcount(claim, row):
                    return None
                raise ConcurrentUpdate  # another call has just taken it over
            if first.fingerprint != call.fingerprint:
                raise InvalidInput({"Idempotency-Key": "This key was used with other inputs. Use a new one."})
            if first.answer is None:
                raise CallInProgress(min(RETRY_SECONDS, first.claimed_until - now))
            return str(first.answer)

        return self._database.run_in_transaction(run)

    def keep(self, call: Call, answer: str) -> None:
        """Store the response for repeated calls."""
        if len(answer) > MAX_ANSWER:
            self.release(call)
        else:
            self._database.write(update(_table).where(_is_held(call)).values(answer=answer))

    def release(self, call: Call) -> None:
        """Allow the call to be repeated, because it did not act."""
        self._database.write(delete(_table).where(_is_held(call)))


def _is_held(call: Call) -> ColumnElement[bool]:
    return and_(_table.c.name == call.name, _table.c.holder == call.holder)
