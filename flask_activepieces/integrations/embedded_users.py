"""A signed user for an integration on the app's own key.

Activepieces allows some calls to users only. So each such integration has its own user, whom the platform's signing
key signs in, and who is a member of the integration's project only: the session of such a user covers all projects
that they were ever signed in to.
"""

from __future__ import annotations

import logging

from ..api_client.credentials import SignedEmbedding
from ..api_client.embedding_token import EmbeddedUser
from ..api_client.errors import CredentialNotSupported
from ..config.settings import Settings
from .store import Integration, project_external_id

log = logging.getLogger(__name__)

#: The least of Activepieces' roles that may manage MCP; it cannot invite people.
ROLE = "Editor"


def signed_user(settings: Settings, integration: Integration, operation: str) -> SignedEmbedding:
    """The user of an integration with its own project; `CredentialNotSupported` if the app cannot sign."""
    if settings.signing_key is None or settings.signing_key_id is None:
        log.warning("ACTIVEPIECES_SIGNING_KEY or ACTIVEPIECES_SIGNING_KEY_ID is not set")
        raise CredentialNotSupported(
            operation,
            credential="the app's own key",
            detail="Activepieces lets no API key do this",
            remedy=(
                "Ask the operator of this app to set up a signing key,"
                " or set this integration up with a user of its own."
            ),
        )
    # The project was found or created by this id when the integration was set up.
    project = project_external_id(integration.tenant_id, integration.organization_id)
    user = EmbeddedUser(
        external_user_id=f"flask-activepieces-{integration.id}",
        external_project_id=project,
        first_name="Integration",
        last_name=project,
        role=ROLE,
        # Each sign-in assigns the project's piece set, the default one if this is None.
        piece_set=settings.piece_set,
    )
    return SignedEmbedding(settings.signing_key, settings.signing_key_id, user)
