"""Which URLs events may be sent to: only webhooks of the tenant's own Activepieces server.

Otherwise, anyone with a token could make the app call any address that it can reach (CWE-918). The URL must be in its
canonical spelling, on the server of an integration of the tenant, or on the app's default server if the tenant has no
integration. It is checked when a flow subscribes and again before each call, because an operator may have removed the
server meanwhile. Host names are not resolved here: the operator trusts the servers that the app is configured with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import Connection, or_, select

from ..api_client.wire import api_root
from ..config.urls import server_url
from ..errors import IntegrationDisabled, InvalidInput
from ..storage import tables

#: The webhook of a flow, of its test, or of its draft.
_WEBHOOK = re.compile(r"/webhooks/[A-Za-z0-9]{1,64}(/test|/draft)?")

_FIELD = "webhookUrl"


class WebhookServers:
    """The servers that may get events of one app. ``configured``: its default; ``allowed``: those that are listed."""

    def __init__(self, *, configured: str, allowed: Sequence[str]) -> None:
        self._configured = configured
        self._allowed = tuple(allowed)

    def check(
        self, conn: Connection, url: str | None, *, tenant_id: str, organization_id: str | None
    ) -> tuple[str, str | None]:
        """The server of the URL, and the id of the tenant's integration on it; `InvalidInput` for any other URL."""
        candidates = self._candidates(conn, tenant_id, organization_id)
        if url is None:
            return "", candidates[0][1] if candidates else None
        for base_url, integration_id, enabled in candidates:
            if _is_webhook_of(url, base_url):
                if not enabled:
                    assert integration_id is not None
                    raise IntegrationDisabled(integration_id, "an administrator disabled it")
                return origin_of(url), integration_id
        if any(_is_webhook_of(url, allowed) for allowed in self._allowed):
            # A server whose public name is not the one that the app calls.
            enabled_ids = [integration_id for _, integration_id, enabled in candidates if enabled]
            if enabled_ids:
                return origin_of(url), enabled_ids[0]
        raise InvalidInput({_FIELD: "This is not a webhook of the Activepieces server of your workspace."})

    def may_be_called(self, url: str, *, integration_server: str | None) -> bool:
        """Whether the app may still call a stored URL: on its integration's server, or on a listed server."""
        server = integration_server or self._configured
        servers = [server, *self._allowed] if self._is_allowed(server) else self._allowed
        return any(_is_webhook_of(url, each) for each in servers)

    def _candidates(
        self, conn: Connection, tenant_id: str, organization_id: str | None
    ) -> list[tuple[str, str | None, bool]]:
        table = tables.integrations
        rows = conn.execute(
            select(table.c.id, table.c.base_url, table.c.enabled)
            .where(
                table.c.tenant_id == tenant_id,
                or_(table.c.organization_id == "", table.c.organization_id == (organization_id or "")),
            )
            # The integration of the organization comes first.
            .order_by(table.c.organization_id.desc())
        ).all()
        if not rows:
            return [(self._configured, None, True)]
        known = [(row.base_url or self._configured, row.id, row.enabled) for row in rows]
        return [each for each in known if self._is_allowed(each[0])]

    def _is_allowed(self, base_url: str) -> bool:
        # Both have the canonical spelling of `server_url`, so prefixes can be compared.
        is_listed = any(f"{base_url}/".startswith(f"{listed}/") for listed in self._allowed)
        return base_url == self._configured or is_listed


def origin_of(url: str) -> str:
    """Scheme and authority (RFC 6454 §4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_webhook_of(url: str, base_url: str) -> bool:
    try:
        spelled = server_url(url)
    except ValueError:
        return False
    root = server_url(api_root(base_url))
    # Only the canonical spelling: an escape, dot segment, user name or unusual address could mean another server.
    return spelled == url and url.startswith(f"{root}/") and _WEBHOOK.fullmatch(url[len(root) :]) is not None
