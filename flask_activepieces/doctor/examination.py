"""All checks, in the order in which an operator would fix what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flask import Flask

from ..api_client.errors import ApiError, PlanUpgradeRequired
from .app.addresses import check_base_url, check_mount_path, check_public_url
from .app.cookies import check_cookies
from .app.declarations import check_mcp_path, check_scopes
from .app.declarations import check_piece as check_declarations
from .app.keys import check_key_strength, check_stored_secrets
from .app.login import check_login_page, check_signed_out_request, check_user_loader
from .app.requests import check_requests
from .data import schema
from .data.clients import check_clients
from .data.deliveries import check_deliveries, check_prune
from .data.redis import check_redis
from .findings import Finding, Findings, Kind
from .server.availability import check_availability
from .server.credentials import PLAN, check_credentials
from .server.embedding import check_embedding
from .server.piece import check_piece
from .server.token_endpoint import check_token_endpoint
from .subject import Subject, request_to

CALL_FAILED = Kind("activepieces-call-failed", "error", "The same call fails when the app makes it.")

#: After these findings, the other checks of the data would fail for the same reason.
_UNUSABLE = {schema.UNREACHABLE, schema.TABLES, schema.COLUMNS}


def free_findings(app: Flask, *, mounts: Sequence[str] = ()) -> Findings:
    """What costs nothing to check: also done at the start. ``mounts``: see `check_mount_path`."""
    subject = Subject(app=app)
    state = subject.state
    yield from check_scopes(app.view_functions, state.settings.scopes)
    yield from check_login_page(state.host)
    yield from check_declarations(state.piece, state.settings)
    yield from check_mcp_path(app, state.settings.mcp_path)
    yield from check_mount_path(state.settings, {*mounts, app.config["APPLICATION_ROOT"]})
    yield from check_base_url(state.settings)
    yield from check_cookies(state.settings, app.config)


def examine(subject: Subject, begin: Callable[[str], None] = lambda what: None) -> Iterator[Finding]:
    """All findings. It calls the app at its public URL, the database, and Activepieces.

    ``begin`` gets what is examined next, for people who wait.
    """
    state = subject.state
    # In contexts of their own: the host may build URLs, and Flask-Login stores the user in ``g``.
    with subject.app.app_context(), request_to(subject.app):
        found = list(free_findings(subject.app))
    yield from found
    yield from check_signed_out_request(subject.app, state.host)
    yield from check_key_strength(state)
    begin("the public URL")
    yield from check_requests(state)
    begin("Redis")
    yield from check_redis(state.settings)
    begin("the database")
    found = list(schema.check_database(state))
    yield from found
    if _UNUSABLE.isdisjoint(finding.kind for finding in found):
        begin(" and ".join(["the stored data", *subject.server_urls]))
        yield from _examine_data(subject)
        yield from _examine_servers(subject)


def _examine_data(subject: Subject) -> Findings:
    state, tenant_id = subject.state, subject.tenant_id
    clients = state.oauth_clients
    registered = clients.list_all() if tenant_id is None else clients.list_for_tenant(tenant_id)
    redirect_uris = [uri for client in registered for uri in client.redirect_uris]
    yield from check_public_url(state.settings, subject.server_urls, redirect_uris)
    yield from check_clients(state.settings, registered, subject.servers)
    yield from check_user_loader(state.host, state.database, tenant_id)
    yield from check_stored_secrets(state, tenant_id)
    yield from check_deliveries(state, tenant_id)
    yield from check_prune(state)


def _examine_servers(subject: Subject) -> Findings:
    checks: Sequence[Callable[[Subject], Findings]] = (
        check_availability,
        check_credentials,
        check_piece,
        check_token_endpoint,
        check_embedding,
    )
    for check in checks:
        try:
            yield from check(subject)
        except PlanUpgradeRequired as error:
            yield PLAN.found(str(error), "Change the plan, or do not use the feature.")
        except ApiError as error:
            yield CALL_FAILED.found(str(error), "Run the doctor again. If it fails again, look at Activepieces' log.")
