"""Whether Activepieces can call the app's token endpoint: it is asked to redeem a code that does not exist.

Activepieces reports what the endpoint answered, and saves nothing. Its filter against server-side request forgery
refuses private addresses without a call, and says "unknown error" (seen on 0.85.2 and 0.86.0).
"""

from __future__ import annotations

from contextlib import suppress

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import CallNotSupported, CodeExchangeFailed, ResourceNotFound
from ...api_client.resources.connection_values import OAuth2
from ...api_client.resources.connections import ConnectionDraft
from ...errors import IntegrationDisabled
from ...integrations.client_factory import site_url
from ...integrations.sign_in.piece_auth import authorization_method, oauth2_auth, placeholders_in
from ...integrations.store import Integration
from ...pieces.manifest import ADDRESS
from ..findings import Finding, Findings, Kind
from ..subject import Subject, UsedServer

FILTERED = Kind(
    "token-endpoint-filtered", "error", "Connections cannot be made, and existing ones stop when their token expires."
)
UNREACHABLE = Kind(
    "token-endpoint-unreachable",
    "error",
    "Connections cannot be made, and existing ones stop when their token expires.",
)

#: The external id of the connection, which is never created; and the code.
_NAME = "flask-activepieces-doctor"
#: What Activepieces reports instead of the message of the token endpoint.
_FILTER_MESSAGE = "unknown error"


def check_token_endpoint(subject: Subject) -> Findings:
    """Each server with an integration reaches the token endpoint."""
    if subject.state.settings.piece_name is None:
        return
    for server in subject.servers:
        integrations = subject.integrations_on(server)
        if server.info is None or not integrations:
            continue
        finding = _check(subject, server, integrations[0])
        if finding is not None:
            yield finding


def _check(subject: Subject, server: UsedServer, integration: Integration) -> Finding | None:
    try:
        client = subject.client_factory.client_for(integration, "connections.upsert")
        message = _redeem(subject, client, integration)
    except (IntegrationDisabled, CallNotSupported, ResourceNotFound):
        return None  # another finding
    if message == _FILTER_MESSAGE:
        return FILTERED.found(
            f"{server.url} does not call the token endpoint at {_address(subject)}, which is in a private network.",
            "Add its address to AP_SSRF_ALLOW_LIST of the Activepieces server.",
        )
    if message == "":
        return UNREACHABLE.found(
            f"{server.url} cannot reach the token endpoint at {_address(subject)}, or gets no error from it.",
            "Check ACTIVEPIECES_PUBLIC_URL, and that the Activepieces server reaches it.",
        )
    return None


def _redeem(subject: Subject, client: ActivepiecesClient, integration: Integration) -> str | None:
    """The error that Activepieces reports; None if the check is not possible, or the code was accepted."""
    settings = subject.state.settings
    piece = client.pieces.get(str(settings.piece_name))
    auth = oauth2_auth(piece)
    if auth is None:
        return None
    placeholders = placeholders_in(auth.token_url or "")
    if placeholders and (settings.public_url is None or placeholders != {ADDRESS}):
        return None  # users enter the address when they connect
    draft = ConnectionDraft(
        project_id=integration.project_id,
        external_id=_NAME,
        display_name="Check of the token endpoint",
        piece_name=piece.name,
        value=OAuth2(
            client_id=_NAME,
            client_secret=_NAME,
            code=_NAME,
            code_challenge=_NAME if auth.pkce else None,
            redirect_url=f"{site_url(subject.url_of(integration))}/redirect",
            scope=" ".join(auth.scope),
            authorization_method=authorization_method(auth),
            props=dict.fromkeys(placeholders, settings.public_url) or None,
        ),
    )
    try:
        connection = client.connections.upsert(draft)
    except CodeExchangeFailed as error:
        return error.detail
    # Another app answers there, and accepts anything.
    with suppress(ResourceNotFound):
        client.connections.delete(connection.id)
    return None


def _address(subject: Subject) -> str:
    return subject.state.settings.public_url or "the address in the piece"
