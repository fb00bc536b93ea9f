"""Compares a response of the stand-in with a recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

#: Fields whose value differs on each server; only their type is compared.
GENERATED_FIELDS = {
    "color": "of an icon, by chance",
    "duration": "of a step, measured",
    "projectUsage": "counted at night",
    "publicKey": "of a new pair",
    "stripeSubscriptionEndDate": "the end of this month",
    "stripeSubscriptionStartDate": "the beginning of this month",
    "token": "signed by each server",
    "truncatedValue": "the end of a key",
}
#: Parameters of an authorization URL that are random.
_RANDOM = {"state", "code_challenge", "token"}


def differences(recorded: Any, actual: Any, *, at: str = "") -> Iterator[str]:
    """All differences from the recording, whose values are already translated to the stand-in's."""
    if type(recorded) is not type(actual):
        yield f"{at}: recorded {recorded!r:.80}, here {actual!r:.80}"
    elif isinstance(recorded, dict):
        yield from _of_objects(recorded, actual, at)
    elif isinstance(recorded, list):
        yield from _of_lists(recorded, actual, at)
    elif recorded != actual and not any(same(recorded, actual) for same in _EQUIVALENT):
        yield f"{at}: recorded {recorded!r:.160}, here {actual!r:.160}"


def _of_objects(recorded: dict[str, Any], actual: dict[str, Any], at: str) -> Iterator[str]:
    for name in sorted(recorded.keys() - actual.keys()):
        yield f"{at}/{name}: missing, recorded as {recorded[name]!r:.80}"
    for name in sorted(actual.keys() - recorded.keys()):
        yield f"{at}/{name}: not recorded, here {actual[name]!r:.80}"
    for name in sorted(recorded.keys() & actual.keys()):
        one, other = recorded[name], actual[name]
        if name in GENERATED_FIELDS and type(one) is type(other):
            continue
        yield from differences(one, other, at=f"{at}/{name}")


def _of_lists(recorded: list[Any], actual: list[Any], at: str) -> Iterator[str]:
    if all(isinstance(item, dict) and item.keys() == {"name", "version"} for item in recorded):
        # The registry of pieces is unordered.
        recorded, actual = (sorted(items, key=repr) for items in (recorded, actual))
    if len(recorded) != len(actual):
        yield f"{at}: {len(recorded)} items recorded, {len(actual)} here"
    for place, (one, other) in enumerate(zip(recorded, actual, strict=False)):
        yield from differences(one, other, at=f"{at}/{place}")


def _are_times(recorded: Any, actual: Any) -> bool:
    both = (recorded, actual)
    return all(isinstance(value, str) and _TIME.fullmatch(value) for value in both)


def _are_urls(recorded: Any, actual: Any) -> bool:
    """The same URL with its parameters in the same order, except for random values."""
    if not isinstance(recorded, str) or not recorded.startswith("http"):
        return False
    one, other = urlsplit(recorded), urlsplit(actual)
    return one[:3] == other[:3] and _without_random(one.query) == _without_random(other.query)


def _are_reports(recorded: Any, actual: Any) -> bool:
    """The same error of a step, ignoring its location in the engine and truncation."""
    both = (recorded, actual)
    if not all(isinstance(text, str) and text.startswith('{"__apErrorVersion"') for text in both):
        return False
    return bool(recorded.partition('"raw"')[0] == actual.partition('"raw"')[0])


def _are_json_errors(recorded: Any, actual: Any) -> bool:
    """Python and JavaScript describe invalid JSON differently."""
    both = (recorded, actual)
    return all(isinstance(text, str) and " in JSON at position " in text for text in both)


#: Cases in which two different values are equivalent.
_EQUIVALENT = (_are_times, _are_urls, _are_reports, _are_json_errors)


def _without_random(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query)
    return [(name, "" if name in _RANDOM else value) for name, value in pairs]
