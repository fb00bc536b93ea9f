"""The OpenAPI document: it tells every route of the JSON API, and nothing that is not so."""

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
    """As the app serves it, also to somebody who has not signed in."""
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


def test_it_is_of_version_3_1_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    for reference in references(document):
        here: Any = document
        for step in reference.removeprefix("#/").split("/"):
            here = here[step]


def test_it_tells_every_route_of_the_api(app: Flask, document: dict[str, Any]) -> None:
    there = {
        (route.endpoint, method.lower())
        for route in routes(get_state(app).settings)
        for method in route.methods
        if route.rule.startswith(API) and route.endpoint != "api_openapi_json"
    }

    told = {(operation["operationId"], method) for _, method, operation in operations(document)}

    assert told == there


def test_every_operation_says_who_may_and_what_for(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert operation["x-permission"] in ("view", "edit", "admin"), path
        assert operation["summary"].endswith("."), path
        assert {"401", "403", "500", "503"} <= set(operation["responses"]), path
        assert ("404" in operation["responses"]) >= ("{" in path), (method, path)
    assert document["security"] == [{"session": []}]


def test_its_operations_come_in_parts_that_say_what_they_are(document: dict[str, Any]) -> None:
    (used,) = zip(*(operation["tags"] for *_, operation in operations(document)), strict=True)
    told = [tag["name"] for tag in document["tags"]]

    assert sorted(set(used)) == sorted(told)
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_a_body_may_hold_nothing_that_is_not_told(document: dict[str, Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for *_, operation in operations(document)
        if "requestBody" in operation
    ]

    assert bodies
    for reference in bodies:
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert schema["additionalProperties"] is False, reference


def test_what_never_is_null_may_not_be(document: dict[str, Any]) -> None:
    """A client made from the document would have to ask in vain."""
    project = document["components"]["schemas"]["Integration"]["properties"]["projectId"]

    assert project == {"type": "string"}


def test_its_examples_are_such_as_it_takes(alice: Person, document: dict[str, Any]) -> None:
    example = {
        name: told["examples"][0]
        for name, told in document["components"]["schemas"]["Registration"]["properties"].items()
        if "examples" in told
    }

    made = answer_of(alice.browser.post(f"{API}/oauth-clients", json=example), 201)

    assert example.items() <= made.items()


def test_its_server_is_the_public_address(make_app: MakeApp) -> None:
    app = make_app(
        ACTIVEPIECES_PUBLIC_URL="https://app.example.com/suite", SESSION_COOKIE_NAME="suite"
    )

    document = answer_of(Person(app).opens(f"{API}/openapi.json"))

    assert document["servers"] == [{"url": "https://app.example.com/suite"}]
    assert document["components"]["securitySchemes"]["session"]["name"] == "suite"


def test_its_paths_follow_the_prefix(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_URL_PREFIX="/automation")

    document = answer_of(Person(app).opens("/automation/openapi.json"))

    assert all(path.startswith("/automation/") for path in document["paths"])


def test_off_loopback_without_a_public_address_nothing_is_told(stranger: Person) -> None:
    response = stranger.browser.get(f"{API}/openapi.json", headers={"Host": "app.example.com"})

    assert answer_of(response, 500)["code"] == "server_error"


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert api_table.written() == api_table.table(), "run: python -m tests.support.api_table"


def test_the_command_prints_the_same_document(app: Flask, document: dict[str, Any]) -> None:
    printed = json.loads(app.test_cli_runner().invoke(args=["activepieces", "openapi"]).stdout)

    assert printed | {"servers": document["servers"]} == document


def test_it_tells_the_fields_of_each_kind_of_value(document: dict[str, Any]) -> None:
    value = document["components"]["schemas"]["NewConnection"]["properties"]["value"]

    kinds = {kind["title"]: kind for kind in value["anyOf"]}

    assert kinds.keys() == VALUES.keys()
    assert kinds["BASIC_AUTH"] == {
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
    required = kinds["OAUTH2"]["required"]
    assert sorted(required) == ["client_id", "client_secret", "code", "redirect_url"]
    assert kinds["NO_AUTH"]["properties"] == {"type": {"const": "NO_AUTH"}}
    assert kinds["OIDC"]["required"] == ["props"]
