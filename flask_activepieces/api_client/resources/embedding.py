"""Embedding: sessions for signed users of the host app, and the sites that may show the builder in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import InvalidInput
from ..wire import ApiCall
from .resource import Resource


@dataclass(frozen=True, kw_only=True)
class EmbeddedSession:
    """The session of a signed user: a token for seven days and for all projects of the user."""

    token: str = field(repr=False)
    #: The project in the signed token.
    project_id: str
    platform_id: str
    user_id: str = field(metadata={"wire": "id"})
    external_id: str | None = None
    platform_role: str
    first_name: str
    last_name: str


@dataclass(frozen=True, kw_only=True)
class _Origins:
    allowed_embed_origins: tuple[str, ...]


class Embedding(Resource):
    """``client.embedding``"""

    def exchange(self, token: str) -> EmbeddedSession:
        """The session for a token of `sign_embedding_token`; creates the user and the project if necessary.

        Each exchange sets the user's role and the project's piece set. The user stays a member of earlier projects.
        """
        path, body = "/managed-authn/external-token", {"externalAccessToken": token}
        call = ApiCall("embedding.exchange", "POST", path, body=body, idempotent=True, authenticate=False)
        return self._object(EmbeddedSession, call)

    def allow_origins(self, origins: Sequence[str]) -> Sequence[str]:
        """Allow pages of more origins to show the builder in a frame; returns all allowed origins."""
        if not origins:
            raise InvalidInput({"origins": "at least one origin is required"})
        path, body = "/embed-subdomain/allowed-embed-origins", {"allowedEmbedOrigins": list(origins)}
        return self._post(_Origins, "embedding.allow_origins", path, body=body, idempotent=True).allowed_embed_origins
