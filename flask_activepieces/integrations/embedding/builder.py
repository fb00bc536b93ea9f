"""Access to the embedded builder, for one user at a time; and which sites may embed it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...api_client.client import ActivepiecesClient
from ...api_client.credentials import ApiKey
from ...api_client.embedding_token import EmbeddedUser, sign_embedding_token
from ...api_client.errors import CallNotSupported
from ...errors import InvalidInput, NotFound, SetupError
from ...host.interface import Permission, Principal
from ...messages import Message
from ..client_factory import site_url
from ..dependencies import Dependencies
from ..store import Integration, project_external_id
from . import store
from .provisioning import Provisioning
from .users import ROLES, embedded_user, workspace_name

log = logging.getLogger(__name__)

#: Seconds: enough to load a page. The session that Activepieces opens with the token lasts seven days.
TOKEN_LIFETIME = 300
_OPERATION = "embedding.sign_in"


@dataclass(frozen=True, kw_only=True)
class EmbeddedBuilder:
    """What a page needs to show the builder to one user; the macro ``activepieces_builder`` takes it.

    The token signs the user in to Activepieces until it expires: send it to this user's browser only.
    """

    instance_url: str
    token: str = field(repr=False)
    expires_at: int
    sdk_url: str
    #: The origins that the page must allow, for its Content-Security-Policy.
    script_origin: str
    frame_origin: str


@dataclass(frozen=True)
class Embedding:
    """Signs users in to the embedded builder, and ends their access."""

    deps: Dependencies
    provisioning: Provisioning

    def builder(
        self,
        integration: Integration,
        principal: Principal,
        *,
        role: str | None = None,
        piece_tags: Sequence[str] | None = None,
    ) -> EmbeddedBuilder:
        """The builder of the integration's project, for this user, who becomes a member of the project.

        ``role`` is one of the project, such as ``Viewer``; None: by what the host allows the user. ``piece_tags``
        select the pieces on servers older than 0.86.3. `CallNotSupported` if the project cannot be embedded.
        """
        if principal.tenant_id != integration.tenant_id:
            raise NotFound("integration", integration.id)
        permission = None
        if role is None:
            permission = self._permission(integration, principal)
            role = ROLES[permission]
        user = self._user(integration, principal, role, piece_tags)
        signing_key, key_id = self._signing_key(integration)
        now = self.deps.now()
        expires_at = now + TOKEN_LIFETIME
        self.provisioning.provision(
            store.new_user(
                integration,
                user.external_user_id,
                user_id=principal.user_id,
                permission=permission,
                now=now,
                token_expires_at=expires_at,
            )
        )
        token = sign_embedding_token(signing_key, key_id, user, now=now, lifetime=TOKEN_LIFETIME)
        settings = self.deps.settings
        instance_url = site_url(settings.base_url)
        return EmbeddedBuilder(
            instance_url=instance_url,
            token=token,
            expires_at=expires_at,
            sdk_url=settings.embed_sdk_url,
            script_origin=_origin(settings.embed_sdk_url),
            frame_origin=_origin(instance_url),
        )

    def is_set_up_for(self, integration: Integration) -> bool:
        """Whether the builder of the integration can be shown, as far as the settings decide it."""
        settings = self.deps.settings
        has_keys = settings.signing_key is not None and settings.api_key is not None
        return has_keys and integration.base_url is None and not self.deps.client_factory.shares_project(integration)

    def end_access(self, *, user_id: str | None = None, tenant_id: str | None = None) -> int:
        """Remove a user, in one tenant or in all, or all users of a tenant; returns how many."""
        return self.provisioning.end_access(user_id=user_id, tenant_id=tenant_id)

    def allow_origins(self, origins: Sequence[str] = ()) -> Sequence[str]:
        """Let pages of these origins embed the builder, by default those of the public URL; returns all of them."""
        public_url = self.deps.settings.public_url
        if not origins and public_url is None:
            raise SetupError("Set ACTIVEPIECES_PUBLIC_URL, or name the origins whose pages embed the builder.")
        chosen = list(origins) or [_origin(str(public_url))]
        problems = [origin for origin in chosen if _origin(origin) != origin]
        if problems:
            # Activepieces ignores any other URL.
            message = Message(
                "%(url)r is not an origin: use scheme, host and port only, such as https://app.example.com.",
                url=problems[0],
            )
            raise InvalidInput({"origins": message})
        return self._platform_client().embedding.allow_origins(chosen)

    def _permission(self, integration: Integration, principal: Principal) -> Permission:
        """The largest permission of the user that has a role; `NotFound` if they have none."""
        for permission in ROLES:
            if self.deps.host.allows(principal, permission):
                return permission
        raise NotFound("integration", integration.id)

    def _user(
        self, integration: Integration, principal: Principal, role: str, piece_tags: Sequence[str] | None
    ) -> EmbeddedUser:
        return embedded_user(
            integration,
            principal,
            role=role,
            workspace_name=workspace_name(self.deps.host.workspaces(principal), integration),
            piece_set=self.deps.settings.piece_set,
            piece_tags=piece_tags,
        )

    def _signing_key(self, integration: Integration) -> tuple[str, str]:
        """The key and its id; `CallNotSupported` if a token for them would not lead to the integration's project."""
        settings, factory = self.deps.settings, self.deps.client_factory
        # `IntegrationDisabled` if it is, or its server is not allowed.
        factory.client_for(integration, "server.info")
        if settings.signing_key is None or settings.signing_key_id is None:
            log.warning("ACTIVEPIECES_SIGNING_KEY or ACTIVEPIECES_SIGNING_KEY_ID is not set")
            raise _not_supported(
                "this app has no signing key", "Ask the operator of this app to set up a signing key."
            )
        if factory.shares_project(integration):
            log.warning("ACTIVEPIECES_PROJECT_ID makes tenants share a project, which cannot be embedded")
            raise _not_supported(
                "tenants share this project, and would see the flows of others",
                "Ask the operator of this app to give each tenant a project of its own.",
            )
        if integration.base_url is not None:
            raise _not_supported(
                "its server is not the one with the signing key", "Set it up on the server of this app."
            )
        if integration.has_credentials and not self._is_on_platform(integration):
            raise _not_supported(
                "its project does not belong to the platform with the signing key",
                "Set it up with the app's own key, or in the project with the tenant's id as external id.",
            )
        return settings.signing_key, settings.signing_key_id

    def _is_on_platform(self, integration: Integration) -> bool:
        """Whether a token leads to the project of an integration with its own credentials."""
        external_id = project_external_id(integration.tenant_id, integration.organization_id)
        project = self._platform_client().projects.find(external_id)
        return project is not None and project.id == integration.project_id

    def _platform_client(self) -> ActivepiecesClient:
        return self.provisioning.platform_client()


def _not_supported(detail: str, remedy: str) -> CallNotSupported:
    return CallNotSupported(_OPERATION, detail=detail, remedy=remedy, credential=ApiKey.kind)


def _origin(url: str) -> str:
    """Scheme, host and port (RFC 6454 §4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
