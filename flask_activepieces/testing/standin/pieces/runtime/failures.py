"""Errors as the sentence that the author of a flow reads."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Sequence
from datetime import timezone
from email.utils import parsedate_to_datetime

from .....sentences import detail_of, field_sentences
from ...routing.responses import Json
from ..piece import StepFailed
from .http import Answer

_SHORTEST_SECRET = 4
_LONGEST_SENTENCE = 1000
#: RFC 6750 §3: Bearer error="insufficient_scope", scope="tasks:write"
_PAIR = re.compile(r'(\w+)="([^"]*)"')


class Failure(StepFailed):
    """An error of the piece, with the status of the app's answer if there was one."""

    stack = ""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__("Error", sentence)
        self.status = status


def sentence_for(app_name: str, answer: Answer, secrets: Sequence[Json] = ()) -> str:
    """The sentence for any answer but success. It repeats only texts that the app meant for people."""
    return _redact(_describe(app_name, answer), secrets)[:_LONGEST_SENTENCE]


def _describe(app_name: str, answer: Answer) -> str:
    problem = answer.body if isinstance(answer.body, dict) else {}
    challenge = dict(_PAIR.findall(answer.headers.get("www-authenticate", "")))
    detail = detail_of(problem)
    if 300 <= answer.status < 400:
        return f"{app_name} answers with a redirect: check its address in the connection."
    if answer.status == 401:
        return f"Reconnect: the sign-in to {app_name} has ended."
    code = _first(problem.get("code"), problem.get("error"), challenge.get("error"))
    if answer.status == 403 and code == "insufficient_scope":
        return _lacks(app_name, _first(problem.get("scope"), challenge.get("scope")))
    if answer.status in (429, 503):
        return f"{detail or f'{app_name} is busy.'} {_when_to_retry(answer.headers.get('retry-after'))}"
    return field_sentences(problem) or detail or f"{app_name} answered with status {answer.status}."


def _lacks(app_name: str, scope: Json) -> str:
    listed = scope if isinstance(scope, list) else [scope or ""]
    scopes = " ".join(listed).split()
    if not scopes:
        return f"The connection lacks a permission in {app_name}: reconnect and allow it."
    noun = "permission" if len(scopes) == 1 else "permissions"
    return f"The connection lacks the {noun} {', '.join(scopes)}: reconnect and allow it."


def _when_to_retry(header: str | None) -> str:
    """RFC 9110 §10.2.3: a number of seconds or a date."""
    seconds = _seconds(header or "")
    if seconds < 1:
        return "Try again later."
    return f"Try again in {seconds} {'second' if seconds == 1 else 'seconds'}."


def _seconds(header: str) -> int:
    if header.isdecimal():
        return int(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0
    return math.ceil(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp() - time.time())


def _redact(sentence: str, secrets: Sequence[Json]) -> str:
    for secret in secrets:
        if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            sentence = sentence.replace(secret, "[hidden]")
    return sentence


def _first(*values: Json) -> Json:
    return next((value for value in values if value is not None), None)


def to_json(value: Json) -> str:
    """The value as ``JSON.stringify`` writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
