"""docs/recordings.md says what the tests do."""

from __future__ import annotations

from tests.support.recordings import recordings

from .coverage import LEFT_OUT, reason_to_leave_out
from .page import PAGE, rendered


def test_the_page_is_up_to_date() -> None:
    """`python -m tests.contract.page` writes it."""
    assert PAGE.read_text("utf-8") == rendered()


def test_every_reason_to_leave_something_out_is_needed() -> None:
    given = {reason_to_leave_out(entry) for entry in recordings()}

    assert set(LEFT_OUT.values()) <= given
