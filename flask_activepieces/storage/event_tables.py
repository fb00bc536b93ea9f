"""The tables for the app's events and their delivery to flows.

Events are written in the host's own transactions. A worker distributes them: one delivery for each subscription. What
is due is found by the subscriptions, so that the number of waiting deliveries does not matter.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from .tables import HOST_ID, ID, LONG_TEXT, SERIAL, TABLE_PREFIX, TIME, binary, metadata

#: What happened in the app, in the order of the rows.
events = Table(
    TABLE_PREFIX + "events",
    metadata,
    Column("id", SERIAL, primary_key=True),
    # The id that receivers see: the same in each attempt and replay, so that they can recognize a repetition.
    Column("uid", ID, nullable=False, unique=True),
    Column("tenant_id", HOST_ID, nullable=False),
    # Empty: an event of the tenant as a whole.
    Column("organization_id", HOST_ID, nullable=False),
    # NULL: for the subscriptions of all users.
    Column("user_id", HOST_ID),
    Column("trigger_name", binary(64), nullable=False),
    # The payload as JSON, with the fields that only some scopes allow.
    Column("payload", LONG_TEXT, nullable=False),
    Column("created_at", TIME, nullable=False, index=True),
    # 1 until it is distributed, then NULL.
    Column("pending", Integer),
    # The oldest that wait are found without a look at the others, however many there are.
    Index(None, "pending", "id"),
)

#: The flows that an event starts: a URL of Activepieces, or NULL for a flow that asks for new events itself.
subscriptions = Table(
    TABLE_PREFIX + "subscriptions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", HOST_ID, nullable=False),
    Column("organization_id", HOST_ID, nullable=False),
    # Whose token subscribed; a program without a user has a client only, a personal access token no client.
    Column("user_id", HOST_ID),
    Column("client_id", ID),
    Column("grant_id", ID),
    # Also the token of a sign-in, which outlives its expiry as long as a subscription has it.
    Column("personal_token_id", ID),
    # The integration whose server the URL is on; NULL: the app's own server, for a tenant without an integration.
    Column("integration_id", ID),
    Column("trigger_name", binary(64), nullable=False),
    Column("webhook_url", Text),
    # SHA-256 of tenant, trigger and URL: subscribing again changes the row.
    Column("target_hash", binary(64), nullable=False, unique=True),
    # The origin of the server, which gets only so many requests at once.
    Column("server", binary(255), nullable=False),
    # A JSON object: the fields of the form.
    Column("inputs", Text, nullable=False),
    # The scopes of the token, which decide what the payload contains.
    Column("scope", Text, nullable=False),
    Column("encrypted_secret", Text, nullable=False),
    # ``active`` or ``paused``; a removed subscription has no row.
    Column("state", String(10), nullable=False),
    Column("state_reason", String(100)),
    Column("created_at", TIME, nullable=False),
    # When the flow subscribed last; or asked for events, to the hour.
    Column("renewed_at", TIME, nullable=False),
    # When there is something to deliver; NULL: nothing waits.
    Column("due_at", TIME, index=True),
    # Until when a worker has it, and which.
    Column("lease_until", TIME, nullable=False, index=True),
    Column("holder", ID),
    # How many requests that worker may send at the same time.
    Column("max_requests", Integer, nullable=False),
    # How often in a row its server could not be reached.
    Column("failures", Integer, nullable=False),
    Index(None, "tenant_id", "trigger_name"),
)

#: One event for one subscription: the queue, and the log once it is done.
deliveries = Table(
    TABLE_PREFIX + "deliveries",
    metadata,
    # In the order of the distribution, which is that of the commits.
    Column("id", SERIAL, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("subscription_id", ID, nullable=False),
    Column("tenant_id", HOST_ID, nullable=False),
    # ``pending``, ``delivered``, ``skipped`` (not for these inputs) or ``dead``.
    Column("state", String(10), nullable=False),
    Column("due_at", TIME, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    # What went wrong, in words; never a secret or a URL.
    Column("last_error", String(300)),
    Column("last_ms", Integer),
    Column("last_response", Text),
    # When it began to wait; a replay starts again.
    Column("created_at", TIME, nullable=False, index=True),
    Column("updated_at", TIME, nullable=False),
    UniqueConstraint("event_id", "subscription_id"),
    # In order, and by time: the next of a million is found at once.
    Index(None, "subscription_id", "state", "id"),
    Index(None, "subscription_id", "state", "due_at"),
    Index(None, "tenant_id", "id"),
)


def all_tables() -> list[Table]:
    """Every table of the package, these included."""
    return metadata.sorted_tables
