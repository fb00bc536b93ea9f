"""Embedding: signed users of the host app, and the sites that may show the builder in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import InvalidInput
from .resource import Resource


@dataclass(frozen=True, kw_only=True)
class EmbeddedSession:
    """What a signed user got: a token of seven days, for all projects that they are a member of."""

    token: str = field(repr=False)
    #: The project that was named when the user was signed in.
    project_id: str
    platform_id: str
    user_id: str = field(metadata={"wire": "id"})
    #: As Activepieces keeps it, which is as text.
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
        """The session of the user in a signed token; the user and the project are created if they do not exist.

        Every exchange gives the user the role that the token names, and leaves them in the projects of earlier ones.
        """
        return self._one(
            EmbeddedSession,
            "embedding.exchange",
            "POST",
            "/managed-authn/external-token",
            body={"externalAccessToken": token},
            repeatable=True,
            anonymous=True,
        )

    def allow_origins(self, origins: Sequence[str]) -> Sequence[str]:
        """Let pages of these origins show the builder in a frame, beside those that may; returns all that may."""
        if not origins:
            raise InvalidInput({"origins": "names at least one"})
        return self._one(
            _Origins,
            "embedding.allow_origins",
            "POST",
            "/embed-subdomain/allowed-embed-origins",
            body={"allowedEmbedOrigins": list(origins)},
            repeatable=True,
        ).allowed_embed_origins
