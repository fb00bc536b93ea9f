"""The redirect back to the client, with a code or an error."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from ...oauth.authorization import consent
from ...oauth.authorization.consent import ConsentDecision, ConsentRequest
from ...oauth.authorization.request import AuthorizationErrorResponse
from ...oauth.grants import Grant
from ...state import State
from ...storage.audit import Event


def approve(state: State, consent_request: ConsentRequest, decision: ConsentDecision) -> str:
    """Store the user's approval as a grant, and return the URL that takes a code to the client."""
    grant = state.grants.approve(
        consent_request.client, consent_request.principal, decision.workspace, decision.scopes
    )
    return code_url(state, consent_request, grant, decision.scopes)


def code_url(state: State, consent_request: ConsentRequest, grant: Grant, scopes: Sequence[str]) -> str:
    """The URL that takes a code for these scopes of the grant to the client."""
    issuer = state.issuer()
    code = consent_request.issue_code(state.code_issuer, grant, scopes, issuer=issuer)
    return consent_request.request.response_url(issuer, {"code": code})


def deny(state: State, consent_request: ConsentRequest) -> str:
    """Record the user's denial, and return the URL that takes it to the client."""
    event = Event(
        name="grant.denied",
        at=state.now(),
        tenant_id=consent_request.principal.tenant_id,
        user_id=consent_request.principal.user_id,
        client_id=consent_request.client.client_id,
    )
    state.database.run_in_transaction(lambda transaction: state.audit.record(transaction, event))
    return error_url(state, consent.access_denied(consent_request.request))


def error_url(state: State, error: AuthorizationErrorResponse) -> str:
    """The URL that takes the error to the client."""
    return error.response_url(state.issuer())


def see_other(url: str) -> Response:
    """RFC 9700 §4.12: 303, so that no browser posts the consent form to the client."""
    response = Response(status=303)
    # Werkzeug would change a URI with a private scheme.
    response.autocorrect_location_header = False
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
