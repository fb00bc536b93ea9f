"""Which kind of credential may make which call, and which edition has it: checked before a call is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .credentials import Credential
from .errors import CallNotSupported, CredentialNotSupported, EditionNotSupported

#: Community (self-hosted, free), Enterprise (self-hosted, licensed) and Activepieces Cloud.
Edition = Literal["ce", "ee", "cloud"]


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """Who may not make a call, with the reasons."""

    user_only_reason: str = ""
    api_key_only_reason: str = ""
    not_in_community: bool = False


def check_supported(operation: str, credential: Credential, edition: Edition | None) -> None:
    """Raises `CallNotSupported` if it is known that the call cannot succeed."""
    rule = RESTRICTIONS.get(operation) or RESTRICTIONS.get(operation.partition(".")[0])
    if rule is None:
        return
    error: type[CallNotSupported] = CredentialNotSupported
    if rule.not_in_community and edition == "ce":
        error, detail = EditionNotSupported, "the Community Edition lacks this feature"
        remedy = "It needs the Enterprise Edition or Activepieces Cloud."
    elif rule.user_only_reason and not credential.is_user:
        detail, remedy = rule.user_only_reason, "Use a user token, or e-mail and password."
    elif rule.api_key_only_reason and credential.is_user:
        detail, remedy = rule.api_key_only_reason, "Use an API key."
    else:
        return
    raise error(operation, credential=credential.kind, detail=detail, remedy=remedy)


def _for_administrators(things: str) -> Restriction:
    reason = f"only a signed-in administrator can manage {things}"
    return Restriction(user_only_reason=reason, not_in_community=True)


#: By operation, or by the part of its name before the dot. Every other call has no restriction.
RESTRICTIONS: Mapping[str, Restriction] = {
    "connections.replace": Restriction(
        user_only_reason="with an API key it would leave published flows with an empty draft"
    ),
    "connections.authorization_url": Restriction(
        user_only_reason="Activepieces builds authorization URLs only for users"
    ),
    "server.plan": Restriction(user_only_reason="Activepieces shows the plan to users only"),
    "mcp": Restriction(user_only_reason="an API key cannot manage MCP servers"),
    "agent_tools": Restriction(user_only_reason="Activepieces checks MCP servers only for users"),
    "api_keys": _for_administrators("API keys"),
    "signing_keys": _for_administrators("signing keys"),
    "oauth_apps": _for_administrators("OAuth apps"),
    "global_connections": Restriction(not_in_community=True),
    "members": Restriction(not_in_community=True),
    "embedding": Restriction(not_in_community=True),
    "embedding.allow_origins": Restriction(
        api_key_only_reason="a user cannot allow origins, not even an administrator", not_in_community=True
    ),
}
