"""The two well-known documents: the metadata of the authorization server, and of the protected resource."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from .clients.assertions import ALGORITHMS
from .clients.authentication import CLIENT_METHODS, CONFIDENTIAL_METHODS, SECRET_METHODS
from .clients.registration import CLIENT_CREDENTIALS, CODE_GRANTS

AUTHORIZATION_SERVER = "oauth-authorization-server"
PROTECTED_RESOURCE = "oauth-protected-resource"


def authorization_server(
    issuer: str, *, base: str, scopes: Iterable[str], accepts_documents: bool, accepts_registrations: bool
) -> dict[str, Any]:
    """RFC 8414 §2, with RFC 9207 §3. ``base`` is the URL of the endpoints.

    ``accepts_documents``: whether a client may be known by the URL of its metadata document, and so have keys;
    ``accepts_registrations``: whether it may register itself.
    """
    # Only clients with a document have keys.
    with_secret, all_methods = SECRET_METHODS, [*SECRET_METHODS, "none"]
    for_documents: dict[str, Any] = {}
    if accepts_documents:
        with_secret, all_methods = CONFIDENTIAL_METHODS, CLIENT_METHODS
        for_documents = {
            "client_id_metadata_document_supported": True,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        }
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "jwks_uri": f"{base}/jwks.json",
        "scopes_supported": list(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [*CODE_GRANTS, CLIENT_CREDENTIALS],
        "token_endpoint_auth_methods_supported": all_methods,
        "revocation_endpoint_auth_methods_supported": all_methods,
        "introspection_endpoint_auth_methods_supported": with_secret,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        **for_documents,
        **({"registration_endpoint": f"{base}/register"} if accepts_registrations else {}),
    }


def protected_resource(url: str, *, issuer: str, name: str, scopes: Iterable[str]) -> dict[str, Any]:
    """RFC 9728 §2: the resource with this URL."""
    return {
        "resource": url,
        "resource_name": name,
        "authorization_servers": [issuer],
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
    }


def well_known(issuer: str, name: str) -> str:
    """RFC 8414 §3.1, RFC 9728 §3.1: the well-known part is between the host and the path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}"
