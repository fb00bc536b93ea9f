"""Whose connection it is: what we write into its metadata, and by which external id it is known.

Two rules:

1. On the app's own key a connection exists for a tenant only if it names the tenant, and the organization. With a key
   of the tenant's own, connections that name nobody are there too: they were made in Activepieces.
2. What we write into the metadata is written anew with every change and is not the caller's to choose.

A connection names them in its metadata, or else by the prefix of its external id: Activepieces drops the metadata of
connections of the whole platform (seen on 0.85.2 and 0.86.0 servers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..store import Integration

if TYPE_CHECKING:
    from ...api_client.resources.connections import Connection

#: The scope of connections that are not one project's.
PLATFORM = "PLATFORM"
TENANT = "tenantId"
ORGANIZATION = "organizationId"
INTEGRATION = "integrationId"
VERSION = "hostVersion"
USER = "userId"
#: What Activepieces itself writes, when it learns whose account a connection signs in to; old servers do not.
ACCOUNT = "accountIdentifier"
_OURS = {TENANT, ORGANIZATION, INTEGRATION, VERSION, USER}

#: How long an external id of ours can be.
LONGEST = 120
_LONGEST_SLUG = 80
#: 80 bits as hex: more than anyone can search for a tenant id that would have another's prefix.
_PREFIX_LENGTH = 20
_OF_OURS = re.compile(rf"[tgu][0-9a-f]{{{_PREFIX_LENGTH}}}-")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def stamped(
    metadata: Mapping[str, Any] | None,
    integration: Integration,
    *,
    version: str | None,
    user_id: str | None = None,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The metadata with what is ours in them, and nothing that only looks so.

    ``before`` are those that the connection has: what Activepieces wrote there stays.
    """
    kept = {ACCOUNT: before[ACCOUNT]} if before and ACCOUNT in before else {}
    own = {
        TENANT: integration.tenant_id,
        ORGANIZATION: integration.organization_id,
        INTEGRATION: integration.id,
        VERSION: version,
        USER: user_id,
    }
    theirs = {name: value for name, value in (metadata or {}).items() if name not in _OURS}
    return theirs | kept | {name: value for name, value in own.items() if value is not None}


def belongs(metadata: Mapping[str, Any] | None, external_id: str, integration: Integration) -> bool:
    """Whether a connection with these metadata, or else with this external id, is there for this integration."""
    metadata = metadata or {}
    if TENANT in metadata:
        place = (metadata[TENANT], metadata.get(ORGANIZATION))
        return place == (integration.tenant_id, integration.organization_id)
    if _OF_OURS.match(external_id):
        return external_id.startswith(_prefix(external_id[0], integration))
    return integration.has_credentials


def user_of(connection: Connection) -> str | None:
    """The user of the app that a one-click connection was made for."""
    found = connection.metadata.get(USER)
    return found if isinstance(found, str) else None


def is_renewable(connection: Connection) -> bool:
    """Whether it can be given another value by its id: it is the project's, and speaks for no user of the app."""
    return connection.scope != PLATFORM and user_of(connection) is None


def external_id(integration: Integration, name: str, *, of_platform: bool = False) -> str:
    """The external id of a connection with this name among the tenant's own, of the project or of the platform.

    Safe characters only, since it stands in expressions of flows; and two names never share one. A name that is an
    external id of this kind already is taken as it is.
    """
    prefix = _prefix("g" if of_platform else "t", integration)
    if name.startswith(prefix) and not _UNSAFE.search(name) and len(name) <= LONGEST:
        return name
    return prefix + _slug(name)


def external_id_of_user(integration: Integration, user_id: str) -> str:
    """The external id of a user's one-click connection; no name of a caller's choice leads to it."""
    return _prefix("u", integration) + _slug(user_id)


def _prefix(kind: str, integration: Integration) -> str:
    place = json.dumps([integration.tenant_id, integration.organization_id])
    return f"{kind}{sha256(place.encode()).hexdigest()[:_PREFIX_LENGTH]}-"


def _slug(name: str) -> str:
    safe = _UNSAFE.sub("-", name).strip("-")[:_LONGEST_SLUG]
    if safe == name and safe:
        return safe
    return f"{safe}-{sha256(name.encode()).hexdigest()[:10]}".lstrip("-")
