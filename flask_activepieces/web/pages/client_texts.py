"""What pages say of an OAuth client."""

from __future__ import annotations

from ...oauth.clients.client import OAuthClient
from .i18n import gettext


def description_of(client: OAuthClient) -> str:
    """Its description: as it was entered; if it belongs to an integration, ours in the reader's language."""
    return client.description if client.integration_id is None else gettext(client.description)
