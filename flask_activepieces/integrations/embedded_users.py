"""A user for a tenant that has only a project: the app's signing key vouches for one.

Some calls Activepieces allows to no API key. So each integration on the app's own key may have a user of its own, who
is signed in by the platform's signing key and is a member of the integration's project and of no other: the session
of such a user opens every project that they were ever signed in to.
"""

from __future__ import annotations

from ..api_client.credentials import SignedEmbedding
from ..api_client.errors import CredentialNotSupported
from ..config.settings import Settings
from .store import Integration, project_external_id

#: The least of Activepieces' roles that may write what concerns MCP; it may not invite people.
ROLE = "Editor"
_FIRST_NAME = "Integration"
_BOTH = "ACTIVEPIECES_SIGNING_KEY and ACTIVEPIECES_SIGNING_KEY_ID"


class EmbeddedUsers:
    """The users of one app's integrations."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.signing_key
        self._key_id = settings.signing_key_id

    def of(self, integration: Integration, operation: str) -> SignedEmbedding:
        """The user of an integration with its own project; `CredentialNotSupported` if the app cannot sign."""
        if self._key is None or self._key_id is None:
            raise CredentialNotSupported(
                operation,
                credential="the app's own key",
                detail="Activepieces lets no API key do this",
                remedy=f"Set {_BOTH}, or set this integration up with a user of its own.",
            )
        from ..api_client.embedding_token import EmbeddedUser

        # By this id the project was found, or made, when the integration was set up.
        project = project_external_id(integration.tenant_id, integration.organization_id)
        user = EmbeddedUser(
            external_user_id=f"flask-activepieces-{integration.id}",
            external_project_id=project,
            first_name=_FIRST_NAME,
            last_name=project,
            role=ROLE,
        )
        return SignedEmbedding(self._key, self._key_id, user)
