"""Blinker signals: each is sent after the commit of what it reports, with the app as sender and an ``event``.

    from flask_activepieces import signals

    @signals.grant_revoked.connect_via(app)
    def notify_user(app, event): ...

An error in a listener is logged, and does not affect the response.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

client_created = _signals.signal("client.created", "A client was registered.")
client_enabled = _signals.signal("client.enabled", "A suspended client gets tokens again.")
client_disabled = _signals.signal("client.disabled", "A client was suspended.")
client_updated = _signals.signal("client.updated", "A client's registration was changed.")
client_secret_rotated = _signals.signal("client.secret_rotated", "A client got a new secret.")
client_deleted = _signals.signal("client.deleted", "A client was deleted, with its grants and tokens.")
client_policy_changed = _signals.signal("client_policy.changed", "An admin decided which clients users may approve.")
grant_approved = _signals.signal("grant.approved", "A user approved a client for a workspace.")
grant_denied = _signals.signal("grant.denied", "A user denied a client.")
grant_revoked = _signals.signal("grant.revoked", "A grant was revoked.")
token_issued = _signals.signal("token.issued", "Tokens were issued for a code or for client credentials.")
token_refreshed = _signals.signal("token.refreshed", "A refresh token was exchanged for its successor.")
token_revoked = _signals.signal("token.revoked", "A client revoked a token (RFC 7009).")
code_replayed = _signals.signal("code.replayed", "A code was used twice; its tokens were revoked.")
refresh_replayed = _signals.signal("refresh.replayed", "A refresh token was reused; its family was revoked.")
integration_created = _signals.signal("integration.created", "A tenant was linked to an Activepieces project.")
integration_updated = _signals.signal("integration.updated", "The project or server of an integration was changed.")
integration_key_rotated = _signals.signal(
    "integration.key_rotated", "The key, token or password of an integration was changed."
)
integration_enabled = _signals.signal("integration.enabled", "An integration was enabled.")
integration_disabled = _signals.signal("integration.disabled", "An integration was disabled.")
integration_removed = _signals.signal("integration.removed", "An integration was removed.")
connection_saved = _signals.signal("connection.saved", "A connection was created or changed.")
connection_replaced = _signals.signal("connection.replaced", "The flows of a connection were moved to another one.")
connection_deleted = _signals.signal("connection.deleted", "A connection was deleted.")
connection_failed = _signals.signal("connection.failed", "A check found a broken connection.")
flow_enabled = _signals.signal("flow.enabled", "A flow was enabled.")
flow_disabled = _signals.signal("flow.disabled", "A flow was disabled.")
flow_run_retried = _signals.signal("flow_run.retried", "A run of a flow was started again.")
piece_installed = _signals.signal("piece.installed", "The app's piece was installed at a tenant's Activepieces.")
user_provisioned = _signals.signal("user.provisioned", "A user got access to the embedded builder.")
user_deprovisioned = _signals.signal("user.deprovisioned", "A user was removed from a project of Activepieces.")
mcp_changed = _signals.signal("mcp.changed", "A project's MCP server, or its tools, were enabled or disabled.")
mcp_token_rotated = _signals.signal("mcp.token_rotated", "A project's MCP server got a new token.")
agent_step_changed = _signals.signal("agent_step.changed", "The app's MCP endpoint was added to an agent step.")
personal_token_created = _signals.signal("personal_token.created", "A user created a personal access token.")
personal_token_revoked = _signals.signal("personal_token.revoked", "A user revoked a personal access token.")
subscription_created = _signals.signal("subscription.created", "A flow subscribed to a trigger.")
subscription_paused = _signals.signal("subscription.paused", "A subscription gets no events for now.")
subscription_resumed = _signals.signal("subscription.resumed", "A paused subscription gets events again.")
subscription_removed = _signals.signal("subscription.removed", "A subscription ended.")
delivery_replayed = _signals.signal("delivery.replayed", "Events were sent to flows again.")
tool_called = _signals.signal("tool.called", "An agent called a tool.")

BY_NAME = dict(_signals)

#: Sent after each attempt to deliver an event, and not stored: for counters.
delivery_attempted = _signals.signal("delivery.attempted", "An event was sent to a flow, or could not be sent.")
