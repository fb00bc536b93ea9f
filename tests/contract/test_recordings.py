"""The stand-in reproduces the recordings: status, fields and values, error format, paging."""

from __future__ import annotations

import pytest

from tests.support.recordings import recordings

from .exclusions import exclusion_reason
from .sessions import SESSIONS, Session, recordings_of, replay_differences

HELD_TO = [
    pytest.param(session, place, id=f"{session.name}: {entry.name}")
    for session in SESSIONS
    for place, entry in enumerate(recordings_of(session))
    if exclusion_reason(entry) is None
]


@pytest.fixture(scope="module")
def findings() -> dict[str, list[list[str]]]:
    """Session -> the differences of each recording."""
    return {session.name: replay_differences(session) for session in SESSIONS}


@pytest.mark.parametrize(("session", "place"), HELD_TO)
def test_the_response_is_as_recorded(findings: dict[str, list[list[str]]], session: Session, place: int) -> None:
    different = findings[session.name][place]

    assert not different, "\n".join(different)


def test_every_recording_belongs_to_a_session() -> None:
    assert sum(len(recordings_of(session)) for session in SESSIONS) == len(recordings())
