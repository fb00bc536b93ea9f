"""Blinker signals: each is sent after the commit of what it tells, with the app as sender and an ``event``.

    from flask_activepieces import signals

    @signals.grant_revoked.connect_via(app)
    def tell_the_user(app, event): ...

A listener that fails is logged and changes nothing: it cannot cost a client its answer.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

client_created = _signals.signal("client.created", "A client was registered.")
client_enabled = _signals.signal("client.enabled", "A suspended client gets tokens again.")
client_disabled = _signals.signal("client.disabled", "A client was suspended.")
client_updated = _signals.signal("client.updated", "A client's registration was changed.")
client_secret_rotated = _signals.signal("client.secret_rotated", "A client was given a new secret.")
client_deleted = _signals.signal(
    "client.deleted", "A client was deleted, and all that it had with it."
)
grant_approved = _signals.signal("grant.approved", "A user allowed a client access to a workspace.")
grant_denied = _signals.signal("grant.denied", "A user refused a client.")
grant_revoked = _signals.signal("grant.revoked", "A grant was taken back.")
token_issued = _signals.signal(
    "token.issued", "A code or a client's own credentials bought tokens."
)
token_refreshed = _signals.signal(
    "token.refreshed", "A refresh token was exchanged for its successor."
)
token_revoked = _signals.signal("token.revoked", "A client gave up a token (RFC 7009).")
code_replayed = _signals.signal(
    "code.replayed", "A redeemed code came again; its tokens were revoked."
)
refresh_replayed = _signals.signal(
    "refresh.replayed", "A used or displaced refresh token came again; its family was revoked."
)
integration_created = _signals.signal(
    "integration.created", "A tenant was linked with an Activepieces project."
)
integration_updated = _signals.signal(
    "integration.updated", "An integration got another project or server."
)
integration_key_rotated = _signals.signal(
    "integration.key_rotated", "An integration was given another key, token or password."
)
integration_enabled = _signals.signal("integration.enabled", "An integration was switched on.")
integration_disabled = _signals.signal("integration.disabled", "An integration was switched off.")
integration_removed = _signals.signal("integration.removed", "An integration was removed.")
connection_saved = _signals.signal("connection.saved", "A connection was made or changed.")
connection_replaced = _signals.signal(
    "connection.replaced", "The flows of a connection were given another one."
)
connection_deleted = _signals.signal("connection.deleted", "A connection was deleted.")
connection_failed = _signals.signal(
    "connection.failed", "A check found that a connection stopped working."
)
mcp_changed = _signals.signal(
    "mcp.changed", "Tools of a project's MCP server were switched, or the server itself."
)
mcp_token_rotated = _signals.signal(
    "mcp.token_rotated", "The MCP server of a project was given a new token."
)

BY_NAME = dict(_signals)
