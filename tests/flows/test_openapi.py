"""The OpenAPI document describes every route of the JSON API, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.api_client.resources.connection_values import VALUES
from flask_activepieces.state import get_state
from flask_activepieces.web.blueprint import routes
from tests.conftest import MakeApp
from tests.support import api_table
from tests.support.actors import Person, answer_of

API = "/api/integration/activepieces"


@pytest.fixture
def document(stranger: Person) -> dict[str, Any]:
    """The document as the app serves it, without login."""
    return answer_of(stranger.opens(f"{API}/openapi.json"))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_version_is_3_1_and_every_reference_resolves(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_every_route_of_the_api_is_documented(app: Flask, document: dict[str, Any]) -> None:
    existing = {
        (route.endpoint, method.lower())
        for route in routes(get_state(app).settings)
        for method in route.methods
        if route.endpoint.startswith("api_") and route.endpoint != "api_openapi_json"
    }

    documented = {(operation["operationId"], method) for _, method, operation in operations(document)}

    assert documented == existing


def test_every_operation_has_a_permission_summary_and_error_responses(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert operation["x-permission"] in ("view", "edit", "admin"), path
        assert operation["summary"].endswith("."), path
        assert {"401", "403", "500", "503"} <= set(operation["responses"]), path
        assert ("404" in operation["responses"]) >= ("{" in path), (method, path)
    assert document["security"] == [{"session": []}]


def test_every_tag_is_used_and_described(document: dict[str, Any]) -> None:
    (used,) = zip(*(operation["tags"] for *_, operation in operations(document)), strict=True)
    described = [tag["name"] for tag in document["tags"]]

    assert sorted(set(used)) == sorted(described)
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_request_bodies_allow_no_undocumented_field(document: dict[str, Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for *_, operation in operations(document)
        if "requestBody" in operation
    ]

    assert bodies
    for reference in bodies:
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert schema["additionalProperties"] is False, reference


def test_a_field_that_is_never_null_is_not_nullable(document: dict[str, Any]) -> None:
    """Otherwise generated clients would have to check for null."""
    project = document["components"]["schemas"]["Integration"]["properties"]["projectId"]

    assert project == {"type": "string"}


def test_the_examples_are_valid(alice: Person, document: dict[str, Any]) -> None:
    example = {
        name: schema["examples"][0]
        for name, schema in document["components"]["schemas"]["Registration"]["properties"].items()
        if "examples" in schema
    }

    created = answer_of(alice.browser.post(f"{API}/oauth-clients", json=example), 201)

    assert example.items() <= created.items()


def test_the_server_is_the_public_url(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com/suite", SESSION_COOKIE_NAME="suite")

    document = answer_of(Person(app).opens(f"{API}/openapi.json"))

    assert document["servers"] == [{"url": "https://app.example.com/suite"}]
    assert document["components"]["securitySchemes"]["session"]["name"] == "suite"


def test_the_paths_use_the_configured_prefix(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_URL_PREFIX="/automation")

    document = answer_of(Person(app).opens("/automation/openapi.json"))

    assert all(path.startswith("/automation/") for path in document["paths"])


def test_off_loopback_without_a_public_url_the_document_is_not_served(stranger: Person) -> None:
    response = stranger.browser.get(f"{API}/openapi.json", headers={"Host": "app.example.com"})

    assert answer_of(response, 500)["code"] == "server_error"


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert api_table.written() == api_table.table(), "run: python -m tests.support.api_table"


def test_the_command_prints_the_same_document(app: Flask, document: dict[str, Any]) -> None:
    printed = json.loads(app.test_cli_runner().invoke(args=["activepieces", "openapi"]).stdout)

    assert printed | {"servers": document["servers"]} == document


def test_the_fields_of_each_connection_type_are_documented(document: dict[str, Any]) -> None:
    value = document["components"]["schemas"]["NewConnection"]["properties"]["value"]

    types = {schema["title"]: schema for schema in value["anyOf"]}

    assert types.keys() == VALUES.keys()
    assert types["BASIC_AUTH"] == {
        "title": "BASIC_AUTH",
        "type": "object",
        "properties": {
            "type": {"const": "BASIC_AUTH"},
            "username": {"type": "string"},
            "password": {"type": "string"},
        },
        "required": ["username", "password"],
        "additionalProperties": False,
    }
    required = types["OAUTH2"]["required"]
    assert sorted(required) == ["client_id", "client_secret", "code", "redirect_url"]
    assert types["NO_AUTH"]["properties"] == {"type": {"const": "NO_AUTH"}}
    assert types["OIDC"]["required"] == ["props"]
