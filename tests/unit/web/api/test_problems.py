"""Each error of the API client becomes a problem of the JSON API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_activepieces.api_client import errors
from flask_activepieces.api_client.errors import ApiError
from flask_activepieces.web.api.problems import UPSTREAM_PROBLEMS, Problem, problem_from

CALL = "connections.list"

#: The error, and the status and code of its problem.
PROBLEMS = [
    (errors.ConnectionFailed(CALL, detail="refused"), 502, "activepieces_cannot_be_reached"),
    (errors.UnexpectedResponse(CALL, detail="a web page"), 502, "not_activepieces"),
    (errors.RouteNotFound(CALL, status=404), 502, "not_offered_by_this_activepieces"),
    (errors.AuthenticationFailed(CALL, status=401), 502, "credential_refused"),
    (errors.ServerError(CALL, status=500), 502, "activepieces_failed"),
    (errors.CallTimedOut(CALL, seconds=30), 504, "activepieces_took_too_long"),
    (errors.WorkerUnavailable(CALL, status=400), 503, "no_worker"),
    (errors.RateLimited(CALL, retry_after=None), 503, "too_many_calls"),
    (errors.PermissionDenied(CALL, status=403), 409, "not_allowed_by_activepieces"),
    (errors.PlanUpgradeRequired(CALL, status=402), 409, "not_in_the_plan"),
    (
        errors.CredentialNotSupported(CALL, credential="API key", detail="users only", remedy="Sign in."),
        409,
        "not_possible_with_this_credential",
    ),
    (
        errors.EditionNotSupported(CALL, credential="API key", detail="not there", remedy="Buy it."),
        409,
        "not_in_this_edition",
    ),
    (errors.CallNotSupported(CALL, detail="no user to be", remedy="Add one."), 409, "not_possible"),
    (errors.ResourceNotFound(CALL, status=404), 404, "not_found_in_activepieces"),
    (errors.ConnectionValueRejected(CALL, status=400), 422, "value_refused"),
    (errors.CodeExchangeFailed(CALL, status=400), 422, "code_refused"),
    (errors.PieceInstallationFailed(CALL, status=400), 422, "refused_by_activepieces"),
    (errors.ConstraintViolated(CALL, status=409), 422, "refused_by_activepieces"),
    (errors.Conflict(CALL, status=409), 422, "refused_by_activepieces"),
    (errors.InvalidRequest(CALL, status=400), 422, "refused_by_activepieces"),
]


def problem_of(error: ApiError) -> Problem:
    problem = problem_from(error)
    assert problem is not None
    return problem


@pytest.mark.parametrize(("error", "status", "code"), PROBLEMS, ids=[type(row[0]).__name__ for row in PROBLEMS])
def test_each_error_has_its_status_and_code(error: ApiError, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)
    assert problem.detail == str(error)
    assert status in {kind.status for kind in UPSTREAM_PROBLEMS}


def kinds(kind: type[ApiError]) -> Iterator[type[ApiError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def test_every_error_is_in_the_table() -> None:
    tested = {type(error) for error, *_ in PROBLEMS}

    assert set(kinds(ApiError)) - tested == {ApiError}


@pytest.mark.parametrize(("retry_after", "seconds"), [(56.0, 56), (0.2, 1), (None, 30)])
def test_a_busy_activepieces_says_when_to_retry(retry_after: float | None, seconds: int) -> None:
    problem = problem_of(errors.RateLimited(CALL, retry_after=retry_after))

    assert problem.members == {"retry_after": seconds}
