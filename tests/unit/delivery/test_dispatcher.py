"""How long a worker has a subscription, and what it may do in that time."""

from __future__ import annotations

import pytest

from flask_activepieces.delivery.dispatcher import Lease


@pytest.mark.parametrize("seconds", [9, 10, 45, 90, 600])
def test_a_turn_and_its_last_attempt_take_a_third_of_the_lease(seconds: int) -> None:
    lease = Lease(seconds)

    assert lease.turn + lease.timeout.total <= seconds / 3
    assert lease.timeout.connect + lease.timeout.read <= lease.timeout.total


def test_a_longer_lease_does_not_prolong_turns() -> None:
    assert Lease(90).turn == Lease(600).turn == 10
