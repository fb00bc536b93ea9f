"""Machines whose clocks differ by up to a minute serve the same connections."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.oauth.tokens.refresh_tokens import REPEAT_SECONDS
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock

#: How much the clock of the second machine is ahead of the first one's.
DIFFERENCES = [-CLOCK_SKEW, -45, -REPEAT_SECONDS - 1, REPEAT_SECONDS + 1, 45, CLOCK_SKEW]


@dataclass
class Machines:
    """The same client at two machines on one database."""

    one: Program
    other: Program
    clocks: tuple[StoppedClock, StoppedClock]
    bob: Person

    def wait(self, seconds: int) -> None:
        for clock in self.clocks:
            clock.advance(seconds)


@pytest.fixture(params=DIFFERENCES)
def machines(make_app: MakeApp, request: pytest.FixtureRequest) -> Machines:
    clocks = StoppedClock(), StoppedClock()
    clocks[1].advance(request.param)
    first = make_app(clock=clocks[0])
    second = make_app(clock=clocks[1], tables=False)
    program = Program.registered(first)
    return Machines(program, replace(program, app=second), clocks, Person(first, "bob"))


def refreshed(program: Program, token: str) -> str:
    return str(answer_of(program.refreshes(token))["refresh_token"])


@pytest.mark.parametrize("later", [0, REPEAT_SECONDS])
def test_parallel_refreshes_at_two_machines_get_the_same_successor(
    machines: Machines, later: int
) -> None:
    """Two successors would be two current tokens, and the use of the second one would look like theft."""
    token = machines.one.connects(machines.bob)["refresh_token"]

    first = refreshed(machines.one, token)
    machines.wait(later)
    second = refreshed(machines.other, token)

    assert second == first


def test_a_connection_lives_through_refreshes_at_machines_that_take_turns(
    machines: Machines,
) -> None:
    token = machines.one.connects(machines.bob)["refresh_token"]
    turns = [machines.one, machines.other]

    for _ in range(6):
        mine, yours = turns
        successor = refreshed(mine, token)
        refreshed(yours, token)
        token = refreshed(yours, successor)
        machines.wait(3600)
        turns.reverse()

    assert machines.one.refreshes(token).status_code == 200
