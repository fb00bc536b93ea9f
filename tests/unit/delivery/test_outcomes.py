"""What each response to an event means, and when the next attempt is."""

from __future__ import annotations

import pytest

from flask_activepieces.delivery.outcomes import LONGEST_WAIT, WEB_PAGE, Attempt, outcome_of, wait_seconds

OUTCOMES = {
    200: ("delivered", "none"),
    202: ("delivered", "none"),
    204: ("delivered", "none"),
    # Never followed, wherever it leads.
    301: ("dead", "none"),
    307: ("dead", "none"),
    400: ("dead", "none"),
    401: ("dead", "none"),
    402: ("pending", "pause"),
    403: ("dead", "none"),
    404: ("pending", "pause"),
    408: ("pending", "none"),
    410: ("dead", "remove"),
    413: ("dead", "none"),
    422: ("dead", "none"),
    425: ("pending", "none"),
    429: ("pending", "wait"),
    500: ("pending", "none"),
    502: ("pending", "wait"),
    503: ("pending", "wait"),
    504: ("pending", "wait"),
    None: ("pending", "wait"),
}


@pytest.mark.parametrize("status", OUTCOMES)
def test_each_response_has_its_outcome(status: int | None) -> None:
    outcome = outcome_of(Attempt(status, error="the connection was refused"))

    assert (outcome.state, outcome.effect) == OUTCOMES[status]
    assert (outcome.reason is None) == (outcome.state == "delivered")


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_a_web_page_is_not_an_answer_of_activepieces(status: int) -> None:
    outcome = outcome_of(Attempt(status, is_html=True))

    assert (outcome.state, outcome.effect, outcome.reason) == ("pending", "wait", WEB_PAGE)


@pytest.mark.parametrize("status", [301, 400, 403, 413, 429, 500, 502])
def test_other_errors_mean_the_same_with_a_web_page(status: int) -> None:
    assert outcome_of(Attempt(status, is_html=True)) == outcome_of(Attempt(status))


def test_waits_double_up_to_an_hour() -> None:
    for attempts in range(1, 100):
        longest = min(2**attempts, LONGEST_WAIT)
        assert all(longest / 2 - 1 <= wait_seconds(attempts) <= longest for _ in range(20))


def test_waits_differ_so_that_failures_do_not_come_back_together() -> None:
    assert len({wait_seconds(10) for _ in range(50)}) > 10


def test_the_server_may_ask_for_a_longer_wait_but_not_for_days() -> None:
    assert wait_seconds(1, at_least=120) == 120
    assert wait_seconds(1, at_least=1_000_000) == LONGEST_WAIT
    assert wait_seconds(8, at_least=1) >= 128
