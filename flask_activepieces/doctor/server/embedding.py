"""The embedded builder: the app's signature, its origin, and the users whose access has ended.

The signature is checked with a token that has expired. As recorded on a 0.85.2 server, Activepieces refuses a wrong
signature as such, and an expired token only after that; for neither does it create a user or a project.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from ...api_client.connection_pool import ConnectionPool
from ...api_client.embedding_token import EmbeddedUser, sign_embedding_token
from ...api_client.errors import ApiError, AuthenticationFailed, RouteNotFound
from ...api_client.wire import HttpRequest, Timeout
from ...clock import CLOCK_SKEW, format_for_people
from ...integrations.client_factory import site_url
from ...integrations.embedding.builder import TOKEN_LIFETIME
from ..findings import Findings, Kind
from ..subject import Subject

NO_API_KEY = Kind("embed-api-key", "error", "No one can open the builder: their access could not be ended again.")
SIGNING_KEY = Kind("embed-signing-key", "error", "Activepieces signs no one in to the builder.")
ORIGIN = Kind("embed-origin", "error", "Browsers refuse to show the builder on pages of the app.")
MEMBERS = Kind("embed-members", "error", "These users still have access to the flows of the tenant.")

_DOCTOR = "flask-activepieces-doctor"
#: What Activepieces answers to an expired token with a correct signature.
_EXPIRED = "jwt expired"
_TIMEOUT = Timeout(connect=5, read=10, total=15)
#: In a Content-Security-Policy.
_ANCESTORS = re.compile(r"frame-ancestors([^;]*)")


def check_embedding(subject: Subject) -> Findings:
    """Only if the app has a signing key, or has had one."""
    yield from _check_members(subject)
    settings = subject.state.settings
    if settings.signing_key is None:
        return
    if settings.api_key is None:
        yield NO_API_KEY.found(
            "ACTIVEPIECES_SIGNING_KEY is set, and ACTIVEPIECES_API_KEY is not.",
            "Set it to an API key of the same platform.",
        )
    yield from _check_signing_key(subject)
    yield from check_origin(settings.public_url, site_url(settings.base_url))


def _check_members(subject: Subject) -> Findings:
    # An earlier removal may have to be repeated when the last token has expired.
    overdue = subject.state.now() - TOKEN_LIFETIME - CLOCK_SKEW
    users = subject.state.tenants.embedding.provisioning.list(tenant_id=subject.tenant_id)
    left = [user for user in users if user.removal_due_at is not None and user.removal_due_at < overdue]
    if left:
        since = min(user.removal_due_at for user in left if user.removal_due_at is not None)
        yield MEMBERS.found(
            f"Users to be removed from Activepieces: {len(left)}, the first since {format_for_people(since)}.",
            "Run flask activepieces embedding check, and then every few minutes.",
        )


def _check_signing_key(subject: Subject) -> Findings:
    """Activepieces knows the key by its id."""
    settings = subject.state.settings
    is_answering = any(server.url == settings.base_url and server.info is not None for server in subject.servers)
    if settings.signing_key is None or settings.signing_key_id is None or not is_answering:
        return
    user = EmbeddedUser(
        external_user_id=_DOCTOR, external_project_id=_DOCTOR, first_name="Doctor", last_name="Doctor"
    )
    token = sign_embedding_token(settings.signing_key, settings.signing_key_id, user, now=0, lifetime=1)
    try:
        subject.anonymous_client(settings.base_url).embedding.exchange(token)
    except (AuthenticationFailed, RouteNotFound) as error:
        if error.detail != _EXPIRED:
            yield SIGNING_KEY.found(
                f"{settings.base_url} does not accept what the app signs: {error.detail or error.status}.",
                "Set ACTIVEPIECES_SIGNING_KEY_ID and ACTIVEPIECES_SIGNING_KEY to a signing key of that platform."
                " Activepieces shows the key once; if it is lost, create a new one.",
            )


def check_origin(public_url: str | None, site: str) -> Findings:
    """Pages of the public URL may show the builder of this site."""
    if public_url is None:
        return
    request = HttpRequest(method="GET", url=f"{site}/embed", headers={"Accept": "text/html"})
    try:
        response = ConnectionPool().send(
            "doctor.embed", request, timeout=_TIMEOUT, deadline=time.monotonic() + _TIMEOUT.total
        )
    except ApiError:
        return  # another finding
    found = _ANCESTORS.search(response.headers.get("content-security-policy", ""))
    parts = urlsplit(public_url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if found is not None and not {origin, "*"} & set(found[1].lower().split()):
        yield ORIGIN.found(
            f"The builder of {site} may be shown on pages of {found[1].strip() or 'no site'}, and not of {origin}.",
            "Run flask activepieces embedding allow. Activepieces needs up to three minutes to apply it.",
        )
