"""The manifest of a small piece, as it would be built from the declarations of an app."""

from __future__ import annotations

from typing import Any

from tests.support.piece_host import API

OAUTH2 = {
    "type": "OAUTH2",
    "displayName": "Connection",
    "required": True,
    "authUrl": "https://tasklane.example/oauth/authorize",
    "tokenUrl": "https://tasklane.example/oauth/token",
    "scope": ["tasks:write"],
}
SECRET_TEXT = {"type": "SECRET_TEXT", "displayName": "Token", "required": True}
BASIC_AUTH = {
    "type": "BASIC_AUTH",
    "displayName": "Sign-in",
    "required": True,
    "username": {"displayName": "User name"},
    "password": {"displayName": "Password"},
}
CUSTOM_AUTH = {
    "type": "CUSTOM_AUTH",
    "displayName": "Fields",
    "required": True,
    "props": {
        "base_url": {"type": "SHORT_TEXT", "displayName": "Address", "required": True},
        "key": {"type": "SECRET_TEXT", "displayName": "Key", "required": True},
    },
    "refresh": {"defaultExpiresIn": 3600},
}


def text(title: str, **more: Any) -> dict[str, Any]:
    """A property with one line of text."""
    return {"type": "SHORT_TEXT", "displayName": title, "required": False, **more}


def manifest(base_url: str | None, **more: Any) -> dict[str, Any]:
    """The manifest of a piece of the app at ``base_url``."""
    return {
        "format": 1,
        "name": "@tasklane/piece-tasklane",
        "version": "1.0.0",
        "displayName": "Tasklane",
        "description": "A task list for teams",
        "logoUrl": "https://tasklane.example/logo.svg",
        "authors": ["tasklane"],
        "categories": ["PRODUCTIVITY"],
        "minimumSupportedRelease": "0.73.0",
        "baseUrl": base_url,
        "apiPath": API,
        "auth": [OAUTH2, SECRET_TEXT, BASIC_AUTH, CUSTOM_AUTH],
        "actions": {},
        "triggers": {},
        **more,
    }


def action(name: str, props: dict[str, Any], **request: Any) -> dict[str, Any]:
    """An action of that name; without a request, all its inputs go to the piece's own route."""
    full = {
        "method": "POST",
        "path": f"{API}/actions/{name}",
        "pathParams": [],
        "query": [],
        "body": list(props),
        **request,
    }
    return {
        name: {
            "displayName": name.replace("_", " "),
            "description": "",
            "requireAuth": True,
            "props": props,
            "request": full,
        }
    }


def trigger(name: str, *, kind: str = "WEBHOOK", **more: Any) -> dict[str, Any]:
    """A trigger with this name."""
    described = {"displayName": name.replace("_", " "), "description": "", "requireAuth": True, "props": {}}
    return {name: {**described, "type": kind, "sampleData": {"title": "An example"}, **more}}
