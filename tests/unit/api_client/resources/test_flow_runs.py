"""Runs of flows: no page skips a run, and a failure has a readable reason."""

from __future__ import annotations

import json

import pytest

from flask_activepieces.api_client.errors import ResourceNotFound, UnexpectedResponse
from flask_activepieces.api_client.resources.flow_runs import FailedStep, FlowRuns
from tests.support.calls import says

PROJECT = "QhhIYmaZs4xpmhPiRWY63"
RUN = "1ef6mdbbHKmqljtqLdy90"


def test_runs_come_in_pages() -> None:
    transport = says("[worker] flow-runs after")

    page = FlowRuns(transport).list(PROJECT, limit=1)

    (run,) = page.runs
    assert (run.id, run.status, run.environment) == (RUN, "FAILED", "PRODUCTION")
    assert run.flow_version is not None
    assert run.flow_version.display_name == "E2E"
    assert run.steps == {}
    assert page.next_cursor is not None
    assert transport.lines == ["GET /flow-runs"]
    assert transport.last.query == {"projectId": PROJECT, "limit": 1}


def test_the_last_page_has_no_cursor() -> None:
    page = FlowRuns(says("[worker] flow-runs list")).list(PROJECT)

    assert [run.status for run in page.runs] == ["SUCCEEDED", "SUCCEEDED"]
    assert page.next_cursor is None


def test_every_filter_is_sent() -> None:
    transport = says("flow-runs filters")

    page = FlowRuns(transport).list(
        PROJECT,
        flow_ids=["a", "b"],
        statuses=["QUEUED"],
        created_after="2026-11-20T00:00:00Z",
        created_before="2026-11-21T00:00:00Z",
        cursor="next",
    )

    assert list(page.runs) == []
    assert transport.last.query == {
        "projectId": PROJECT,
        "flowId": ["a", "b"],
        "status": ["QUEUED"],
        "createdAfter": "2026-11-20T00:00:00Z",
        "createdBefore": "2026-11-21T00:00:00Z",
        "limit": 50,
        "cursor": "next",
    }


def test_a_run_has_steps_that_its_repr_does_not_show() -> None:
    transport = says("[worker] flow-run get")

    run = FlowRuns(transport).get("uoxjnm3AUBhDJerzOW45P")

    assert (run.status, run.steps_count, run.failed_step) == ("SUCCEEDED", 4, None)
    assert "trigger" in run.steps
    assert "steps=" not in repr(run)
    assert transport.lines == ["GET /flow-runs/uoxjnm3AUBhDJerzOW45P"]


@pytest.mark.parametrize(
    ("name", "step", "error", "reason"),
    [
        (
            "[worker] flow-run get (refused refresh)",
            "step_1",
            "ConnectionExpired",
            "connection (w-oauth) expired, reconnect again",
        ),
        (
            "[worker] flow-run get (missing connection)",
            "step_3",
            "ConnectionNotFound",
            "connection (w-secret) not found",
        ),
    ],
)
def test_a_failed_run_has_a_reason_even_from_a_truncated_message(
    name: str, step: str, error: str, reason: str
) -> None:
    failed = FlowRuns(says(name)).get(RUN).failed_step

    assert failed is not None
    assert (failed.name, failed.error_name, failed.reason) == (step, error, reason)
    assert "stack" not in repr(failed)
    assert reason not in repr(failed)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, ""),
        ("plain text", "plain text"),
        ("[1]", "[1]"),
        ('{"other": 1}', '{"other": 1}'),
        ('{"message": {"a": 1}}', '{"message": {"a": 1}}'),
        (json.dumps({"message": "once"}), "once"),
        (json.dumps({"message": 'a "quoted" \\ word\n'}), 'a "quoted" \\ word\n'),
        ('{"message": "cut off', '{"message": "cut off'),
        ('{"message": "\\x"}', '{"message": "\\x"}'),
        ("{" * 100_000, "{" * 100_000),
        ('{"message": "' + "\\" * 100_000, '{"message": "' + "\\" * 100_000),
    ],
)
def test_a_message_of_any_form_has_a_reason(message: str | None, reason: str) -> None:
    failed = FailedStep(name="step_1", display_name="Step 1", message=message)

    assert failed.reason == reason
    assert failed.error_name is None


def test_the_reason_has_no_stack_trace() -> None:
    message = "Error: connect ECONNREFUSED\n    at TCPConnectWrap.afterConnect (node:net:1494:16)\nCaused by: a proxy"
    failed = FailedStep(name="step_1", display_name="Step 1", message=json.dumps({"message": message}))

    assert failed.reason == "Error: connect ECONNREFUSED\nCaused by: a proxy"
    assert failed.http_status is None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"response": {"status": 401, "body": {"error": "invalid_token"}}, "request": {}}, 401),
        ({"response": {"status": "401"}}, None),
        ({"request": {"response": {"status": 401}}}, None),
    ],
)
def test_a_failed_call_of_a_service_has_its_status(error: dict[str, object], status: int | None) -> None:
    message = json.dumps({"message": json.dumps(error, indent=2)})

    assert FailedStep(name="step_1", display_name="Step 1", message=message).http_status == status
    cut_off = message[: len(message) - 30]
    assert FailedStep(name="step_1", display_name="Step 1", message=cut_off).reason


def test_a_run_is_retried() -> None:
    transport = says("[worker] flow-run retry")

    run = FlowRuns(transport).retry(RUN, project_id=PROJECT)

    assert (run.id, run.status) == (RUN, "QUEUED")
    assert transport.lines == [f"POST /flow-runs/{RUN}/retry"]
    assert transport.last.body == {"projectId": PROJECT, "strategy": "FROM_FAILED_STEP"}
    assert not transport.last.is_repeatable


def test_a_run_is_retried_with_the_current_flow() -> None:
    transport = says("[worker] flow-run retry")

    FlowRuns(transport).retry(RUN, project_id=PROJECT, strategy="ON_LATEST_VERSION")

    assert transport.last.body["strategy"] == "ON_LATEST_VERSION"


def test_an_unknown_run_is_not_found() -> None:
    with pytest.raises(ResourceNotFound):
        FlowRuns(says("flow-run unknown")).get("rrrrrrrrrrrrrrrrrrrrr")


@pytest.mark.parametrize("answer", [None, {}, {"data": 7}, {"data": [{"id": RUN}]}])
def test_anything_but_a_list_of_runs_is_an_unexpected_response(answer: object) -> None:
    with pytest.raises(UnexpectedResponse):
        FlowRuns(says(answer)).list(PROJECT)
