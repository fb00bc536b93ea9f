"""Signing up and in, platforms and API keys: who there is on the stand-in."""

from __future__ import annotations

import secrets

from werkzeug.security import generate_password_hash

from .answers import Row
from .area import Area
from .auth import digest
from .projects import make_project
from .roles import DEFAULT_ROLES
from .shapes import fields, flag, text
from .store import new_id
from .world import World

area = Area("accounts")

_SIGN_UP = fields(
    {
        "email": text(),
        "password": text(),
        "firstName": text(),
        "lastName": text(),
        "trackEvents": flag(),
        "newsLetter": flag(),
    }
)


def make_identity(world: World, *, email: str, password: str, first: str, last: str) -> Row:
    """Someone who can sign in; not yet a user of any platform."""
    return world.store.add(
        "identity",
        {
            "email": email.lower(),
            "password": generate_password_hash(password, "pbkdf2:sha256:1000"),
            "firstName": first,
            "lastName": last,
            "tokenVersion": secrets.token_urlsafe(16),
        },
    )


def make_user(
    world: World,
    identity: Row,
    platform_id: str,
    *,
    role: str = "MEMBER",
    external_id: str | None = None,
) -> Row:
    """That identity as a user of a platform."""
    return world.store.add(
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


def make_platform(world: World, identity: Row, name: str) -> Row:
    """A platform with its roles, and the identity as the admin who owns it, with a project of their own."""
    platform_id = new_id()
    owner = make_user(world, identity, platform_id, role="ADMIN")
    platform = world.store.add(
        "platform", {"id": platform_id, "name": name, "ownerId": owner["id"]}
    )
    for role, permissions in DEFAULT_ROLES.items():
        world.store.add(
            "project_role",
            {"name": role, "permissions": permissions, "platformId": None, "type": "DEFAULT"},
        )
    make_project(world, owner, f"{name}'s Project", kind="PERSONAL")
    return platform


def make_api_key(world: World, platform_id: str, display_name: str) -> tuple[Row, str]:
    """A key and its value, which is shown once; only a digest is kept."""
    value = f"sk-{new_id(61)}"
    row = world.store.add(
        "api_key",
        {
            "platformId": platform_id,
            "displayName": display_name,
            "truncatedValue": value[-4:],
            "lastUsedAt": None,
            "digest": digest(value),
        },
    )
    return row, value
