"""The stand-in reproduces the recordings: status, fields and values, error format, paging."""

from __future__ import annotations

import pytest

from tests.support.recordings import recordings

from .exclusions import exclusion_reason
from .sessions import SESSIONS, Session, recordings_of, replay_differences


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_the_response_is_as_recorded(session: Session) -> None:
    found = zip(recordings_of(session), replay_differences(session), strict=True)

    held_to = [(entry.name, differences) for entry, differences in found if exclusion_reason(entry) is None]

    assert [(name, differences) for name, differences in held_to if differences] == []


def test_every_recording_belongs_to_a_session() -> None:
    assert sum(len(recordings_of(session)) for session in SESSIONS) == len(recordings())
