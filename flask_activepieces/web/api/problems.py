"""How our JSON API says that something went wrong: problem details (RFC 9457), never a stack trace."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ...errors import (
    ActivepiecesError,
    AuthorizationDeclined,
    ConnectionInUse,
    IntegrationDisabled,
    InvalidInput,
    NotFound,
    SetupError,
    SignatureError,
    Unavailable,
)
from ...host.interface import Permission, Principal
from ...oauth.authorization.request import NoRedirect, Refused
from ...state import State, get_state
from ...storage.database_errors import translate_error
from ..csrf import ask_host_protection
from ..setup_reports import DESCRIPTION, report

Api = Callable[..., ResponseReturnValue]

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MOST_BYTES = 256 * 1024


class Problem(ActivepiecesError):
    """Raised to answer with this status, title and detail."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.more = more
        super().__init__(detail)

    @property
    def code(self) -> str:
        """The title as one word, for programs: ``not_found``."""
        return re.sub(r"[^a-z]+", "_", self.title.lower()).strip("_")


def api(view: Api) -> Api:
    """A view of the JSON API: cross-site calls by cookie are refused, and errors are problem details."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        try:
            request.max_content_length = MOST_BYTES
            _refuse_cross_site_call(get_state())
            response = make_response(view(*args, **kwargs))
        except Exception as error:
            problem = _problem_of(error)
            if problem is None:
                raise
            response = _response(problem)
        # Answers are about one signed-in person, and some hold a secret.
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


def json_object() -> dict[str, Any]:
    """The request's JSON, which must be an object."""
    try:
        body = request.get_json()
    except RecursionError:
        raise Problem(400, "Bad Request", "The JSON is nested too deeply.") from None
    if not isinstance(body, dict):
        raise InvalidInput({"body": "it must be a JSON object"})
    return body


def caller(state: State, permission: Permission) -> Principal:
    """The signed-in principal with this permission; `Problem` 401 or 403 for anyone else."""
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(401, "Not signed in", "Sign in first.")
    if not state.host.allows(principal, permission):
        raise Problem(
            403, "Not allowed", f"This needs the permission {permission!r} in your workspace."
        )
    return principal


def _refuse_cross_site_call(state: State) -> None:
    # A browser says where a request comes from, and a script cannot make it lie (Fetch Metadata; RFC 6454 §7).
    # What is no browser sends neither header, and has no cookies that somebody else could ride on: a host that does
    # not rely on that has a protection of its own.
    if request.method in _SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        ask_host_protection()
    elif site not in (None, "same-origin", "none") or (
        site is None and origin is not None and origin not in _own_origins(state)
    ):
        raise Problem(403, "Cross-site call", "This call must come from a page of this app.")


def _own_origins(state: State) -> set[str]:
    # RFC 6454 §4: the scheme is part of it. Whoever can write into plain http is not the app that is served by https.
    asked_for = _origin(request.host_url)
    if state.settings.public_url is None:
        return {asked_for}
    public = _origin(state.settings.public_url)
    # A proxy may ask for us under a name of its own; browsers know the public one.
    same_host = urlsplit(asked_for).netloc == urlsplit(public).netloc
    return {public} if same_host else {public, asked_for}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _problem_of(error: Exception) -> Problem | None:
    match translate_error(error) if isinstance(error, SQLAlchemyError) else error:
        case Problem() as problem:
            return problem
        case InvalidInput(fields=fields) as invalid:
            return Problem(422, "Invalid input", str(invalid), fields=fields)
        case NotFound() as missing:
            return Problem(404, "Not found", str(missing))
        case SignatureError() as stale:
            return Problem(400, "Out of date", f"Nothing was changed: {stale}. Start again.")
        case NoRedirect(message=message, remedy=remedy):
            return Problem(400, message, remedy)
        case Refused(error=refusal):
            return Problem(403, "Refused", str(refusal.description))
        case IntegrationDisabled() as off:
            return Problem(409, "Disabled", str(off))
        case ConnectionInUse(flow_ids=flow_ids) as used:
            return Problem(409, "In use", str(used), flowIds=list(flow_ids))
        case AuthorizationDeclined() as declined:
            return Problem(403, "Declined", str(declined))
        case Unavailable(retry_after=seconds) as away:
            return Problem(503, "Not available", str(away), retry_after=seconds)
        case SetupError() as incomplete:
            reference = report(incomplete, request=f"{request.method} {request.path}")
            return Problem(500, "Server error", DESCRIPTION.format(reference), reference=reference)
        case HTTPException(code=int(code), name=name, description=detail) if code >= 400:
            return Problem(code, name, detail or name)
    return None


def _response(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    response = Response(
        json.dumps(body | problem.more), problem.status, content_type="application/problem+json"
    )
    if "retry_after" in problem.more:
        response.headers["Retry-After"] = str(problem.more["retry_after"])
    return response
