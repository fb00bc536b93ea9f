"""Repeated calls of the app's actions: which request is the same call, and the first answer of a view.

The answer of a view is kept when its request ends. Then all has succeeded that the app does after its views, such as
a commit.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    after_this_request,
    current_app,
    make_response,
    request,
    request_tearing_down,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from ..errors import ActivepiecesError, Unavailable
from ..oauth.tokens.access_tokens import AccessToken
from ..pieces.declarations import Action
from ..pieces.idempotency import Call
from ..state import get_state
from .api.problems import problem_from
from .error_responses import NO_STORE

log = logging.getLogger(__name__)

KEY_HEADER = "Idempotency-Key"
#: The keys of a call that acts, and of its answer, in the WSGI environment of its request.
_CALL, _ANSWER = "flask_activepieces.call", "flask_activepieces.answer"


def call_of(action: Action, token: AccessToken, fingerprint: str) -> Call | None:
    """The call of the action by the key of this request; None if it need not be recognized."""
    key = request.headers.get(KEY_HEADER)
    if key is None or action.idempotent:
        return None
    return Call.of(key, owner=[*_owner(token), action.name], fingerprint=fingerprint)


def fingerprint_of(content: Any, files: Mapping[str, Sequence[FileStorage]]) -> str:
    """The hash of what a request sends: JSON, and files."""
    contents = {name: [[part.filename, _digest(part)] for part in parts] for name, parts in files.items()}
    return hashlib.sha256(json.dumps([content, contents], sort_keys=True).encode()).hexdigest()


def try_to(step: Callable[..., None], *arguments: Any) -> None:
    """Keep or release a call that has ended, unless the database is unavailable."""
    try:
        step(*arguments)
    except Unavailable:
        # The caller must get the result or error of the action. The claim expires automatically.
        log.warning("The answer of an action was not kept, because the database is unavailable.")


def rollback() -> None:
    """End the transaction of an action that rejected its input or failed: what it wrote is void."""
    current_app.extensions["sqlalchemy"].session.rollback()


def answer_once(view: Callable[[], ResponseReturnValue], token: AccessToken) -> ResponseReturnValue:
    """The answer of the view; if it is an action, a repeated request gets the first answer."""
    # A view and its class may both be protected: then the outer one has the call. Other answers than the view's are
    # not returned, because a decorator above may encode what the view returns.
    if KEY_HEADER not in request.headers or _CALL in request.environ:
        return view()
    try:
        call = _call_of_view(token)
        first = None if call is None else get_state().action_calls.claim(call)
    except ActivepiecesError as error:
        problem = problem_from(error)
        if problem is None:
            raise
        response = problem.to_response()
        response.headers.update(NO_STORE)
        abort(response)
    if call is None:
        return view()
    if first is not None:
        body, status, headers = json.loads(first)
        abort(make_response(body.encode("latin-1"), status, headers))
    request.environ[_CALL] = call
    after_this_request(_remember)
    # Once for each app; other apps do not pay for it with each request.
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    request_tearing_down.connect(_settle, sender=app)
    return view()


def _remember(response: Response) -> Response:
    if 200 <= response.status_code < 300 and not response.is_streamed:
        content = _text(response.get_data()), response.status_code, list(response.headers)
        request.environ[_ANSWER] = json.dumps(content)
    return response


def _settle(app: Flask, exc: BaseException | None = None) -> None:
    """Keep the answer of the request's view, or let the call be repeated, when the request ends."""
    call, answer = request.environ.get(_CALL), request.environ.get(_ANSWER)
    if call is None:
        return
    calls = get_state().action_calls
    if exc is None and answer is not None:
        try_to(calls.keep, call, answer)
    else:
        rollback()
        try_to(calls.release, call)


def _call_of_view(token: AccessToken) -> Call | None:
    definition = get_state().piece.definition()
    for name, route in definition.routes.items():
        # A GET changes nothing, and its answer may be another one the next time.
        if (route.rule, route.method) == (str(request.url_rule), request.method) and request.method != "GET":
            return call_of(definition.actions[name], token, _fingerprint())
    return None


def _fingerprint() -> str:
    form, files = list(request.form.lists()), dict(request.files.lists())
    # Not the bytes of a form, whose boundaries are random.
    body = "" if form or files else _text(request.get_data())
    return fingerprint_of([request.full_path, form, body], files)


def _text(data: bytes) -> str:
    # One character for each byte, whatever they mean.
    return data.decode("latin-1")


def _owner(token: AccessToken) -> list[str]:
    # Not the token itself: a retry may come with a newer one. With other scopes the answer may differ.
    parts = (token.tenant_id, token.organization_id, token.user_id, token.client_id)
    return [*(part or "" for part in parts), " ".join(sorted(token.scopes))]


def _digest(part: FileStorage) -> str:
    digest = hashlib.sha256()
    while chunk := part.stream.read(65_536):
        digest.update(chunk)
    part.stream.seek(0)
    return digest.hexdigest()
