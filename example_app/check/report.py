"""The outcomes of a step, and assertions that say what was expected, what came and what to check."""

from __future__ import annotations

from typing import Any

import requests


class CheckFailed(Exception):
    """A step got something unexpected; ``check`` names the likely cause."""

    def __init__(self, *, expected: str, actual: str, check: str) -> None:
        super().__init__(f"expected {expected}, got {actual}; check {check}")


class StepSkipped(Exception):
    """The step cannot run here, which is not a failure; the message says what it needs."""


def expect(condition: bool, *, expected: str, actual: object, check: str) -> None:
    """Raise `CheckFailed` unless the condition holds."""
    if not condition:
        raise CheckFailed(expected=expected, actual=str(actual), check=check)


def json_body(response: requests.Response, status: int, *, check: str) -> dict[str, Any]:
    """The JSON body of a response; `CheckFailed` if it has another status."""
    if response.status_code != status:
        expected = f"{status} from {response.request.method} {response.request.path_url}"
        raise CheckFailed(expected=expected, actual=describe(response), check=check)
    body: dict[str, Any] = response.json() if response.content else {}
    return body


def describe(response: requests.Response) -> str:
    """The status, and the ``detail`` of a JSON error."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return str(response.status_code)
    detail = body.get("detail") if isinstance(body, dict) else None
    return f"{response.status_code} ({detail})" if detail else str(response.status_code)
