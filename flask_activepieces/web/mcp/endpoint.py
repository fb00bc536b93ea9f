"""``POST /mcp``: streamable HTTP without a session, so that any worker can answer any request.

The answer is JSON; a client that accepts nothing but an event stream gets one with a single event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from ...mcp.json_rpc import (
    INVALID_REQUEST,
    Message,
    RequestId,
    RpcError,
    RpcRequest,
    RpcResponse,
    decode,
    error_text,
    id_of,
    read_message,
    result_text,
)
from ...mcp.mirrored_headers import check_mirrored_headers
from ...mcp.revisions import VERSION_HEADER, Revision, revision_of, revision_of_header
from ...oauth.tokens.access_tokens import AccessToken
from ...state import State, get_state
from ..bearer import TokenRejected
from ..error_responses import NO_STORE, with_server_errors
from ..piece.base import limit_body
from .access import check_scopes, is_within_limits, rejection, seconds_to_wait, token_of_request
from .calls import Agent
from .origin import is_allowed, preflight, with_cors

#: As much as the reference implementation takes.
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_BATCH = 50
_JSON, _EVENTS = "application/json", "text/event-stream"


def mcp() -> Response:
    """Answer an agent."""
    state = get_state()
    if not is_allowed(state, request.headers.get("Origin")):
        return _error(None, RpcError(INVALID_REQUEST, "This Origin may not call the endpoint.", status=403))
    return with_cors(_answer_allowed(state))


@with_server_errors
def _answer_allowed(state: State) -> Response:
    if not state.serves_mcp():
        abort(404)
    if request.method == "OPTIONS":
        return preflight()
    if request.method != "POST":
        # There is no stream to listen to, and no session to end.
        return Response(status=405, headers={"Allow": "POST, OPTIONS"})
    return _post(state)


def _post(state: State) -> Response:
    raw: Any = None
    try:
        token = token_of_request(state)
        _check_media_types()
        raw = decode(_body())
        messages = _messages(raw)
        requests = [message for message in messages if isinstance(message, RpcRequest)]
        # One for the notifications of a body, which cost little.
        if not is_within_limits(state, token, max(1, len(requests))):
            raise RpcError(429, "Too many calls. Try again in a minute.", status=429)
        _check_access(state, token, requests)
        spoken = [(each, _revision(each)) for each in requests]
        agent, in_batch = Agent(state, token), isinstance(raw, list)
        answers = [_answer(state, agent, each, revision, in_batch=in_batch) for each, revision in spoken]
    except TokenRejected as rejected:
        return rejection(state, rejected)
    except RpcError as error:
        response = _error(id_of(raw), error)
        if error.status == 429:
            response.headers["Retry-After"] = str(seconds_to_wait(state))
        return response
    if not answers:
        return Response(status=202)
    if in_batch:
        return _respond(f"[{', '.join(answers)}]")
    return _respond(answers[0])


def _check_media_types() -> None:
    if request.mimetype != _JSON:
        raise RpcError(INVALID_REQUEST, f"The Content-Type must be {_JSON}.", status=415)
    if _accepted() is None:
        raise RpcError(INVALID_REQUEST, f"Accept {_JSON} or {_EVENTS}.", status=406)


def _accepted() -> str | None:
    """The better of the media types that the client accepts; None if it accepts neither."""
    header = request.headers.get("Accept", "")
    # Nearly every client sends this. Werkzeug takes long to weigh types.
    if not header or _JSON in header:
        return _JSON
    return request.accept_mimetypes.best_match((_JSON, _EVENTS))


def _body() -> bytes:
    limit_body(MAX_BODY_BYTES)
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise RpcError(INVALID_REQUEST, "The body is too large.", status=413) from None


def _messages(raw: Any) -> Sequence[Message]:
    header = request.headers.get(VERSION_HEADER)
    if isinstance(raw, list):
        if not revision_of_header(header).has_batches:
            raise RpcError(INVALID_REQUEST, "This revision has no batches: send one message.", status=400)
        messages = [read_message(each) for each in raw]
        if not 0 < len(messages) <= MAX_BATCH:
            raise RpcError(INVALID_REQUEST, f"A batch has 1 to {MAX_BATCH} messages.", status=400)
        if any(isinstance(each, RpcRequest) and each.method == "initialize" for each in messages):
            raise RpcError(INVALID_REQUEST, "'initialize' cannot be in a batch.", status=400)
        return messages
    message = read_message(raw)
    if isinstance(message, RpcResponse) and revision_of_header(header).is_stateless:
        raise RpcError(INVALID_REQUEST, "The server asks nothing, so there is no answer to it.", status=400)
    return [message]


def _check_access(state: State, token: AccessToken, requests: Sequence[RpcRequest]) -> None:
    """Before anything is run: all scopes that the requests need are named at once."""
    needed: frozenset[str] = frozenset()
    for each in requests:
        required = state.mcp.required_scopes(each)
        needed |= required
        if not required <= token.scopes and each.method == "tools/call":
            state.tool_calls.record(token, str(each.params["name"]), "denied")
    check_scopes(token, needed)


def _revision(message: RpcRequest) -> Revision:
    revision = revision_of(message, request.headers.get(VERSION_HEADER))
    if revision.is_stateless:
        check_mirrored_headers(message, request.headers.get)
    return revision


def _answer(state: State, agent: Agent, message: RpcRequest, revision: Revision, *, in_batch: bool) -> str:
    try:
        return result_text(message.id, state.mcp.answer(message, revision, agent))
    except TokenRejected as rejected:
        if not in_batch:
            raise
        # The others of the batch may have run, so it cannot be refused as a whole.
        return error_text(
            message.id, RpcError(INVALID_REQUEST, f"{rejected} It needs: {', '.join(rejected.scope.split())}.")
        )
    except RpcError as error:
        if error.status != 200:
            raise
        return error_text(message.id, error)


def _error(request_id: RequestId | None, error: RpcError) -> Response:
    response = _respond(error_text(request_id, error))
    response.status_code = error.status
    return response


def _respond(text: str) -> Response:
    if _accepted() == _EVENTS:
        headers = {**NO_STORE, "X-Accel-Buffering": "no"}
        return Response(f"event: message\ndata: {text}\n\n", headers=headers, content_type=_EVENTS)
    return Response(text, headers=NO_STORE, content_type=_JSON)
