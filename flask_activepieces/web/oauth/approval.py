"""The way back to the client: one place that makes a code, and one that sends the browser off."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from ...oauth.authorization import consent
from ...oauth.authorization.consent import Choice, Question
from ...oauth.authorization.request import Refused
from ...oauth.grants import Grant
from ...state import State
from ...storage.audit import Event


def approval_url(state: State, question: Question, choice: Choice) -> str:
    """Where the browser takes the user's yes, once it is stored as a grant."""
    grant = state.grants.approve(
        question.client, question.principal, choice.workspace, choice.names
    )
    return code_url(state, question, grant, choice.names)


def code_url(state: State, question: Question, grant: Grant, names: Sequence[str]) -> str:
    """Where the browser takes a code that stands for this grant, or a part of it."""
    issuer = state.issuer()
    code = consent.code_for(
        state.settings.secret_keys,
        question,
        grant,
        names,
        issuer=issuer,
        now=state.now(),
        lifetime=state.settings.code_ttl,
    )
    return question.request.answer_url(issuer, {"code": code})


def denial(state: State, question: Question) -> Refused:
    """The user's no, written down; raise it to tell the client."""
    event = Event(
        name="grant.denied",
        at=state.now(),
        tenant_id=question.principal.tenant_id,
        user_id=question.principal.user_id,
        client_id=question.client.client_id,
    )
    state.database.run_in_transaction(lambda transaction: state.audit.record(transaction, event))
    return consent.denied(question.request)


def go(url: str) -> Response:
    """RFC 9700 §4.12: 303, so that no browser posts the consent form on to the client."""
    response = Response(status=303)
    # Set as it is: Werkzeug would "correct" a URI of a private scheme.
    response.autocorrect_location_header = False
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
