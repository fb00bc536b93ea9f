"""docs/recordings.md is up to date."""

from __future__ import annotations

from tests.support.recordings import recordings

from .exclusions import EXCLUDED, exclusion_reason
from .recordings_page import PAGE, rendered


def test_the_page_is_up_to_date() -> None:
    """`python -m tests.contract.recordings_page` writes it."""
    assert PAGE.read_text("utf-8") == rendered()


def test_every_exclusion_is_needed() -> None:
    given = {exclusion_reason(entry) for entry in recordings()}

    assert set(EXCLUDED.values()) <= given
