"""The recorded servers, and a stand-in configured like each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask_activepieces.testing import ActivepiecesServer
from tests.support.acme import acme_pieces
from tests.support.clock import StoppedClock
from tests.support.recordings import Recording, recordings
from tests.support.standin import without_users
from tests.support.token_endpoint import token_endpoint

from . import recorded_setups
from .replay import Replay, Setup, instant
from .uploads import UPLOADS

#: The address of the recorded token endpoint.
_RECORDED_ENDPOINT = "http://127.0.0.1:9555"


@dataclass(frozen=True)
class Session:
    """Consecutive recordings of one server, from the one with that name on."""

    name: str
    first: str
    begun: str
    setups: Mapping[str, Setup]
    port: int = 3000
    #: Options of the stand-in.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Whether it starts before the first user has signed up.
    before_sign_up: bool = False


SESSIONS = (
    Session("0.85.2", "flags", "2026-11-20T18:18:16.000Z", recorded_setups.MAIN, before_sign_up=True),
    Session(
        "0.85.2 with a worker",
        "[worker] upsert SECRET_TEXT accepted by the piece validate()",
        "2026-11-20T18:32:20.000Z",
        recorded_setups.WORKER,
        options={"validates_values": True},
    ),
    Session(
        "0.85.2 without its worker",
        "[prod env, no worker running] upsert SECRET_TEXT",
        "2026-11-20T18:12:00.000Z",
        recorded_setups.NO_WORKER,
        options={"validates_values": True, "has_worker": False},
    ),
    Session(
        "0.85.2 Community Edition",
        "CE sign-up first user",
        "2026-11-20T18:20:34.000Z",
        {},
        port=3010,
        options={"edition": "ce"},
        before_sign_up=True,
    ),
    Session(
        "0.85.2 another day",
        "mcp: project mcp-server (current token)",
        "2026-11-20T18:23:19.700Z",
        recorded_setups.ANOTHER_DAY,
    ),
    Session(
        "0.78.2",
        "[0.78.2] no token",
        "2026-11-20T18:30:18.000Z",
        recorded_setups.OLD,
        port=3078,
        options={"version": "0.78"},
        before_sign_up=True,
    ),
)


def recordings_of(session: Session) -> Sequence[Recording]:
    """The recordings of one session, in order."""
    everything = recordings()
    begins = {one.first for one in SESSIONS}
    starts = [place for place, entry in enumerate(everything) if entry.name in begins]
    start = next(place for place in starts if everything[place].name == session.first)
    following = [place for place in starts if place > start]
    return everything[start : following[0] if following else None]


def replay_differences(session: Session) -> list[list[str]]:
    """The differences of each recording, in a replay of the whole session."""
    clock = StoppedClock(instant(session.begun))
    with token_endpoint() as endpoint, closing(_server(session, endpoint.url, clock)) as server:
        replay = Replay(server, clock, endpoint, UPLOADS)
        replay.names.bind(_RECORDED_ENDPOINT, endpoint.url)
        replay.names.bind(quote(_RECORDED_ENDPOINT, safe=""), quote(endpoint.url, safe=""))
        return list(replay.findings(recordings_of(session), session.setups, recorded_setups.CORRECTIONS))


def _server(session: Session, endpoint: str, clock: StoppedClock) -> ActivepiecesServer:
    server = ActivepiecesServer(
        clock=clock,
        sleep=lambda seconds: None,
        duplicate_upserts=False,
        pieces=acme_pieces(endpoint),
        **session.options,
    )
    server.state.url = f"http://127.0.0.1:{session.port}"
    return without_users(server) if session.before_sign_up else server
