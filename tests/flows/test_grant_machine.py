"""Codes, refreshes, revocations and time in any order, compared with a small model."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from werkzeug.test import TestResponse

from flask_activepieces.clock import CLOCK_SKEW
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import row_counts

T = TypeVar("T")

DAY = 86_400
CODE_TTL, REFRESH_TTL, REPEAT_SECONDS = 60 + CLOCK_SKEW, 90 * DAY, 90


@dataclass
class Family:
    """The tokens issued from one code, as the rotation rule sees them."""

    tokens: list[str]
    rotated_at: float
    previous: str | None = None
    revoked: bool = False

    @property
    def current(self) -> str:
        return self.tokens[-1]

    def is_active(self, now: float) -> bool:
        return not self.revoked and now < self.rotated_at + REFRESH_TTL

    def replace_current(self, successor: str, *, previous: str | None, now: float) -> None:
        self.tokens.append(successor)
        self.previous, self.rotated_at = previous, now


@dataclass
class Grant:
    """One approval, until it is revoked."""

    revoked: bool = False
    families: list[Family] = field(default_factory=list)


@dataclass
class Code:
    value: str
    grant: Grant
    created_at: float
    family: Family | None = None


@dataclass
class Access:
    value: str
    family: Family
    expires_at: float
    revoked: bool = False


#: Which item a step uses, counted from the newest.
picks = st.integers(min_value=0, max_value=3)


class GrantLifecycle(RuleBasedStateMachine):
    """The server must agree with the model after every step."""

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.clock = StoppedClock()
        self.app = hosts.make_app(Path(self.directory.name), clock=self.clock)
        self.bob, self.program = Person(self.app, "bob"), Program.registered(self.app)
        self.grant = Grant(revoked=True)
        self.codes: list[Code] = []
        self.families: list[Family] = []
        self.accesses: list[Access] = []
        self.approve()
        self.redeem_code_later(0)

    def teardown(self) -> None:
        hosts.dispose(self.app)
        self.directory.cleanup()

    @rule()
    def approve(self) -> None:
        if self.grant.revoked:
            self.grant = Grant()
        code = self.bob.allows(self.program.question(prompt="consent"))
        self.codes.append(Code(code, self.grant, self.clock.now))

    @rule(seconds=st.sampled_from([0, 1, 119, 120]))
    def redeem_code_later(self, seconds: int) -> None:
        self.approve()
        self.clock.advance(seconds)
        self.redeem_code(0)

    @rule()
    def redeem_code_twice(self) -> None:
        self.approve()
        for _ in range(2):
            self.redeem_code(0)

    @rule(index=picks)
    def redeem_code(self, index: int) -> None:
        code = pick(self.codes, index)
        response = self.program.redeems(code.value)
        in_time = self.clock.now < code.created_at + CODE_TTL
        if in_time and code.family is None and not code.grant.revoked:
            answer = answer_of(response)
            code.family = Family([answer["refresh_token"]], self.clock.now)
            code.grant.families.append(code.family)
            self.families.append(code.family)
            self.add_access_token(answer, code.family)
            return
        assert answer_of(response, 400)["error"] == "invalid_grant"
        if in_time and code.family is not None:
            code.family.revoked = True  # a replay revokes the tokens of the code

    @rule(index=picks, age=picks)
    def refresh_any_token(self, index: int, age: int) -> None:
        family = pick(self.families, index)
        self.refresh(family, pick(family.tokens, age))

    @rule(index=picks, times=st.integers(1, 3))
    def refresh_in_order(self, index: int, times: int) -> None:
        family = pick(self.families, index)
        for _ in range(times):
            self.refresh(family, family.current)

    @rule(index=picks, age=st.integers(2, 4))
    def reuse_an_old_token(self, index: int, age: int) -> None:
        family = pick(self.families, index)
        for _ in range(2):
            self.refresh(family, family.current)
        self.refresh(family, pick(family.tokens, age))
        self.refresh(family, family.current)

    @rule(index=picks, seconds=st.sampled_from([0, 1, 29, 30, 31, 3600, 7 * DAY]))
    def repeat_a_lost_refresh(self, index: int, seconds: int) -> None:
        family = pick(self.families, index)
        token = family.current
        self.refresh(family, token)
        self.clock.advance(seconds)
        self.refresh(family, token)

    def refresh(self, family: Family, token: str) -> None:
        response = self.program.refreshes(token)
        now = self.clock.now
        if not family.is_active(now):
            assert answer_of(response, 400)["error"] == "invalid_grant"
        elif token == family.current:
            family.replace_current(self.successor(response, family), previous=token, now=now)
        elif token == family.previous and now - family.rotated_at <= REPEAT_SECONDS:
            assert self.successor(response, family) == family.current
        elif token == family.previous:
            successor = self.successor(response, family)
            assert successor != family.current
            family.replace_current(successor, previous=token, now=now)
        else:
            assert answer_of(response, 400)["error"] == "invalid_grant"
            family.revoked = True  # theft

    @rule(index=picks, age=picks)
    def revoke_family(self, index: int, age: int) -> None:
        family = pick(self.families, index)
        assert answer_of(self.program.revokes(pick(family.tokens, age))) == {}
        family.revoked = True

    @rule(index=picks)
    def revoke_access_token(self, index: int) -> None:
        access = pick(self.accesses, index)
        assert answer_of(self.program.revokes(access.value)) == {}
        for other in self.accesses:
            # A repeated response contains the same token.
            other.revoked |= other.value == access.value

    @rule()
    def disconnect(self) -> None:
        page = self.bob.sees("/oauth/connected-apps")
        assert len(page.forms) == (0 if self.grant.revoked else 1)
        for form in page.forms:
            assert self.bob.sends(form).status_code == 303
        self.grant.revoked = True
        for family in self.grant.families:
            family.revoked = True

    @rule(seconds=st.sampled_from([1, 30, 1800, 3599, 3600, 45 * DAY, 90 * DAY - 1, 90 * DAY]))
    def advance_clock(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(index=picks)
    def use_access_token(self, index: int) -> None:
        access = pick(self.accesses, index)
        valid = self.clock.now < access.expires_at and not access.revoked and not access.family.revoked
        assert self.program.calls(access.value).status_code == (200 if valid else 401)
        assert answer_of(self.program.introspects(access.value))["active"] is valid

    @rule(index=picks, age=picks)
    def introspect_refresh_token(self, index: int, age: int) -> None:
        family = pick(self.families, index)
        token = pick(family.tokens, age)
        usable = family.is_active(self.clock.now) and token in (family.current, family.previous)
        assert answer_of(self.program.introspects(token))["active"] is usable

    @invariant()
    def row_counts_match_the_model(self) -> None:
        counts = row_counts(self.app)
        assert counts.get("token_families", 0) == len(self.families)
        assert counts.get("grants", 0) == (0 if self.grant.revoked else 1)

    def successor(self, response: TestResponse, family: Family) -> str:
        answer = answer_of(response)
        self.add_access_token(answer, family)
        token = answer["refresh_token"]
        assert isinstance(token, str)
        return token

    def add_access_token(self, answer: dict[str, Any], family: Family) -> None:
        expires_at = self.clock.now + answer["expires_in"]
        self.accesses.append(Access(answer["access_token"], family, expires_at))


def pick(items: list[T], index: int) -> T:
    """The newest item for 0, the one before it for 1, and so on, wrapping around."""
    return items[-1 - index % len(items)]


def test_random_sequences_of_events_match_the_model() -> None:
    run_state_machine_as_test(
        GrantLifecycle,
        settings=settings(
            derandomize=True,  # the same examples every time; the long run below explores further
            max_examples=16,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_many_random_sequences_of_events_match_the_model() -> None:
    run_state_machine_as_test(
        GrantLifecycle,
        settings=settings(
            max_examples=150, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
