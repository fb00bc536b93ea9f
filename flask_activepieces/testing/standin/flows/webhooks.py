"""Webhooks, which start flows and may wait for their response."""

from __future__ import annotations

import json

from flask import Request, Response, request

from ..pieces.piece import StepFailed, WebhookResponse
from ..routing.bodies import nested
from ..routing.responses import ErrorResponse, Json, Row, framework_error, respond
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..state import ServerState
from ..triggers.events import receive_sample
from ..triggers.hooks import call_hook, find_trigger
from ..triggers.runs import run_in_background, run_now
from ..versions import NO_ANSWER_IS_408
from .rows import published_version
from .runs import is_over_quota

group = RouteGroup("webhooks", reads_bodies=False)

_ID = "/webhooks/<flowId>"
#: The largest body of a webhook, in bytes (AP_MAX_WEBHOOK_PAYLOAD_SIZE_MB, 25 by default).
_MAX_BYTES = 25 * 1024 * 1024


def _flow(call: RouteCall) -> Row:
    """The flow to start. Unknown flows are 410, disabled ones 404, both with an empty object."""
    flow = _any_flow(call)
    if flow["status"] != "ENABLED":
        raise ErrorResponse(404, {})
    return flow


def _any_flow(call: RouteCall) -> Row:
    flow = call.state.store.get("flow", call.params["flowId"])
    if flow is None:
        raise ErrorResponse(410, {})
    return flow


@group.route("GET", _ID, who=PUBLIC)
@group.route("POST", _ID, who=PUBLIC)
def start(call: RouteCall) -> tuple[int, Json] | Response:
    """Start a flow without waiting for it."""
    flow, payload = _flow(call), payload_of(request)
    handshake = _handshake(call.state, flow, payload)
    if handshake is not None:
        return handshake
    run_in_background(call.state, flow, payload)
    return 200, {}


@group.route("GET", f"{_ID}/test", who=PUBLIC)
@group.route("POST", f"{_ID}/test", who=PUBLIC)
def sample(call: RouteCall) -> tuple[int, Json]:
    """Accept sample data for the builder, also for a flow that is not enabled yet; nothing runs."""
    receive_sample(call.state, _any_flow(call), payload_of(request))
    return 200, {}


@group.route("GET", f"{_ID}/sync", who=PUBLIC)
@group.route("POST", f"{_ID}/sync", who=PUBLIC)
def start_and_wait(call: RouteCall) -> Response:
    """Start a flow and wait for its response. If the flow sends none or fails, wait for the timeout."""
    state = call.state
    began = state.clock()
    flow, payload = _flow(call), payload_of(request)
    handshake = _handshake(state, flow, payload)
    if handshake is not None:
        return handshake
    outcome = run_now(state, flow, payload)
    if is_over_quota(state):
        return respond(402, {})
    if outcome.response is None:
        state.sleep(max(0.0, state.webhook_timeout - (state.clock() - began)))
        return respond(408, {}) if state.has(NO_ANSWER_IS_408) else respond(204)
    return _as_response(outcome.response)


def _handshake(state: ServerState, flow: Row, payload: Row) -> Response | None:
    """The piece's response to a handshake; None for any other request, or if the piece fails."""
    version = published_version(state, flow)
    found = find_trigger(state, version) if version else None
    if found is None or (found.trigger.handshake_header or "") not in payload["headers"]:
        return None
    try:
        answer = call_hook(state, flow, found, found.trigger.on_handshake, payload=payload)
    except StepFailed:
        return None
    return _as_response(WebhookResponse(answer["status"], answer.get("headers") or {}, answer.get("body")))


def _as_response(answer: WebhookResponse) -> Response:
    if isinstance(answer.body, str):
        response = Response(answer.body, answer.status, content_type="text/plain; charset=utf-8")
    else:
        response = respond(answer.status, answer.body)
    for name, value in answer.headers.items():
        response.headers[name] = str(value)
    return response


def payload_of(received: Request) -> Row:
    """The payload that a webhook passes to its flow."""
    raw = received.get_data(cache=True, parse_form_data=False)
    if len(raw) > _MAX_BYTES:
        raise framework_error(413, "Request body is too large", code="FST_ERR_CTP_BODY_TOO_LARGE")
    payload: Row = {
        "method": received.method,
        "headers": {name.lower(): value for name, value in received.headers},
        "queryParams": nested(received.args.items(multi=True)),
        "rawBody": raw.decode("utf-8", "replace"),
    }
    return payload | ({"body": _body(received, raw)} if raw else {})


def _body(received: Request, raw: bytes) -> Json:
    if received.mimetype == "application/x-www-form-urlencoded":
        return nested(received.form.items(multi=True))
    if received.mimetype != "application/json":
        return raw.decode("utf-8", "replace")
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        at = f"position {error.pos} (line {error.lineno} column {error.colno})"
        raise framework_error(400, f"{error.msg} in JSON at {at}") from None
