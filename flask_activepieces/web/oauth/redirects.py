"""The redirect back to the client, with a code or an error."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from ...oauth.authorization import consent
from ...oauth.authorization.consent import Choice, Question
from ...oauth.authorization.request import Refused
from ...oauth.grants import Grant
from ...state import State
from ...storage.audit import Event


def approve(state: State, question: Question, choice: Choice) -> str:
    """Store the user's approval as a grant, and return the URL that takes a code to the client."""
    grant = state.grants.approve(
        question.client, question.principal, choice.workspace, choice.names
    )
    return code_url(state, question, grant, choice.names)


def code_url(state: State, question: Question, grant: Grant, scopes: Sequence[str]) -> str:
    """The URL that takes a code for these scopes of the grant to the client."""
    issuer = state.issuer()
    code = consent.code_for(
        state.settings.secret_keys,
        question,
        grant,
        scopes,
        issuer=issuer,
        now=state.now(),
        lifetime=state.settings.code_ttl,
    )
    return question.request.answer_url(issuer, {"code": code})


def deny(state: State, question: Question) -> str:
    """Record the user's denial, and return the URL that takes it to the client."""
    event = Event(
        name="grant.denied",
        at=state.now(),
        tenant_id=question.principal.tenant_id,
        user_id=question.principal.user_id,
        client_id=question.client.client_id,
    )
    state.database.run_in_transaction(lambda transaction: state.audit.record(transaction, event))
    return error_url(state, consent.denied(question.request))


def error_url(state: State, error: Refused) -> str:
    """The URL that takes the error to the client."""
    return error.answer_url(state.issuer())


def see_other(url: str) -> Response:
    """RFC 9700 §4.12: 303, so that no browser posts the consent form to the client."""
    response = Response(status=303)
    # Werkzeug would change a URI with a private scheme.
    response.autocorrect_location_header = False
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
