"""Which tenant and user a connection belongs to: our fields in its metadata, and its external id.

1. A connection belongs to a tenant if it names the tenant, and the organization. One that names no tenant was made in
   Activepieces, or in the embedded builder. It belongs to the tenant if the tenant has its own key; on the app's own
   key, only if it is not global, and no other tenant or organization uses the project.
2. Callers cannot choose our fields in the metadata; each update writes them again.

A connection names its tenant in its metadata, or else by the prefix of its external id: Activepieces drops the
metadata of global connections (seen on 0.85.2 and 0.86.0 servers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ...api_client.resources.connections import Connection
from ..store import Integration

#: The scope of global connections.
PLATFORM = "PLATFORM"
TENANT = "tenantId"
ORGANIZATION = "organizationId"
INTEGRATION = "integrationId"
VERSION = "hostVersion"
USER = "userId"
#: Not an owner's, but written like these: Activepieces lists connections without the titles of their pieces.
PIECE_TITLE = "pieceTitle"
#: Newer servers write this: the account that the connection authenticates as.
ACCOUNT = "accountIdentifier"
_OUR_FIELDS = {TENANT, ORGANIZATION, INTEGRATION, VERSION, USER, PIECE_TITLE}

MAX_EXTERNAL_ID_LENGTH = 120
_MAX_SLUG_LENGTH = 80
#: 80 bits as hex: too many to search for a tenant id with the prefix of another one.
_PREFIX_LENGTH = 20
_OUR_EXTERNAL_ID = re.compile(rf"[tgu][0-9a-f]{{{_PREFIX_LENGTH}}}-")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def with_owner_metadata(
    metadata: Mapping[str, Any] | None,
    integration: Integration,
    *,
    version: str | None,
    user_id: str | None = None,
    piece_title: str | None = None,
    existing: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The metadata with our fields. The account and the title of the piece in the ``existing`` metadata stay."""
    kept = {name: existing[name] for name in (ACCOUNT, PIECE_TITLE) if existing and name in existing}
    owner = {
        TENANT: integration.tenant_id,
        ORGANIZATION: integration.organization_id,
        INTEGRATION: integration.id,
        VERSION: version,
        USER: user_id,
        PIECE_TITLE: piece_title,
    }
    other = {name: value for name, value in (metadata or {}).items() if name not in _OUR_FIELDS}
    return other | kept | {name: value for name, value in owner.items() if value is not None}


def is_owned_by(
    metadata: Mapping[str, Any] | None,
    external_id: str,
    scope: str,
    integration: Integration,
    *,
    has_project_alone: bool,
) -> bool:
    """Whether a connection with these fields belongs to the integration."""
    metadata = metadata or {}
    if TENANT in metadata:
        owner = (metadata[TENANT], metadata.get(ORGANIZATION))
        return owner == (integration.tenant_id, integration.organization_id)
    if _OUR_EXTERNAL_ID.match(external_id):
        return external_id.startswith(_prefix(external_id[0], integration))
    return integration.has_credentials or (has_project_alone and scope != PLATFORM)


def owner_user_id(connection: Connection) -> str | None:
    """The user for whom a one-click connection was made."""
    user_id = connection.metadata.get(USER)
    return user_id if isinstance(user_id, str) else None


def piece_title(connection: Connection) -> str | None:
    """The title of its piece, if it was known when the connection was saved."""
    title = connection.metadata.get(PIECE_TITLE)
    return title if isinstance(title, str) and title else None


def is_renewable(connection: Connection) -> bool:
    """Whether it may get another value by its id: it belongs to the project, and to no user."""
    return connection.scope != PLATFORM and owner_user_id(connection) is None


def can_save_again(integration: Integration, connection: Connection) -> bool:
    """Whether saving under its external id changes this connection: not a global one that others made."""
    shared = connection.scope == PLATFORM
    return not shared or connection.external_id == external_id(integration, connection.external_id, platform=True)


def external_id(integration: Integration, name: str, *, platform: bool = False) -> str:
    """The external id of the tenant's connection with this name, in the project or global.

    It has safe characters only, since flows contain it in expressions, and is different for each name. A name that is
    such an external id is returned as it is.
    """
    kind = "g" if platform else "t"
    is_safe = not _UNSAFE.search(name) and len(name) <= MAX_EXTERNAL_ID_LENGTH
    if is_safe and name.startswith(_prefix(kind, integration)):
        return name
    return _external_id(kind, integration, name)


def user_external_id(integration: Integration, user_id: str) -> str:
    """The external id of a user's one-click connection, which no name can produce."""
    return _external_id("u", integration, user_id)


def _external_id(kind: str, integration: Integration, name: str) -> str:
    safe = _UNSAFE.sub("-", name).strip("-")[:_MAX_SLUG_LENGTH]
    if safe != name or not safe:
        safe = f"{safe}-{sha256(name.encode()).hexdigest()[:10]}".lstrip("-")
    return _prefix(kind, integration) + safe


def _prefix(kind: str, integration: Integration) -> str:
    owner = json.dumps([integration.tenant_id, integration.organization_id])
    return f"{kind}{sha256(owner.encode()).hexdigest()[:_PREFIX_LENGTH]}-"
