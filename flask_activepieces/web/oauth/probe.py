"""What a request looks like when it arrives: for ``flask activepieces doctor``, which compares it with the settings.

Only callers who have the app's secret keys get a response. Others get 404, as if the route did not exist.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, request

from ...errors import SignatureError
from ...state import State, get_state
from ..error_responses import NO_STORE

_PURPOSE = "doctor's probe"
#: Seconds.
_LIFETIME = 60


def probe() -> Response:
    """The address of the request, as Flask sees it."""
    state = get_state()
    try:
        state.settings.secret_keys.verify_json(_PURPOSE, request.args.get("ticket", ""), now=state.now())
    except SignatureError:
        abort(404)
    answer: dict[str, Any] = {
        "root_url": request.root_url,
        "remote_addr": request.remote_addr,
        # The clients and proxies that the request came through, as proxies report it.
        "forwarded_for": [
            address.strip() for address in request.headers.get("X-Forwarded-For", "").split(",") if address
        ],
    }
    response = jsonify(answer)
    response.headers.update(NO_STORE)
    return response


def probe_ticket(state: State) -> str:
    """The parameter ``ticket`` of a probe."""
    return state.settings.secret_keys.sign_json(_PURPOSE, {"exp": state.now() + _LIFETIME})
