"""Codes, refreshes, revocations and time in any order, against a model small enough to be believed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from werkzeug.test import TestResponse

from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import row_counts

T = TypeVar("T")

DAY = 86_400
CODE_LIFE, REFRESH_LIFE, REPEAT = 60, 90 * DAY, 90


@dataclass
class Family:
    """What one code bought, as the rule of rotation sees it."""

    tokens: list[str]
    rotated_at: float
    previous: str | None = None
    revoked: bool = False

    @property
    def current(self) -> str:
        return self.tokens[-1]

    def lives(self, now: float) -> bool:
        return not self.revoked and now < self.rotated_at + REFRESH_LIFE

    def replace_current(self, successor: str, *, previous: str | None, now: float) -> None:
        self.tokens.append(successor)
        self.previous, self.rotated_at = previous, now


@dataclass
class Grant:
    """One consent that stands until it is taken back."""

    revoked: bool = False
    families: list[Family] = field(default_factory=list)


@dataclass
class Code:
    text: str
    grant: Grant
    made_at: float
    bought: Family | None = None


@dataclass
class Access:
    text: str
    family: Family
    until: float
    revoked: bool = False


#: Which of the things made so far a step takes, counted from the newest.
picks = st.integers(min_value=0, max_value=3)


class GrantLife(RuleBasedStateMachine):
    """The server must agree with the model after every step."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.clock = StoppedClock()
        self.app = hosts.make_app(Path(self.directory.name), clock=self.clock)
        self.bob, self.program = Person(self.app, "bob"), Program.registered(self.app)
        self.grant = Grant(revoked=True)
        self.codes: list[Code] = []
        self.families: list[Family] = []
        self.accesses: list[Access] = []
        self.user_consents()
        self.code_waits_and_is_redeemed(0)

    def teardown(self) -> None:
        hosts.dispose(self.app)
        self.directory.cleanup()

    @rule()
    def user_consents(self) -> None:
        if self.grant.revoked:
            self.grant = Grant()
        text = self.bob.allows(self.program.question(prompt="consent"))
        self.codes.append(Code(text, self.grant, self.clock.now))

    @rule(seconds=st.sampled_from([0, 1, 59, 60]))
    def code_waits_and_is_redeemed(self, seconds: int) -> None:
        self.user_consents()
        self.clock.advance(seconds)
        self.code_is_redeemed(0)

    @rule()
    def code_is_redeemed_twice(self) -> None:
        self.user_consents()
        for _ in range(2):
            self.code_is_redeemed(0)

    @rule(which=picks)
    def code_is_redeemed(self, which: int) -> None:
        code = pick(self.codes, which)
        response = self.program.redeems(code.text)
        in_time = self.clock.now < code.made_at + CODE_LIFE
        if in_time and code.bought is None and not code.grant.revoked:
            answer = answer_of(response)
            code.bought = Family([answer["refresh_token"]], self.clock.now)
            code.grant.families.append(code.bought)
            self.families.append(code.bought)
            self.remember_access(answer, code.bought)
            return
        assert answer_of(response, 400)["error"] == "invalid_grant"
        if in_time and code.bought is not None:
            code.bought.revoked = True  # a replay takes down what the code bought

    @rule(which=picks, how_old=picks)
    def token_is_refreshed(self, which: int, how_old: int) -> None:
        family = pick(self.families, which)
        self.refresh(family, pick(family.tokens, how_old))

    @rule(which=picks, times=st.integers(1, 3))
    def token_is_refreshed_in_order(self, which: int, times: int) -> None:
        family = pick(self.families, which)
        for _ in range(times):
            self.refresh(family, family.current)

    @rule(which=picks, how_old=st.integers(2, 4))
    def thief_comes_with_an_old_token(self, which: int, how_old: int) -> None:
        family = pick(self.families, which)
        for _ in range(2):
            self.refresh(family, family.current)
        self.refresh(family, pick(family.tokens, how_old))
        self.refresh(family, family.current)

    @rule(which=picks, seconds=st.sampled_from([0, 1, 29, 30, 31, 3600, 7 * DAY]))
    def answer_is_lost_and_asked_for_again(self, which: int, seconds: int) -> None:
        family = pick(self.families, which)
        token = family.current
        self.refresh(family, token)
        self.clock.advance(seconds)
        self.refresh(family, token)

    def refresh(self, family: Family, token: str) -> None:
        response = self.program.refreshes(token)
        now = self.clock.now
        if not family.lives(now):
            assert answer_of(response, 400)["error"] == "invalid_grant"
        elif token == family.current:
            family.replace_current(self.successor(response, family), previous=token, now=now)
        elif token == family.previous and now - family.rotated_at <= REPEAT:
            assert self.successor(response, family) == family.current
        elif token == family.previous:
            successor = self.successor(response, family)
            assert successor != family.current
            family.replace_current(successor, previous=token, now=now)
        else:
            assert answer_of(response, 400)["error"] == "invalid_grant"
            family.revoked = True  # theft

    @rule(which=picks, how_old=picks)
    def client_gives_up_a_family(self, which: int, how_old: int) -> None:
        family = pick(self.families, which)
        assert answer_of(self.program.revokes(pick(family.tokens, how_old))) == {}
        family.revoked = True

    @rule(which=picks)
    def client_gives_up_an_access_token(self, which: int) -> None:
        access = pick(self.accesses, which)
        assert answer_of(self.program.revokes(access.text)) == {}
        for same in self.accesses:
            same.revoked |= same.text == access.text  # a repeated answer is the same token

    @rule()
    def user_disconnects(self) -> None:
        page = self.bob.sees("/oauth/connected-apps")
        assert len(page.forms) == (0 if self.grant.revoked else 1)
        for form in page.forms:
            assert self.bob.sends(form).status_code == 303
        self.grant.revoked = True
        for family in self.grant.families:
            family.revoked = True

    @rule(seconds=st.sampled_from([1, 30, 1800, 3599, 3600, 45 * DAY, 90 * DAY - 1, 90 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(which=picks)
    def access_token_is_used(self, which: int) -> None:
        access = pick(self.accesses, which)
        good = self.clock.now < access.until and not access.revoked and not access.family.revoked
        assert self.program.calls(access.text).status_code == (200 if good else 401)
        assert answer_of(self.program.introspects(access.text))["active"] is good

    @rule(which=picks, how_old=picks)
    def refresh_token_is_introspected(self, which: int, how_old: int) -> None:
        family = pick(self.families, which)
        token = pick(family.tokens, how_old)
        usable = family.lives(self.clock.now) and token in (family.current, family.previous)
        assert answer_of(self.program.introspects(token))["active"] is usable

    @invariant()
    def rows_are_as_many_as_families_and_grants(self) -> None:
        counts = row_counts(self.app)
        assert counts.get("token_families", 0) == len(self.families)
        assert counts.get("grants", 0) == (0 if self.grant.revoked else 1)

    def successor(self, response: TestResponse, family: Family) -> str:
        answer = answer_of(response)
        self.remember_access(answer, family)
        token = answer["refresh_token"]
        assert isinstance(token, str)
        return token

    def remember_access(self, answer: dict[str, Any], family: Family) -> None:
        until = self.clock.now + answer["expires_in"]
        self.accesses.append(Access(answer["access_token"], family, until))


def pick(things: list[T], which: int) -> T:
    """The newest thing for 0, the one before it for 1, and so on round."""
    return things[-1 - which % len(things)]


def test_any_order_of_events_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        GrantLife,
        settings=settings(
            derandomize=True,  # the same every time; the long run below looks further
            max_examples=16,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_very_many_orders_of_events_agree_with_the_model() -> None:
    run_state_machine_as_test(
        GrantLife,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
