"""The JSON API as an OpenAPI 3.1 document, generated from the declarations of the views."""

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
from marshmallow.validate import OneOf

from ...state import get_state
from ..routes import NAME, View
from .operations import Operation, get_operation, json_view
from .problems import UPSTREAM_PROBLEMS, ProblemType

#: The meaning of each status of a problem.
PROBLEMS = {
    400: "The body is not JSON, or the request is out of date.",
    401: "No one is signed in.",
    403: "The user does not have the permission, or the call comes from another site.",
    404: "Not found in this tenant.",
    409: "Not possible in the current state; `detail` says why, and what to do first.",
    413: "The body is larger than 256 KiB.",
    415: "The content type is not JSON.",
    422: "Invalid values: `fields` names them. Or Activepieces rejected them, and `detail` says why.",
    500: "The app is not fully set up: its log names the cause with this `reference`.",
    502: "Activepieces cannot be reached, failed, rejected the credentials, or another server answers there.",
    503: "The database is unavailable or Activepieces is busy: retry after `retry_after` seconds.",
    504: "Activepieces did not respond in time, so the result of the call is unknown.",
}

#: The tags, by the module of the views.
TAGS = {
    "integrations": ("Setup", "The integration of a tenant, and its credentials."),
    "connections": ("Connections", "A tenant's connections; their values are write-only."),
    "mcp": ("MCP", "The MCP server of a project."),
    "projects": (
        "Projects and flows",
        "Projects, flows and runs in Activepieces, read-only; and the embedded builder.",
    ),
    "oauth_clients": ("OAuth clients", "The programs that may call the app."),
}
TAGS["connect"] = TAGS["connections"]
TAGS["client_policy"] = TAGS["oauth_clients"]


class ProblemSchema(Schema):
    """A problem (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(
        required=True,
        validate=OneOf([kind.code for kind in ProblemType]),
        metadata={"description": "what happened, for programs"},
    )
    detail = fields.String(required=True, metadata={"description": "the same for people"})
    fields_ = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="fields",
        metadata={"description": "with 422: the problem with each field"},
    )
    flow_ids = fields.List(
        fields.String(),
        data_key="flowIds",
        metadata={"description": "with `in_use`: the flows that use the connection"},
    )
    retry_after = fields.Integer(metadata={"description": "with 503: seconds to wait"})


@json_view
def openapi_json() -> ResponseReturnValue:
    """The document, for everyone: it reveals nothing about any tenant."""
    return jsonify(openapi_document(current_app, server=get_state().issuer()))


def openapi_document(app: Flask, *, server: str | None = None) -> dict[str, Any]:
    """The document of this app; paths are relative to ``server``, or to the document's own root."""
    spec = APISpec(
        title="Activepieces integration",
        version=version("flask-activepieces"),
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin()],
        servers=[{"url": server or "/"}],
        security=[{"session": []}],
        info={"description": "What a tenant manages on Activepieces. Errors are RFC 9457 problems."},
    )
    spec.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    )
    spec.components.schema("Problem", schema=ProblemSchema)
    for status, description in PROBLEMS.items():
        content = {"application/problem+json": {"schema": "Problem"}}
        spec.components.response(f"Problem{status}", {"description": description, "content": content})
    for name, description in dict.fromkeys(TAGS.values()):
        spec.tag({"name": name, "description": description})
    for path, operations in _paths(app).items():
        spec.path(path, operations=operations)
    return spec.to_dict()


def _paths(app: Flask) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        view = cast(View, app.view_functions[rule.endpoint])
        operation = get_operation(view) if rule.endpoint.startswith(f"{NAME}.") else None
        if operation is not None:
            names = re.findall(r"<(\w+)>", rule.rule)
            endpoint = rule.endpoint.removeprefix(f"{NAME}.")
            described = _describe(endpoint, operation, view, names)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
                paths.setdefault(path, {})[method.lower()] = described
    return paths


def _describe(endpoint: str, operation: Operation, view: View, names: list[str]) -> dict[str, Any]:
    summary, _, description = (inspect.getdoc(view) or "").partition("\n\n")
    tag, _ = TAGS[view.__module__.rpartition(".")[2]]
    described: dict[str, Any] = {
        "operationId": endpoint,
        "summary": summary,
        "tags": [tag],
        "x-permission": operation.permission,
        "parameters": [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}} for name in names
        ],
        "responses": {str(operation.status): {"description": HTTPStatus(operation.status).phrase}}
        | {str(status): f"Problem{status}" for status in _problem_statuses(operation, names)},
    }
    if operation.answer:
        content = {"application/json": {"schema": operation.answer}}
        described["responses"][str(operation.status)]["content"] = content
    if description:
        described["description"] = description
    if operation.query:
        described["parameters"].append({"in": "query", "schema": operation.query})
    if operation.body:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"required": not operation.body_optional, "content": content}
    return described


def _problem_statuses(operation: Operation, names: list[str]) -> list[int]:
    statuses = {401, 403, 500, 503}
    if operation.calls_activepieces:
        statuses |= {kind.status for kind in UPSTREAM_PROBLEMS}
    if operation.success == 303:
        # A form or a link, with a page token or a state that can expire.
        statuses.add(400)
    if names:
        statuses.add(404)
    if operation.query:
        statuses.add(422)
    if operation.body:
        statuses |= {400, 413, 415, 422}
    return sorted(statuses)
