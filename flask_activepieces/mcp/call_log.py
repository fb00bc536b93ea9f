"""Which tools were called: who by, with which client, how it ended, when and how often. Never what was sent.

Equal calls within an hour are one row with a count, so that a busy agent does not fill the table.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Literal

from ..clock import Clock
from ..crypto.keyring import sha256_hex
from ..errors import Unavailable
from ..oauth.tokens.access_tokens import AccessToken
from ..storage.audit import Audit, Event
from ..storage.database import Database
from ..storage.dialects import upsert_counting
from ..storage.tables import tool_calls

log = logging.getLogger(__name__)

#: ``rejected``: the app refused the input, or what it names; ``denied``: the token lacks a scope.
Outcome = Literal["succeeded", "rejected", "failed", "denied"]

SECONDS_OF_A_ROW = 3600


@dataclass(frozen=True)
class CallLog:
    """Records the tool calls of one app."""

    database: Database
    audit: Audit
    clock: Clock

    def record(self, token: AccessToken, tool: str, outcome: Outcome) -> None:
        """Count the call, and send its signal."""
        now = int(self.clock())
        caller = (token.tenant_id, token.organization_id, token.user_id, token.client_id, token.personal_token_id)
        begins_at = now - now % SECONDS_OF_A_ROW
        row = {
            "id": sha256_hex(json.dumps([*caller, tool, outcome, begins_at])),
            "tenant_id": token.tenant_id,
            "organization_id": token.organization_id,
            "user_id": token.user_id,
            "client_id": token.client_id or None,
            "personal_token_id": token.personal_token_id,
            "tool": tool,
            "outcome": outcome,
            "count": 1,
            "first_at": now,
            "last_at": now,
        }
        try:
            self.database.write(upsert_counting(tool_calls, self.database.dialect, "count", ("last_at",)), row)
        except Unavailable:
            # What the tool did is done, and its result is what the agent must learn.
            log.warning("A call of the tool %s was not recorded, because the database is unavailable.", tool)
        self.audit.notify(
            Event(
                name="tool.called",
                at=now,
                tenant_id=token.tenant_id,
                user_id=token.user_id,
                client_id=token.client_id or None,
                grant_id=token.grant_id,
                family_id=token.family_id,
                detail={"tool": tool, "outcome": outcome},
            )
        )
