"""Identities, users and members, and their JSON in lists."""

from __future__ import annotations

import secrets

from werkzeug.security import generate_password_hash

from ..routing.responses import Row
from ..state import ServerState


def person(state: ServerState, user_id: str | None) -> Row | None:
    """The user with name and e-mail address, as lists show them; None if the user was deleted."""
    user = state.store.get("user", user_id)
    identity = state.store.get("identity", user["identityId"]) if user else None
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


def _hash(password: str) -> str:
    return generate_password_hash(password, "pbkdf2:sha256:1000")


def set_password(state: ServerState, email: str, password: str) -> None:
    """Change the password of the identity with this e-mail address."""
    identity = state.store.first("identity", email=email)
    assert identity is not None, "an identity is never deleted"
    state.store.change("identity", identity["id"], password=_hash(password))


def add_identity(state: ServerState, *, email: str, password: str, first: str, last: str) -> Row:
    """Add an identity: it can sign in, but is not yet a user of any platform."""
    return state.store.add(
        "identity",
        {
            "email": email.lower(),
            "password": _hash(password),
            "firstName": first,
            "lastName": last,
            "tokenVersion": secrets.token_urlsafe(16),
        },
    )


def add_user(
    state: ServerState, identity: Row, platform_id: str, *, role: str = "MEMBER", external_id: str | None = None
) -> Row:
    """Make that identity a user of a platform."""
    return state.store.add(
        "user",
        {
            "identityId": identity["id"],
            "platformId": platform_id,
            "platformRole": role,
            "status": "ACTIVE",
            "externalId": external_id,
            "lastActiveDate": None,
        },
    )


def role_named(state: ServerState, name: str) -> Row | None:
    """The role with that name, ignoring case."""
    roles = state.store.all("project_role", lambda role: role["name"].lower() == name.lower())
    return next(iter(roles), None)


def set_member(state: ServerState, user: Row, project_id: str, role: Row) -> Row:
    """Set the role of a user in a project."""
    values = {"projectRoleId": role["id"]}
    member = state.store.first("project_member", projectId=project_id, userId=user["id"])
    if member is not None:
        return state.store.change("project_member", member["id"], **values)
    return state.store.add(
        "project_member", {"platformId": user["platformId"], "userId": user["id"], "projectId": project_id, **values}
    )
