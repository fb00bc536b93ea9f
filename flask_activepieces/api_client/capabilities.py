"""Which credential may make which call, and which edition of Activepieces has it: known before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .credentials import Credential
from .errors import CredentialNotSupported, EditionNotSupported

#: Community (self-hosted, free), Enterprise (self-hosted, licensed), and the vendor's own.
Edition = Literal["ce", "ee", "cloud"]

_SIGN_IN = "Use a user token, or e-mail and password."
_USE_A_KEY = "Use an API key."


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Why a call is not for everybody."""

    users_only: str = ""
    keys_only: str = ""
    not_in_community: bool = False


def check_supported(operation: str, credential: Credential, edition: Edition | None) -> None:
    """Return when the call can succeed as far as is known; else raise what says who could make it."""
    limit = LIMITS.get(operation) or LIMITS.get(operation.partition(".")[0])
    if limit is None:
        return
    if limit.not_in_community and edition == "ce":
        raise EditionNotSupported(
            operation,
            credential=credential.kind,
            detail="the Community Edition does not have this",
            remedy="It needs the Enterprise Edition or Activepieces Cloud.",
        )
    if limit.users_only and not credential.is_user:
        raise CredentialNotSupported(
            operation, credential=credential.kind, detail=limit.users_only, remedy=_SIGN_IN
        )
    if limit.keys_only and credential.is_user:
        raise CredentialNotSupported(
            operation, credential=credential.kind, detail=limit.keys_only, remedy=_USE_A_KEY
        )


_MCP = Limit(users_only="Activepieces lets no API key manage MCP servers")

#: By operation, or by the part of its name before the dot. What is not here, everybody may call everywhere.
LIMITS: Mapping[str, Limit] = {
    "connections.replace": Limit(
        users_only="with an API key it would leave published flows with an empty draft"
    ),
    "connections.authorization_url": Limit(
        users_only="Activepieces builds authorization URLs for users only"
    ),
    "mcp": _MCP,
    "api_keys": Limit(
        users_only="only an administrator who is signed in can manage API keys",
        not_in_community=True,
    ),
    "signing_keys": Limit(
        users_only="only an administrator who is signed in can manage signing keys",
        not_in_community=True,
    ),
    "oauth_apps": Limit(
        users_only="only an administrator who is signed in can manage OAuth apps",
        not_in_community=True,
    ),
    "global_connections": Limit(not_in_community=True),
    "members": Limit(not_in_community=True),
    "embedding": Limit(not_in_community=True),
    "embedding.allow_origins": Limit(
        keys_only="Activepieces lets no user allow origins, not even an administrator",
        not_in_community=True,
    ),
}
