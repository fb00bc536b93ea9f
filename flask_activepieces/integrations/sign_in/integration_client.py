"""The OAuth client of an integration: created when it is first needed, and updated when its piece changes."""

from __future__ import annotations

from dataclasses import replace

from ...config.urls import origin
from ...crypto.keyring import constant_time_equal, sha256_hex
from ...errors import IntegrationDisabled, SetupError
from ...messages import Message
from ...oauth.clients import client as clients
from ...oauth.clients import redirect_uris as redirects
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.registration import Registration
from ...oauth.clients.service import NewCredentials
from ...storage.database import Transaction
from .. import store
from ..client_factory import site_url
from ..dependencies import Dependencies
from ..store import Integration

NAME = "Activepieces"
#: Pages show it in the reader's language.
DESCRIPTION = Message("Created for the connections of one workspace.")


def trusted_redirect_uri(server: str, reported: str | None) -> str:
    """The redirect URI of the Activepieces at this base URL, which may report another one.

    Activepieces receives codes at this address. It reports the address without proof, so the reported one is used
    only if it has the origin of the configured server.
    """
    if reported and not _problem_with(reported) and origin(reported) == origin(server):
        return reported
    default = f"{site_url(server)}/redirect"
    problem = _problem_with(default)
    if problem:
        raise SetupError(f"One-click connections do not work with {server}: {default}: {problem}")
    return default


def _problem_with(uri: str) -> str | None:
    return redirects.validate_redirect_uri(uri, public=False)


def ensure_client(
    deps: Dependencies,
    transaction: Transaction,
    integration: Integration,
    *,
    redirect_uri: str,
    scope: str,
    new: NewCredentials,
    user_id: str,
    now: int,
) -> tuple[OAuthClient, str]:
    """The integration's client for this redirect URI and scope, and its secret, which Activepieces needs.

    ``new`` is used if there is no client, or no secret that can be decrypted. ``user_id`` is the user who connects.
    """
    current = store.reload(transaction.conn, integration)
    if not current.enabled:
        raise IntegrationDisabled(current.id, "an administrator disabled it")
    client = clients.find_by_id(transaction.conn, current.oauth_client_id or "")
    secret = deps.credential_store.client_secret(current)
    if client is None or client.integration_id != current.id:
        registration = Registration(
            name=NAME,
            description=str(DESCRIPTION),
            redirect_uris=(redirect_uri,),
            scope=scope,
            tenant_id=current.tenant_id,
            require_pkce=True,
        )
        client, _ = deps.oauth_clients.register_in(
            transaction, registration, new, integration_id=current.id, user_id=user_id
        )
    elif (client.redirect_uris, client.scope) != ((redirect_uri,), scope):
        registration = replace(client.registration(), redirect_uris=(redirect_uri,), scope=scope)
        client = deps.oauth_clients.update_in(
            transaction, client, registration, integration_id=current.id, user_id=user_id
        )
    if secret is not None and _is_secret_of(client, secret):
        return client, secret
    if not _is_secret_of(client, new.secret):  # not just registered with it
        deps.oauth_clients.rotate_secret_in(
            transaction, client, new.secret, integration_id=current.id, user_id=user_id
        )
    columns = deps.credential_store.client_columns(current.id, client.client_id, new.secret)
    store.change(transaction, current, columns, now=now)
    return client, new.secret


def _is_secret_of(client: OAuthClient, secret: str) -> bool:
    hashes = filter(None, (client.secret_hash, client.previous_secret_hash))
    return any(constant_time_equal(sha256_hex(secret), each) for each in hashes)
