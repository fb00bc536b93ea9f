"""A step that Activepieces repeats does not act twice: the idempotency key of an action."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, abort

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.pieces import PASSWORD, Effects, Flow, create_token, make_piece_app
from tests.support.problems import problem
from tests.support.storage import database_away, rows_of

KEY = "run-1:step_1"
TASK = {"title": "Buy milk"}


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture
def flow(app: Flask, bob: Person) -> Flow:
    return Flow(app, create_token(bob))


def test_a_repeated_call_gets_the_first_answer_and_does_not_act(flow: Flow, effects: Effects) -> None:
    first = answer_of(flow.runs("create_task", TASK, key=KEY))
    second = answer_of(flow.runs("create_task", TASK, key=KEY))

    assert first == second
    assert effects.created == ["Buy milk"]


def test_without_a_key_each_call_acts(flow: Flow, effects: Effects) -> None:
    for _ in range(2):
        flow.runs("create_task", TASK)

    assert len(effects.created) == 2


def test_another_key_is_another_call(flow: Flow, effects: Effects) -> None:
    for key in (KEY, "run-2:step_1"):
        flow.runs("create_task", TASK, key=key)

    assert len(effects.created) == 2


def test_a_key_counts_for_one_action_only(flow: Flow, effects: Effects) -> None:
    flow.runs("create_task", TASK, key=KEY)

    assert flow.runs("fail", {"value": 7}, key=KEY).get_json() == 7


def test_an_action_that_may_be_repeated_needs_no_key(app: Flask, flow: Flow, effects: Effects) -> None:
    for _ in range(2):
        flow.runs("set_title", TASK, key=KEY)

    assert len(effects.created) == 2
    assert rows_of(app, "action_calls") == []


def test_another_user_with_the_same_key_acts(app: Flask, flow: Flow, effects: Effects) -> None:
    flow.runs("create_task", TASK, key=KEY)
    for name in ("alice", "carol"):
        other = Flow(app, create_token(Person(app, name)))
        assert other.runs("create_task", TASK, key=KEY).status_code == 200

    assert len(effects.created) == 3


def test_a_token_with_other_scopes_does_not_get_the_answer(app: Flask, bob: Person, flow: Flow) -> None:
    """What it may see can differ."""
    flow.runs("create_task", TASK, key=KEY)

    problem(
        Flow(app, create_token(bob, scope="tasks:read")).runs("create_task", TASK, key=KEY), 403, "Insufficient scope"
    )


def test_a_retry_with_a_refreshed_token_does_not_act_again(
    app: Flask, program: Program, bob: Person, effects: Effects
) -> None:
    pair = program.connects(bob)
    Flow(app, pair["access_token"]).runs("create_task", TASK, key=KEY)

    newer = answer_of(program.refreshes(pair["refresh_token"]))["access_token"]
    Flow(app, newer).runs("create_task", TASK, key=KEY)

    assert len(effects.created) == 1


def test_a_retry_with_another_sign_in_does_not_act_again(app: Flask, effects: Effects) -> None:
    for _ in range(2):
        body = {"type": "BASIC_AUTH", "username": "bob", "password": PASSWORD}
        token = answer_of(Flow(app, None).calls("POST", "/token", json=body))["access_token"]
        Flow(app, token).runs("create_task", TASK, key=KEY)

    assert len(effects.created) == 1


def test_a_key_that_was_used_with_other_inputs_is_rejected(flow: Flow, effects: Effects) -> None:
    """A loop that reuses its key must fail visibly: the answer of another item would be wrong."""
    flow.runs("create_task", TASK, key=KEY)

    body = problem(flow.runs("create_task", {"title": "Buy bread"}, key=KEY), 422, "Invalid input")

    assert body["fields"] == {"Idempotency-Key": "This key was used with other inputs. Use a new one."}
    assert effects.created == ["Buy milk"]


def test_the_content_of_files_is_a_part_of_the_inputs(flow: Flow, effects: Effects) -> None:
    def upload(content: str) -> int:
        data = {"input": "{}", "receipt": (io.BytesIO(content.encode()), "r.txt")}
        headers = {"Idempotency-Key": KEY}
        path = "/actions/add_receipt"
        return flow.calls("POST", path, data=data, content_type="multipart/form-data", headers=headers).status_code

    assert [upload("12 EUR"), upload("12 EUR"), upload("13 EUR")] == [200, 200, 422]
    assert effects.created == ["receipt"]


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
def test_an_invalid_key_is_rejected(flow: Flow, effects: Effects, key: str) -> None:
    problem(flow.runs("create_task", TASK, key=key), 422, "Invalid input")
    assert effects.created == []


def reject() -> None:
    abort(409, "The project is locked.")


def crash() -> None:
    raise RuntimeError


@pytest.mark.parametrize("failure", [reject, crash])
def test_a_call_that_failed_acts_when_it_is_repeated(app: Flask, flow: Flow, effects: Effects, failure: Any) -> None:
    effects.during = failure
    assert flow.runs("create_task", TASK, key=KEY).status_code in (409, 500)
    effects.during = lambda: None

    assert flow.runs("create_task", TASK, key=KEY).status_code == 200
    assert len(effects.created) == 2


def test_invalid_input_does_not_use_up_the_key(flow: Flow) -> None:
    flow.runs("create_task", {"title": ""}, key=KEY)

    assert flow.runs("create_task", TASK, key=KEY).status_code == 200


def test_a_second_call_while_the_first_one_acts_is_told_to_wait(flow: Flow, effects: Effects) -> None:
    during: list[Any] = []
    effects.during = lambda: during.append(flow.runs("create_task", TASK, key=KEY))

    answer_of(flow.runs("create_task", TASK, key=KEY))

    body = problem(during[0], 409, "In progress")
    assert (body["code"], body["retry_after"]) == ("in_progress", 5)
    assert during[0].headers["Retry-After"] == "5"
    assert effects.created == ["Buy milk"]


def test_of_many_simultaneous_calls_one_acts(app: Flask, flow: Flow, effects: Effects) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: flow.runs("create_task", TASK, key=KEY), range(16)))

    assert effects.created == ["Buy milk"]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}


class WorkerDied(BaseException):
    """What no code catches, as if the process had ended."""


def die() -> None:
    raise WorkerDied


def test_the_key_of_a_worker_that_died_is_free_after_ten_minutes(
    flow: Flow, effects: Effects, clock: StoppedClock
) -> None:
    effects.during = die
    with pytest.raises(WorkerDied):
        flow.runs("create_task", TASK, key=KEY)
    effects.during = lambda: None

    clock.advance(599)
    assert flow.runs("create_task", TASK, key=KEY).status_code == 409
    clock.advance(1)
    assert flow.runs("create_task", TASK, key=KEY).status_code == 200
    assert len(effects.created) == 2


def test_an_answer_is_kept_for_a_day(flow: Flow, effects: Effects, clock: StoppedClock) -> None:
    flow.runs("create_task", TASK, key=KEY)
    clock.advance(86_399)
    flow.runs("create_task", TASK, key=KEY)
    assert len(effects.created) == 1

    clock.advance(1)
    flow.runs("create_task", TASK, key=KEY)

    assert len(effects.created) == 2


def test_expired_answers_are_pruned(app: Flask, flow: Flow, clock: StoppedClock) -> None:
    flow.runs("create_task", TASK, key=KEY)
    clock.advance(days=1)

    app.test_cli_runner().invoke(args=["activepieces", "prune"])

    assert rows_of(app, "action_calls") == []


def test_neither_the_key_nor_the_inputs_are_stored(app: Flask, flow: Flow) -> None:
    flow.runs("fail", {"value": "abort"}, key="a key that names a person")
    flow.runs("create_task", TASK, key="a key that names a person")

    (row,) = rows_of(app, "action_calls")
    assert "names a person" not in repr(row)


def test_a_long_answer_is_not_kept(app: Flask, flow: Flow) -> None:
    assert flow.runs("fail", {"value": "long answer"}, key=KEY).status_code == 200

    assert rows_of(app, "action_calls") == []


def test_an_action_succeeds_though_its_answer_cannot_be_kept(
    app: Flask, flow: Flow, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    """It has acted: an error would make the flow repeat it."""
    away = database_away(app)
    effects.during = away.__enter__
    try:
        answer = flow.runs("create_task", TASK, key=KEY)
    finally:
        away.__exit__(None, None, None)

    assert answer.status_code == 200
    assert "was not kept" in caplog.text


def test_nothing_is_done_while_the_database_is_away(app: Flask, flow: Flow, effects: Effects) -> None:
    with database_away(app):
        answer = flow.runs("create_task", TASK, key=KEY)

    assert problem(answer, 503, "Not available")["retry_after"] > 0
    assert effects.created == []
