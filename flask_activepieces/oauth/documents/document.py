"""What the document of a client says about it (draft-ietf-oauth-client-id-metadata-document §4, RFC 7591 §2).

Everything in it is a claim of a stranger. What identifies the client is its URL, which the document must repeat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...messages import Message
from ..clients import redirect_uris as redirects
from ..clients.assertions import InvalidKeys, PublicKeys
from ..clients.registration import MAX_NAME, MAX_REDIRECT_URIS
from .client_urls import ClientUrl, DocumentError

#: How a client without a shared secret can authenticate.
METHODS = ("none", "private_key_jwt")


@dataclass(frozen=True, kw_only=True)
class Document:
    """The parts of a document that matter here."""

    name: str
    redirect_uris: tuple[str, ...]
    #: None: it does not say which scopes the client can ask for.
    scope: str | None
    #: Where and what its keys are, if it authenticates with them: one of the two.
    keys: PublicKeys | None
    keys_url: str | None


def parse_document(body: bytes, url: ClientUrl) -> Document:
    """The document of the client with this URL; `DocumentError` says what is wrong with it."""
    claims = parse_json_object(body)
    if claims.get("client_id") != url.url:
        # A simple string comparison (RFC 3986 §6.2.1).
        raise DocumentError(Message("client_id must be exactly the URL of the document."))
    if not claims.keys().isdisjoint({"client_secret", "client_secret_expires_at"}):
        raise DocumentError(Message("A public document cannot contain a client_secret."))
    method = claims.get("token_endpoint_auth_method", "none")
    if method not in METHODS:
        raise DocumentError(
            Message("token_endpoint_auth_method must be none or private_key_jwt: there is no shared secret.")
        )
    _check_list(claims, "grant_types", "authorization_code")
    _check_list(claims, "response_types", "code")
    has_keys = method == "private_key_jwt"
    return Document(
        name=_name(claims, url),
        redirect_uris=_redirect_uris(claims, public=not has_keys),
        scope=_text(claims, "scope") or None,
        keys=_keys(claims) if has_keys else None,
        keys_url=_keys_url(claims) if has_keys else None,
    )


def parse_json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a response, without what parsers read differently."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_without_duplicates, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise DocumentError(Message("The document is not valid JSON.")) from None
    if not isinstance(value, dict):
        raise DocumentError(Message("The document must be a JSON object."))
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or not value.isprintable():
        raise DocumentError(Message("%(name)s must be a string of printable characters.", name=name))
    return value


def _name(claims: Mapping[str, Any], url: ClientUrl) -> str:
    name = _text(claims, "client_name").strip()
    if len(name) > MAX_NAME:
        raise DocumentError(Message("client_name has more than %(most)d characters.", most=MAX_NAME))
    return name or url.host[:MAX_NAME]


def _check_list(claims: Mapping[str, Any], name: str, required: str) -> None:
    """RFC 7591 §2: what is needed here is the default."""
    values = claims.get(name, [required])
    if not isinstance(values, list) or required not in values:
        raise DocumentError(Message("%(name)s must contain %(required)s.", name=name, required=required))


def _redirect_uris(claims: Mapping[str, Any], *, public: bool) -> tuple[str, ...]:
    uris = claims.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) for uri in uris):
        raise DocumentError(Message("redirect_uris must be a list of URIs."))
    if len(uris) > MAX_REDIRECT_URIS:
        raise DocumentError(Message("redirect_uris has more than %(most)d URIs.", most=MAX_REDIRECT_URIS))
    problems = {uri: redirects.validate_redirect_uri(uri, public=public) for uri in uris}
    # A document is for every server. One of its URIs may be for others.
    usable = tuple(uri for uri, problem in problems.items() if problem is None)
    if not usable:
        uri, problem = next(iter(problems.items()))
        raise DocumentError(Message("redirect_uris: %(uri)r: %(problem)s", uri=uri[:120], problem=problem))
    return usable


def _keys(claims: Mapping[str, Any]) -> PublicKeys | None:
    if "jwks" not in claims:
        return None
    return parse_keys(claims["jwks"])


def parse_keys(value: Any) -> PublicKeys:
    """The keys in a JWK set (RFC 7517 §5)."""
    try:
        return PublicKeys.parse(value)
    except InvalidKeys as error:
        raise DocumentError(error.reason) from None


def _keys_url(claims: Mapping[str, Any]) -> str | None:
    url = _text(claims, "jwks_uri") or None
    # RFC 7591 §2: not both.
    if (url is None) == ("jwks" not in claims):
        raise DocumentError(Message("private_key_jwt needs either jwks or jwks_uri."))
    return url
