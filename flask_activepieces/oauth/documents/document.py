"""The contents of a client's document (draft-ietf-oauth-client-id-metadata-document §4).

Nothing in it is verified. Only its URL, which the document must repeat, identifies the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...messages import Message
from ..clients.assertions import InvalidKeys, PublicKeys
from ..clients.metadata import InvalidMetadata, parse_json_object, parse_metadata, text_claim
from ..clients.registration import MAX_NAME
from .client_urls import ClientUrl, DocumentError

#: How a client without a shared secret can authenticate.
METHODS = ("none", "private_key_jwt")


@dataclass(frozen=True, kw_only=True)
class Document:
    """The parts of a document that matter here."""

    name: str
    redirect_uris: tuple[str, ...]
    #: The scopes that the client can request. Empty if the document does not say.
    scope: str
    #: Its keys, or their URL, if it authenticates with a key.
    keys: PublicKeys | None
    keys_url: str | None


def parse_document(body: bytes, url: ClientUrl) -> Document:
    """The document of the client with this URL; `DocumentError` if it is invalid."""
    try:
        return _parse(parse_json_object(body), url)
    except InvalidMetadata as error:
        raise DocumentError(error.reason) from None


def _parse(claims: Mapping[str, Any], url: ClientUrl) -> Document:
    if claims.get("client_id") != url.url:
        # A simple string comparison (RFC 3986 §6.2.1).
        raise DocumentError(Message("client_id must be exactly the URL of the document."))
    if not claims.keys().isdisjoint({"client_secret", "client_secret_expires_at"}):
        raise DocumentError(Message("A public document cannot contain a client_secret."))
    metadata = parse_metadata(claims, methods=METHODS, default_method="none")
    has_keys = metadata.method == "private_key_jwt"
    return Document(
        name=metadata.name or url.host[:MAX_NAME],
        redirect_uris=metadata.redirect_uris,
        scope=metadata.scope,
        keys=_parse_keys(claims["jwks"]) if has_keys and "jwks" in claims else None,
        keys_url=_keys_url(claims) if has_keys else None,
    )


def parse_keys(body: bytes) -> PublicKeys:
    """The keys in the response of a ``jwks_uri`` (RFC 7517 §5)."""
    try:
        return _parse_keys(parse_json_object(body))
    except InvalidMetadata as error:
        raise DocumentError(error.reason) from None


def _parse_keys(jwks: object) -> PublicKeys:
    try:
        return PublicKeys.parse(jwks)
    except InvalidKeys as error:
        raise DocumentError(error.reason) from None


def _keys_url(claims: Mapping[str, Any]) -> str | None:
    url = text_claim(claims, "jwks_uri") or None
    # RFC 7591 §2: not both of them.
    if (url is None) == ("jwks" not in claims):
        raise DocumentError(Message("private_key_jwt needs either jwks or jwks_uri."))
    return url
