"""Users as other things show them: the owner of a connection, the member of a project."""

from __future__ import annotations

from .answers import Row
from .world import World


def person(world: World, user_id: str | None) -> Row | None:
    """The user with name and e-mail address, as lists show them; None when there is no such user any more."""
    user = world.store.get("user", user_id)
    identity = world.store.get("identity", user["identityId"]) if user else None
    if user is None or identity is None:
        return None
    return {
        "id": user["id"],
        "email": identity["email"],
        "firstName": identity["firstName"],
        "status": user["status"],
        "externalId": user["externalId"],
        "platformId": user["platformId"],
        "platformRole": user["platformRole"],
        "lastName": identity["lastName"],
        "created": user["created"],
        "updated": user["updated"],
    }
