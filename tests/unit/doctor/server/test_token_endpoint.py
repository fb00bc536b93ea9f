"""Whether Activepieces can call the token endpoint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_activepieces.doctor.server.token_endpoint import check_token_endpoint
from flask_activepieces.doctor.subject import Subject
from flask_activepieces.testing import ActivepiecesServer
from tests.support.doctor import codes, only
from tests.support.raw_server import Received, raw_server
from tests.support.storage import row_counts
from tests.unit.doctor.server.conftest import Link


def connections(server: ActivepiecesServer) -> int:
    return len(server.state.store.all("app_connection"))


def test_an_endpoint_that_rejects_the_code_is_not_reported(
    subject: Subject, activepieces_server: ActivepiecesServer
) -> None:
    before = row_counts(subject.app)

    assert codes(check_token_endpoint(subject)) == []

    (request,) = activepieces_server.token_requests
    assert "code=flask-activepieces-doctor" in request.body
    assert connections(activepieces_server) == 0
    assert row_counts(subject.app) == before


def test_the_filter_of_activepieces_is_found(subject: Subject, activepieces_server: ActivepiecesServer) -> None:
    allowed, activepieces_server.state.ssrf_allow_list = activepieces_server.state.ssrf_allow_list, ()

    finding = only(check_token_endpoint(subject), "token-endpoint-filtered")

    activepieces_server.state.ssrf_allow_list = allowed
    assert "AP_SSRF_ALLOW_LIST" in finding.remedy
    assert subject.app.config["ACTIVEPIECES_PUBLIC_URL"] in finding.seen


@pytest.mark.parametrize(
    "answer", [lambda request: request.reset(), lambda request: request.answer(404, {"detail": "no such page"})]
)
def test_an_endpoint_that_activepieces_cannot_reach_is_found(link: Link, answer: Callable[[Received], None]) -> None:
    with raw_server(answer) as other:
        subject = Subject(app=link(ACTIVEPIECES_PUBLIC_URL=other.url))

        assert only(check_token_endpoint(subject), "token-endpoint-unreachable")


def test_an_endpoint_that_accepts_everything_leaves_no_connection(
    link: Link, activepieces_server: ActivepiecesServer
) -> None:
    with raw_server(lambda request: request.answer(200, {"access_token": "x"})) as other:
        subject = Subject(app=link(ACTIVEPIECES_PUBLIC_URL=other.url))

        assert codes(check_token_endpoint(subject)) == []

    assert connections(activepieces_server) == 0


@pytest.mark.parametrize("name", ["ACTIVEPIECES_PUBLIC_URL", "ACTIVEPIECES_PIECE_NAME"])
def test_what_cannot_be_checked_is_not_reported(
    link: Link, activepieces_server: ActivepiecesServer, name: str
) -> None:
    assert codes(check_token_endpoint(Subject(app=link(**{name: None})))) == []

    assert activepieces_server.token_requests == []
