"""Signing keys, with which a host signs in its own users (see `managed_authn`)."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..routing.responses import Json, Row, single_page
from ..routing.route_groups import USER_ONLY, RouteCall, RouteGroup, find_on_platform
from ..routing.validation import fields, text
from ..state import ServerState

group = RouteGroup("signing keys")

KIND = "signing_key"
_PLAN = "embeddingEnabled"
#: Real servers create keys of 4096 bits, which takes a second or more.
_BITS = 2048


def new_pair() -> tuple[str, str]:
    """A private and a public key, as PKCS#1 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    return private.decode(), public.decode()


@cache
def key_pair(number: int) -> tuple[str, str]:
    """One of the pairs that all servers of this process share: tests create many servers, and a key takes 0.1 s."""
    return new_pair()


def add_key(state: ServerState, platform_id: str | None, public: str, display_name: str) -> Row:
    """Trust tokens signed with the private key of this public one."""
    return state.store.add(
        KIND, {"platformId": platform_id, "publicKey": public, "algorithm": "RSA", "displayName": display_name}
    )


@group.route(
    "POST",
    "/signing-keys",
    body=fields({"displayName": text()}),
    who=USER_ONLY,
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def create(call: RouteCall) -> tuple[int, Json]:
    """Create a key pair; the private key is only shown in this response and not stored."""
    private, public = key_pair(next(call.state.key_numbers))
    row = add_key(call.state, call.caller.platform_id, public, call.body["displayName"])
    return 201, {**row, "privateKey": private}


@group.route("GET", "/signing-keys", who=USER_ONLY, platform_admin=True, plan=_PLAN, editions=("ee",))
def list_keys(call: RouteCall) -> tuple[int, Json]:
    """All public keys."""
    return 200, single_page(call.state.store.all(KIND, platformId=call.caller.platform_id))


@group.route("GET", "/signing-keys/<id>", who=USER_ONLY, platform_admin=True, plan=_PLAN, editions=("ee",))
def get(call: RouteCall) -> tuple[int, Json]:
    """One public key."""
    return 200, find_on_platform(call, KIND)


@group.route("DELETE", "/signing-keys/<id>", who=USER_ONLY, platform_admin=True, plan=_PLAN, editions=("ee",))
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a key; its tokens are no longer accepted."""
    call.state.store.drop(KIND, find_on_platform(call, KIND)["id"])
    return 204, None
