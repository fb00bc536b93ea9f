"""The Activepieces servers: reachable, healthy, allowed, and of a known version."""

from __future__ import annotations

from ...api_client.errors import (
    ApiError,
    RateLimited,
    ResourceNotFound,
    RouteNotFound,
    ServerError,
    UnexpectedResponse,
)
from ...api_client.resources.server import release
from ..findings import Finding, Findings, Kind
from ..subject import Subject, UsedServer

UNREACHABLE = Kind(
    "activepieces-unreachable", "error", "Connections cannot be listed or made, and flows do not start."
)
OTHER_SERVICE = Kind("activepieces-wrong-url", "error", "No call succeeds.")
UNHEALTHY = Kind("activepieces-unhealthy", "error", "Calls and flows may fail.")
OLD = Kind("activepieces-version", "warning", "No test has run with this version, and calls may fail.")
TEST_MODE = Kind("activepieces-environment", "warning", "Activepieces does not check the values of new connections.")
NOT_ALLOWED = Kind("server-not-allowed", "error", "The integration is disabled: the app calls allowed servers only.")

#: The oldest version in the recordings.
_OLDEST = (0, 78)


def check_availability(subject: Subject) -> Findings:
    """Each server answers, and the app may call it."""
    for integration in subject.integrations:
        if not subject.is_server_allowed(integration):
            yield NOT_ALLOWED.found(
                f"Integration {integration.id} uses {integration.base_url}.",
                "Add the server to ACTIVEPIECES_ALLOWED_BASE_URLS, or remove the integration.",
                tenant_id=integration.tenant_id,
            )
    for server in subject.servers:
        yield from _check(subject, server)


def _check(subject: Subject, server: UsedServer) -> Findings:
    if server.info is None:
        assert server.error is not None, "a server without information has an error"
        yield _unreachable(server, server.error)
        return
    try:
        is_healthy = subject.anonymous_client(server.url).server.is_healthy()
    except ApiError:
        is_healthy = False
    if not is_healthy:
        yield UNHEALTHY.found(
            f"{server.url} does not report that it is healthy.", "Look at the log of the Activepieces server."
        )
    if release(server.info.version) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        yield OLD.found(
            f"{server.url} has version {server.info.version}.", f"Update Activepieces to {oldest} or later."
        )
    if server.info.environment == "test" and not server.is_loopback:
        yield TEST_MODE.found(f"{server.url} runs with AP_ENVIRONMENT=test.", "Set AP_ENVIRONMENT to prod there.")


def _unreachable(server: UsedServer, error: ApiError) -> Finding:
    if isinstance(error, UnexpectedResponse | RouteNotFound | ResourceNotFound):
        return OTHER_SERVICE.found(
            f"{server.url} does not answer as Activepieces does: {error.detail or error.status}.",
            "Correct ACTIVEPIECES_BASE_URL, or the server of the integration. Browsers use the same address.",
        )
    if isinstance(error, ServerError):
        return UNREACHABLE.found(
            f"{server.url} answers with the status {error.status}.",
            "Start Activepieces behind its proxy, or look at its log.",
        )
    if isinstance(error, RateLimited):
        return UNREACHABLE.found(
            f"{server.url} answers with the status {error.status}: too many requests.",
            "Run the doctor again in some minutes. If it happens again, raise the limit of the server or its proxy.",
        )
    if error.status is not None:
        return UNREACHABLE.found(
            f"{server.url} answers with the status {error.status} to a request that needs no credential.",
            "Let its proxy or firewall admit requests of this app.",
        )
    return UNREACHABLE.found(
        f"{server.url} cannot be reached: {error.detail}.",
        "Start Activepieces, and check its address and the network.",
    )
