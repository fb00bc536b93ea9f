"""The credentials of the app and its tenants: accepted, of a kind that suffices, and for the right project."""

from __future__ import annotations

import json
from collections.abc import Collection

from ...api_client.credentials import ApiKey, Credential, UserToken
from ...api_client.errors import AuthenticationFailed, PermissionDenied, ResourceNotFound
from ...api_client.resources.server import Plan
from ...clock import format_for_people
from ...crypto.keyring import from_base64url
from ...errors import IntegrationDisabled, SignatureError
from ...integrations.store import Integration
from ..findings import Finding, Findings, Kind
from ..subject import Subject, UsedServer

REJECTED = Kind("credential-rejected", "error", "No call with it succeeds.")
MISSING = Kind("credential-missing", "error", "The integration is disabled.")
KIND = Kind("credential-kind", "error", "No call with it succeeds.")
EXPIRES = Kind("user-token-expires", "warning", "When it has expired, no call with it succeeds.")
NO_USER = Kind(
    "user-missing", "warning", "Connections cannot be replaced, and MCP servers cannot be shown: both need a user."
)
PROJECT = Kind("project-missing", "error", "Connections, flows and runs of the tenant cannot be shown or changed.")
PLAN = Kind("plan", "error", "Activepieces answers such calls with 402.")

_DAY = 86_400
#: How long before its expiry a user token is reported.
_NOTICE = 2 * _DAY


def check_credentials(subject: Subject) -> Findings:
    """The app's own key, and the credentials of each integration."""
    for server in subject.servers:
        if server.info is None:
            continue
        yield from _check_app_key(subject, server, server.info.edition)
        without_user = []
        for integration in subject.integrations_on(server):
            credentials = _credentials_of(subject, integration)
            if credentials is None:
                continue
            yield from _check_integration(subject, server, integration, credentials)
            if not any(each.is_user for each in credentials) and not _signs_users(subject, integration):
                without_user.append(integration)
        if without_user and server.info.edition != "ce":
            yield NO_USER.found(
                f"These integrations have an API key only: {', '.join(each.id for each in without_user)}.",
                "Set them up with a user besides, or set ACTIVEPIECES_SIGNING_KEY for those on the app's own key.",
            )


def _credentials_of(subject: Subject, integration: Integration) -> Collection[Credential] | None:
    """Those that the integration uses; None if they cannot be decrypted, which is another finding."""
    try:
        own = subject.credential_store.credentials(integration)
    except IntegrationDisabled:
        return None
    if own is not None:
        return own.by_field().values()
    key = subject.client_factory.app_api_key
    return () if key is None else (key,)


def _signs_users(subject: Subject, integration: Integration) -> bool:
    settings = subject.state.settings
    return (
        settings.signing_key is not None
        and not integration.has_credentials
        and not subject.client_factory.shares_project(integration)
    )


def _check_app_key(subject: Subject, server: UsedServer, edition: str) -> Findings:
    key = subject.client_factory.app_api_key
    if key is None or server.url != subject.state.settings.base_url:
        return
    if edition == "ce":
        yield _no_keys(server, "ACTIVEPIECES_API_KEY")
        return
    try:
        # The cheapest call that needs a valid key.
        subject.client_factory.client_with(server.url, key).projects.find("flask-activepieces doctor")
    except (AuthenticationFailed, PermissionDenied):
        yield REJECTED.found(
            f"{server.url} does not accept ACTIVEPIECES_API_KEY.", "Create a new key there, and set it."
        )


def _check_integration(
    subject: Subject, server: UsedServer, integration: Integration, credentials: Collection[Credential]
) -> Findings:
    tenant_id = integration.tenant_id
    if not credentials:
        yield MISSING.found(
            f"Integration {integration.id} uses the app's own key, and ACTIVEPIECES_API_KEY is not set.",
            "Set it, or set the integration up with a key of its own.",
            tenant_id=tenant_id,
        )
    for credential in credentials:
        what = f"The {credential.kind} of integration {integration.id}"
        assert server.info is not None
        if server.info.edition == "ce" and isinstance(credential, ApiKey):
            if integration.has_credentials:
                yield _no_keys(server, what, tenant_id=tenant_id)
            continue
        yield from _check_expiry(subject, what, credential, tenant_id)
        try:
            client = subject.client_factory.client_with(server.url, credential)
            project = client.projects.get(integration.project_id)
            plan = client.server.plan(project.platform_id) if credential.is_user else None
        except AuthenticationFailed:
            if integration.has_credentials:  # otherwise reported for the whole app
                yield REJECTED.found(
                    f"{what} is not accepted by {server.url}.",
                    "Let an admin of the tenant set the integration up again.",
                    tenant_id=tenant_id,
                )
        except (PermissionDenied, ResourceNotFound):
            yield PROJECT.found(
                f"{what} cannot access project {integration.project_id} of {server.url}.",
                "Let an admin of the tenant set the integration up again, and choose a project.",
                tenant_id=tenant_id,
            )
        else:
            if plan is not None and server.info.edition != "ce":
                yield from _check_plan(subject, server, plan)


def _check_plan(subject: Subject, server: UsedServer, plan: Plan) -> Findings:
    """The plan has the features that the configuration relies on."""
    settings, is_configured = subject.state.settings, server.url == subject.state.settings.base_url
    for feature, is_included, is_used in (
        ("API keys", plan.api_keys_enabled, is_configured and settings.api_key is not None),
        ("embedding", plan.embedding_enabled, is_configured and settings.signing_key is not None),
        ("managing pieces", plan.manage_pieces_enabled, subject.state.piece.title is not None),
    ):
        if is_used and not is_included:
            yield PLAN.found(
                f"The plan of {server.url} does not include {feature}.", "Change the plan, or do not use the feature."
            )


def _check_expiry(subject: Subject, what: str, credential: Credential, tenant_id: str) -> Findings:
    if not isinstance(credential, UserToken):
        return
    expires_at = _expiry_of(credential.token)
    if expires_at is not None and subject.state.now() < expires_at < subject.state.now() + _NOTICE:
        yield EXPIRES.found(
            f"{what} expires on {format_for_people(expires_at)}.",
            "Use e-mail and password instead: the app then signs in again automatically.",
            tenant_id=tenant_id,
        )


def _expiry_of(token: str) -> int | None:
    """The ``exp`` of a token, which Activepieces checks, and not we."""
    try:
        claims = json.loads(from_base64url(token.split(".")[1]))
        return int(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, SignatureError):
        return None


def _no_keys(server: UsedServer, what: str, *, tenant_id: str | None = None) -> Finding:
    return KIND.found(
        f"{what} is for the Enterprise Edition or Cloud, and {server.url} is a Community Edition, without API keys.",
        "Use a user token, or e-mail and password.",
        tenant_id=tenant_id,
    )
