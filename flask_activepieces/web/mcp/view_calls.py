"""Calls a view of the app as a tool: a request within the app, with the caller's token, that no network sees.

So all that the app does for such a request, it does for an agent too: hooks, decorators, error handlers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder, run_wsgi_app

from ...errors import InvalidInput
from ...oauth.tokens.access_tokens import AccessToken
from ...pieces.definition import ViewRoute
from ...pieces.files import FileResult
from ...sentences import detail_of, field_sentences
from ..bearer import VERIFIED_TOKEN
from .files import without_files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WITHOUT_BODY = ("GET", "DELETE")
_INVALID = "Fill in a valid value."


class ViewRejected(Exception):
    """Raised for an answer of the view that is an error."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"The view answered with status {response.status_code}.")


def call_view(route: ViewRoute, arguments: Mapping[str, Any], token: AccessToken) -> Any:
    """The output of the view; `ViewRejected` if it answers with an error."""
    in_path = {name: arguments.get(name) for name in route.path_params}
    others = {name: value for name, value in arguments.items() if name not in in_path}
    options: dict[str, Any] = {"query_string": _query(others)} if route.method in _WITHOUT_BODY else _body(others)
    builder = EnvironBuilder(
        method=route.method,
        path=_path(route, in_path),
        base_url=request.root_url,
        environ_base={"REMOTE_ADDR": request.remote_addr or ""},
        headers=Headers({"Accept": "application/json", "User-Agent": request.headers.get("User-Agent", "")}),
        **options,
    )
    try:
        environ = {**builder.get_environ(), VERIFIED_TOKEN: token}
    finally:
        builder.close()
    if in_path and not _leads_to(route, environ):
        raise InvalidInput(dict.fromkeys(in_path, _INVALID))
    # Its own context, and so its own database session.
    with current_app.app_context():
        response = Response(*run_wsgi_app(current_app.wsgi_app, environ, buffered=True))
    return _output(response)


def sentence_of(response: Response) -> str:
    """What an answer that is an error says to people."""
    body = response.get_json(silent=True)
    problem = body if isinstance(body, dict) else {}
    said = field_sentences(problem) or detail_of(problem)
    return said or f"The app answered with status {response.status_code}."


def _leads_to(route: ViewRoute, environ: WSGIEnvironment) -> bool:
    """Whether the app takes the request to this route, or answers with an error.

    WSGI decodes the path before the route is chosen, and ``/tasks/all`` may be another route than
    ``/tasks/<task_id>``.
    """
    try:
        adapter = current_app.create_url_adapter(current_app.request_class(environ))
        assert adapter is not None
        rule, _ = adapter.match(return_rule=True)
    except HTTPException:
        return True
    return rule.rule == route.rule


def _path(route: ViewRoute, values: Mapping[str, Any]) -> str:
    path = route.path
    for name, value in values.items():
        text = "" if value is None else str(value)
        if text in ("", ".", ".."):
            raise InvalidInput({name: _INVALID})
        path = path.replace(f"{{{name}}}", quote(text, safe=""), 1)
    return path


def _query(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Lists are repeated names; objects are JSON, as no query has a form for them."""
    return {
        name: [_query_text(each) for each in (value if isinstance(value, list) else [value])]
        for name, value in values.items()
    }


def _query_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    parts: list[tuple[str, Any]] = []
    plain = without_files(dict(values), "", parts)
    if not parts:
        return {"json": plain}
    form: dict[str, list[Any]] = {
        "input": [json.dumps({name: plain[name] for name in plain if _is_plain(plain[name])})]
    }
    for name, file in parts:
        form.setdefault(name, []).append((file.stream, file.filename, file.content_type))
    return {"data": form, "content_type": "multipart/form-data"}


def _is_plain(value: Any) -> bool:
    """Whether the value is not itself a file: such a value is found in its part alone."""
    return not (isinstance(value, dict) and set(value) == {"$file"})


def _output(response: Response) -> Any:
    if response.status_code >= 300:
        raise ViewRejected(response)
    if not response.data:
        return None
    if response.is_json:
        return json.loads(response.data)
    if (response.mimetype or "").startswith("text/"):
        return response.get_data(as_text=True)
    disposition = response.headers.get("Content-Disposition", "")
    name = disposition.partition("filename=")[2].partition(";")[0].strip('" ') or "file"
    return FileResult(name, response.data, response.content_type or "application/octet-stream")
