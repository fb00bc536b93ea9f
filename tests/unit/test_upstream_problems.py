"""What each failed call of Activepieces becomes for the caller of our API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_activepieces.client import errors
from flask_activepieces.client.errors import CallFailed
from flask_activepieces.views.upstream import UPSTREAM, problem_of

CALL = "connections.list"

#: The error, and the status and code that it becomes.
MEANINGS = [
    (errors.CannotReach(CALL, hint="refused"), 502, "activepieces_cannot_be_reached"),
    (errors.NotActivepieces(CALL, hint="a web page"), 502, "not_activepieces"),
    (errors.NoSuchRoute(CALL, status=404), 502, "not_offered_by_this_activepieces"),
    (errors.BadCredential(CALL, status=401), 502, "credential_refused"),
    (errors.ServerFault(CALL, status=500), 502, "activepieces_failed"),
    (errors.TookTooLong(CALL, seconds=30), 504, "activepieces_took_too_long"),
    (errors.WorkerAway(CALL, status=400), 503, "no_worker"),
    (errors.TooManyCalls(CALL, retry_after=None), 503, "too_many_calls"),
    (errors.NotAllowed(CALL, status=403), 409, "not_allowed_by_activepieces"),
    (errors.NeedsPlan(CALL, status=402), 409, "not_in_the_plan"),
    (
        errors.WrongCredential(CALL, credential="API key", hint="users only", remedy="Sign in."),
        409,
        "not_possible_with_this_credential",
    ),
    (
        errors.WrongEdition(CALL, credential="API key", hint="not there", remedy="Buy it."),
        409,
        "not_in_this_edition",
    ),
    (errors.NotCallable(CALL, hint="no user to be", remedy="Add one."), 409, "not_possible"),
    (errors.NoSuchThing(CALL, status=404), 404, "not_found_in_activepieces"),
    (errors.ValueRefused(CALL, status=400), 422, "value_refused"),
    (errors.ClaimRefused(CALL, status=400), 422, "code_refused"),
    (errors.PieceRefused(CALL, status=400), 422, "refused_by_activepieces"),
    (errors.ConstraintViolated(CALL, status=409), 422, "refused_by_activepieces"),
    (errors.Conflict(CALL, status=409), 422, "refused_by_activepieces"),
    (errors.Rejected(CALL, status=400), 422, "refused_by_activepieces"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), MEANINGS, ids=[type(row[0]).__name__ for row in MEANINGS]
)
def test_each_error_has_its_status_and_its_word(error: CallFailed, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)
    assert problem.detail == str(error)
    assert status in UPSTREAM


def kinds(kind: type[CallFailed]) -> Iterator[type[CallFailed]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def test_no_error_is_left_out() -> None:
    told = {type(error) for error, *_ in MEANINGS}

    assert set(kinds(CallFailed)) - told == {CallFailed}


@pytest.mark.parametrize(("told", "seconds"), [(56.0, 56), (0.2, 1), (None, 30)])
def test_a_busy_activepieces_says_when_to_come_back(told: float | None, seconds: int) -> None:
    problem = problem_of(errors.TooManyCalls(CALL, retry_after=told))

    assert problem.more == {"retry_after": seconds}
