"""Machines whose clocks differ by up to a minute can serve the same token families."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from flask_activepieces import Activepieces
from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.oauth.tokens.refresh_tokens import REPEAT_SECONDS
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock

#: The seconds by which the second machine's clock is ahead.
DIFFERENCES = [-CLOCK_SKEW, -45, -REPEAT_SECONDS - 1, REPEAT_SECONDS + 1, 45, CLOCK_SKEW]


@dataclass
class Machines:
    """The same client at two machines with one database."""

    first: Program
    second: Program
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


def client_credentials_token(program: Program) -> str:
    response = program.posts("/oauth/token", {"grant_type": "client_credentials"})
    return str(answer_of(response)["access_token"])


def refresh(program: Program, token: str) -> str:
    return str(answer_of(program.refreshes(token))["refresh_token"])


@pytest.mark.parametrize("seconds", [0, REPEAT_SECONDS])
def test_parallel_refreshes_at_two_machines_get_the_same_successor(machines: Machines, seconds: int) -> None:
    """Two different successors would both be current, and using one would look like theft of the other."""
    token = machines.first.connects(machines.bob)["refresh_token"]

    first = refresh(machines.first, token)
    machines.wait(seconds)
    second = refresh(machines.second, token)

    assert second == first


def test_a_token_family_survives_refreshes_at_alternating_machines(machines: Machines) -> None:
    token = machines.first.connects(machines.bob)["refresh_token"]
    turns = [machines.first, machines.second]

    for _ in range(6):
        current, other = turns
        successor = refresh(current, token)
        refresh(other, token)
        token = refresh(other, successor)
        machines.wait(3600)
        turns.reverse()

    assert machines.first.refreshes(token).status_code == 200


def test_a_code_of_one_machine_is_redeemed_at_another(machines: Machines) -> None:
    code = machines.bob.allows(machines.first.question())

    assert machines.second.redeems(code).status_code == 200


def test_a_token_that_a_client_got_for_itself_does_not_survive_the_revocation_of_its_tenant(
    make_app: MakeApp,
) -> None:
    """The token comes from a machine whose clock is a minute ahead, and is revoked at the other one."""
    clocks = StoppedClock(), StoppedClock()
    clocks[1].advance(CLOCK_SKEW)
    first = make_app(clock=clocks[0])
    second = make_app(clock=clocks[1], tables=False)
    program = Program.registered(first, "--tenant", "acme", "--client-credentials")
    before = client_credentials_token(replace(program, app=second))

    with first.app_context():
        Activepieces().revoke_tenant("acme")
    clocks[0].advance(CLOCK_SKEW + 1)

    assert program.calls(before).status_code == 401
    assert program.calls(client_credentials_token(program)).status_code == 200
