"""The JSON API as an OpenAPI 3.1 document, made from what the views declare: it cannot say what they do not do."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields

from ...state import get_state
from ..routes import NAME, View
from .operations import Operation, declaration_of
from .problems import api

#: What each status of a problem says, wherever it comes.
PROBLEMS = {
    400: "The body is no JSON, or what was begun is out of date.",
    401: "Nobody is signed in.",
    403: "The host does not permit it to this user, or another site made the call.",
    404: "There is no such thing in this tenant.",
    409: "It cannot be done as things are; `detail` says why, and what to do first.",
    413: "The body is larger than 256 KiB.",
    415: "The body does not say that it is JSON.",
    422: "Values do not fit: `fields` says which. Or Activepieces refused them, and `detail` has its words.",
    500: "The app is not fully set up: the log says what is missing, under `reference`.",
    502: "Activepieces cannot be reached, failed, refused our credential, or is not what answers there.",
    503: "The database is away, or Activepieces is busy: try again after `retry_after` seconds.",
    504: "Activepieces did not answer in time, so what became of the call is not known.",
}

#: The parts of the API.
TAGS = {
    "Setup": "The integration of a tenant, and its credentials.",
    "Connections": "A tenant's connections; their values come out nowhere.",
    "MCP": "The MCP server of a project.",
    "Projects and flows": "What there is on Activepieces, to be looked at.",
    "OAuth clients": "The programs that may call the app.",
}
#: In which part the views of a file are.
TAG_OF = {
    "setup": "Setup",
    "connections": "Connections",
    "connect": "Connections",
    "mcp": "MCP",
    "resources": "Projects and flows",
    "oauth_clients": "OAuth clients",
}


class ProblemSchema(Schema):
    """RFC 9457, with a word for programs."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "what happened, in one word"})
    detail = fields.String(required=True, metadata={"description": "the same for people"})
    fields_ = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="fields",
        metadata={"description": "with 422: what is wrong with each field"},
    )
    flow_ids = fields.List(
        fields.String(),
        data_key="flowIds",
        metadata={"description": "of a connection in use: the flows that would fail without it"},
    )
    retry_after = fields.Integer(metadata={"description": "with 503: seconds to wait"})


@api
def openapi_json() -> ResponseReturnValue:
    """The document itself, for everybody: it tells nothing of any tenant."""
    return jsonify(openapi_document(current_app, server=get_state().issuer()))


def openapi_document(app: Flask, *, server: str | None = None) -> dict[str, Any]:
    """The document of this app; paths begin at ``server``, or at the document's own root."""
    spec = APISpec(
        title="Activepieces integration",
        version=version("flask-activepieces"),
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin()],
        servers=[{"url": server or "/"}],
        security=[{"session": []}],
        info={
            "description": "What a tenant manages on Activepieces. Errors are RFC 9457 problems."
        },
    )
    spec.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    )
    spec.components.schema("Problem", schema=ProblemSchema)
    for status, description in PROBLEMS.items():
        content = {"application/problem+json": {"schema": "Problem"}}
        spec.components.response(_name(status), {"description": description, "content": content})
    for name, description in TAGS.items():
        spec.tag({"name": name, "description": description})
    for path, operations in _paths(app).items():
        spec.path(path, operations=operations)
    return spec.to_dict()


def _paths(app: Flask) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        view = cast(View, app.view_functions[rule.endpoint])
        declared = declaration_of(view) if rule.endpoint.startswith(f"{NAME}.") else None
        if declared is not None:
            path, names = _path(rule.rule)
            operation = _operation(rule.endpoint.removeprefix(f"{NAME}."), declared, view, names)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                paths.setdefault(path, {})[method.lower()] = operation
    return paths


def _path(rule: str) -> tuple[str, list[str]]:
    """A rule as OpenAPI writes it, and the names in it."""
    return re.sub(r"<(\w+)>", r"{\1}", rule), re.findall(r"<(\w+)>", rule)


def _operation(endpoint: str, declared: Operation, view: View, names: list[str]) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(view) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": endpoint,
        "summary": summary,
        "tags": [TAG_OF[view.__module__.rpartition(".")[2]]],
        "x-permission": declared.permission,
        "parameters": [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {str(declared.status): _success(declared)}
        | {str(status): _name(status) for status in _problem_statuses(declared, names)},
    }
    if more:
        operation["description"] = more
    if declared.query:
        operation["parameters"].append({"in": "query", "schema": declared.query})
    if declared.body:
        content = {"application/json": {"schema": declared.body}}
        operation["requestBody"] = {"required": not declared.body_optional, "content": content}
    return operation


def _success(declared: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(declared.status).phrase}
    if declared.answer:
        described["content"] = {"application/json": {"schema": declared.answer}}
    return described


def _problem_statuses(declared: Operation, names: list[str]) -> list[int]:
    found = {401, 403, 500, 503, *declared.problems}
    if names:
        found.add(404)
    if declared.query:
        found.add(422)
    if declared.body:
        found |= {400, 413, 415, 422}
    return sorted(found)


def _name(status: int) -> str:
    return f"Problem{status}"
