"""The metadata that a client declares, in a document or when it registers (RFC 7591 §2). It is not verified."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ActivepiecesError
from ...messages import Message
from . import redirect_uris as redirects
from .registration import MAX_NAME, MAX_REDIRECT_URIS


class InvalidMetadata(ActivepiecesError):
    """Raised for invalid metadata. ``reason`` is for the developers of the client."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class ClientMetadata:
    """The members that are used here."""

    #: Empty if the client has none.
    name: str
    redirect_uris: tuple[str, ...]
    #: The scopes that the client can request. Empty if it does not say.
    scope: str
    method: str


def parse_metadata(claims: Mapping[str, Any], *, methods: Collection[str], default_method: str) -> ClientMetadata:
    """The metadata of a client that authenticates with one of these methods."""
    method = claims.get("token_endpoint_auth_method", default_method)
    if not isinstance(method, str) or method not in methods:
        offered = ", ".join(methods)
        raise InvalidMetadata(
            "token_endpoint_auth_method",
            Message("token_endpoint_auth_method must be one of: %(offered)s.", offered=offered),
        )
    _check_list(claims, "grant_types", "authorization_code")
    _check_list(claims, "response_types", "code")
    return ClientMetadata(
        name=_name(claims),
        redirect_uris=_redirect_uris(claims, public=method == "none"),
        scope=text_claim(claims, "scope"),
        method=method,
    )


def parse_json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Rejects JSON that parsers interpret differently, such as duplicate names."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_without_duplicates, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise InvalidMetadata("", Message("The metadata is not valid JSON.")) from None
    if not isinstance(value, dict):
        raise InvalidMetadata("", Message("The metadata must be a JSON object."))
    return value


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    """The value of a member, of printable characters; empty if it is missing."""
    value = claims.get(name, "")
    if not isinstance(value, str) or not value.isprintable():
        raise InvalidMetadata(name, Message("%(name)s must be a string of printable characters.", name=name))
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _name(claims: Mapping[str, Any]) -> str:
    name = text_claim(claims, "client_name").strip()
    if len(name) > MAX_NAME:
        reason = Message("client_name has more than %(most)d characters.", most=MAX_NAME)
        raise InvalidMetadata("client_name", reason)
    return name


def _check_list(claims: Mapping[str, Any], name: str, required: str) -> None:
    """The list must contain the required value, which is also the default (RFC 7591 §2)."""
    values = claims.get(name, [required])
    if not isinstance(values, list) or required not in values:
        reason = Message("%(name)s must contain %(required)s.", name=name, required=required)
        raise InvalidMetadata(name, reason)


def _redirect_uris(claims: Mapping[str, Any], *, public: bool) -> tuple[str, ...]:
    uris = claims.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) for uri in uris):
        raise InvalidMetadata("redirect_uris", Message("redirect_uris must be a list of URIs."))
    if len(uris) > MAX_REDIRECT_URIS:
        reason = Message("redirect_uris has more than %(most)d URIs.", most=MAX_REDIRECT_URIS)
        raise InvalidMetadata("redirect_uris", reason)
    problems = {uri: redirects.validate_redirect_uri(uri, public=public) for uri in uris}
    # The metadata is for all servers. Some of its URIs may be for others.
    usable = tuple(uri for uri, problem in problems.items() if problem is None)
    if not usable:
        uri, problem = next(iter(problems.items()))
        reason = Message("redirect_uris: %(uri)r: %(problem)s", uri=uri[:120], problem=problem)
        raise InvalidMetadata("redirect_uris", reason)
    return usable
