"""The errors of the client: their attributes and messages."""

from __future__ import annotations

import inspect

import pytest

from flask_activepieces.api_client import errors
from flask_activepieces.errors import ActivepiecesError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, errors.ApiError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_in_the_tree_of_the_docstring(kind: type[errors.ApiError]) -> None:
    assert issubclass(kind, ActivepiecesError)
    assert kind.__name__ in str(errors.__doc__)
    assert str(kind.__doc__).startswith("Raised ")


def test_the_message_has_operation_detail_and_remedy() -> None:
    error = errors.ConnectionValueRejected(
        "connections.upsert", status=400, code="INVALID_APP_CONNECTION", detail="wrong key"
    )

    assert str(error) == (
        "connections.upsert failed: 400 INVALID_APP_CONNECTION: wrong key. Correct the value of the connection."
    )


def test_an_error_without_details_has_its_class_name() -> None:
    assert str(errors.ResourceNotFound("flows.get")) == "flows.get failed: ResourceNotFound."


def test_a_timeout_names_its_seconds_and_leaves_the_outcome_open() -> None:
    error = errors.CallTimedOut("connections.upsert", seconds=30)

    assert error.seconds == 30
    assert error.outcome_unknown
    assert "30 seconds" in str(error)


def test_a_timeout_mentions_validation_only_for_upserts() -> None:
    assert "Validating a connection" in str(errors.CallTimedOut("connections.upsert", seconds=30))
    assert "connection" not in str(errors.CallTimedOut("flows.list", seconds=30))


def test_an_unsupported_call_has_its_own_remedy() -> None:
    error = errors.CredentialNotSupported("mcp.get", credential="API key", detail="for users only", remedy="Sign in.")

    assert str(error) == "mcp.get failed: for users only. Sign in."
    assert (error.status, error.credential) == (None, "API key")


@pytest.mark.parametrize(("seconds", "ending"), [(56.0, "in 56 seconds."), (None, "Make fewer calls.")])
def test_a_rate_limit_says_when_to_try_again(seconds: float | None, ending: str) -> None:
    assert str(errors.RateLimited("sign_in", retry_after=seconds)).endswith(ending)


def test_the_outcome_is_known_only_if_the_request_was_not_sent() -> None:
    assert not errors.ConnectionFailed("x", detail="refused").outcome_unknown
    assert errors.ConnectionFailed("x", detail="reset", outcome_unknown=True).outcome_unknown
    assert errors.ServerError("x", status=500).outcome_unknown
    assert not errors.InvalidRequest("x", status=400).outcome_unknown
