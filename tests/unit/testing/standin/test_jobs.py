"""Background jobs."""

from __future__ import annotations

import threading

import pytest

from flask_activepieces.testing.standin.jobs import Jobs


def test_waiting_ends_when_all_jobs_are_done() -> None:
    jobs, go_on, done = Jobs(), threading.Event(), []

    def work() -> None:
        go_on.wait(5)
        done.append("work")

    jobs.start(work)
    jobs.start(go_on.set)
    jobs.wait()

    assert done == ["work"]
    jobs.close()


def test_an_error_in_a_job_is_raised() -> None:
    jobs = Jobs()

    def work() -> None:
        raise ZeroDivisionError

    jobs.start(work)

    with pytest.raises(ZeroDivisionError):
        jobs.wait()
    jobs.close()
