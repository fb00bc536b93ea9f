"""What a step tells: what it saw, that it was skipped, or what it expected and did not get."""

from __future__ import annotations

from typing import Any

import requests


class Surprise(Exception):
    """Something else came than was expected; ``check`` says where to look for the reason."""

    def __init__(self, *, expected: str, came: str, check: str) -> None:
        super().__init__(f"expected {expected}; came {came}; check {check}")


class Skipped(Exception):
    """The step cannot be walked here, which is no fault; the message says what it would need."""


def expect(condition: bool, *, expected: str, came: object, check: str) -> None:
    """Go on if it is so."""
    if not condition:
        raise Surprise(expected=expected, came=str(came), check=check)


def json_of(answer: requests.Response, status: int, *, check: str) -> dict[str, Any]:
    """The JSON of an answer with this status."""
    if answer.status_code != status:
        expected = f"{status} from {answer.request.method} {answer.request.path_url}"
        raise Surprise(expected=expected, came=told_by(answer), check=check)
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body


def told_by(answer: requests.Response) -> str:
    """The status, and the reason if the answer names one."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return str(answer.status_code)
    detail = body.get("detail") if isinstance(body, dict) else None
    return f"{answer.status_code} ({detail})" if detail else str(answer.status_code)
