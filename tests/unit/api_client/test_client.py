"""Creating a client."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flask_activepieces import api_client as package
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import EmailPassword
from flask_activepieces.api_client.errors import AuthenticationFailed
from flask_activepieces.api_client.resources.resource import Resource
from tests.support.scripted_pool import ScriptedPool, json_answer


def test_an_address_and_a_key_are_enough() -> None:
    client = ActivepiecesClient(base_url="https://ap.example.com", api_key="sk-canary")

    assert repr(client) == "<ActivepiecesClient of https://ap.example.com/api/v1, API key>"


def test_there_is_exactly_one_credential() -> None:
    both = EmailPassword("ada@example.com", "pw")

    with pytest.raises(ValueError, match="either"):
        ActivepiecesClient("https://ap.example.com")
    with pytest.raises(ValueError, match="either"):
        ActivepiecesClient("https://ap.example.com", "sk-1", credential=both)


def test_an_empty_key_is_rejected() -> None:
    with pytest.raises(ValueError, match="token"):
        ActivepiecesClient("https://ap.example.com", "")


def test_an_invalid_address_is_rejected_at_once() -> None:
    with pytest.raises(ValueError, match="http"):
        ActivepiecesClient("ap.example.com", "sk-1")


def test_a_call_goes_to_the_address_with_the_key() -> None:
    pool = ScriptedPool(json_answer(200, {"data": []}))
    client = ActivepiecesClient("https://ap.example.com", "sk-1", pool=pool)

    assert list(client.connections.list("p")) == []
    assert pool.sent[0].url.startswith("https://ap.example.com/api/v1/app-connections?projectId=p&")
    assert pool.sent[0].headers["Authorization"] == "Bearer sk-1"
    assert pool.sent[0].headers["User-Agent"].startswith("flask-activepieces/")


def test_clients_sharing_a_pool_use_their_own_credentials() -> None:
    pool = ScriptedPool(json_answer(401, {}), json_answer(200, {"data": []}))
    first = ActivepiecesClient("https://ap.example.com", "sk-1", pool=pool)
    second = ActivepiecesClient("https://ap.example.com", "sk-2", pool=pool)

    with pytest.raises(AuthenticationFailed):
        first.connections.list("p")
    second.connections.list("p")

    sent = [request.headers["Authorization"] for request in pool.sent]
    assert sent == ["Bearer sk-1", "Bearer sk-2"]


def test_every_resource_and_its_methods_have_docstrings() -> None:
    client = ActivepiecesClient("https://ap.example.com", "sk-1")
    resources = {name: value for name, value in vars(client).items() if isinstance(value, Resource)}

    undocumented = [
        f"{name}.{method}"
        for name, resource in resources.items()
        for method, value in vars(type(resource)).items()
        if callable(value) and not method.startswith("_") and not value.__doc__
    ]

    assert "connections" in resources
    assert undocumented == []


def test_only_two_files_send_requests() -> None:
    importers: dict[str, set[str]] = {"requests": set(), "urllib3": set()}
    for path in Path(package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for name in names:
                importers.get(name.partition(".")[0], set()).add(path.name)

    senders = {"connection_pool.py", "webhook_calls.py"}
    assert importers == {"requests": senders, "urllib3": senders}
