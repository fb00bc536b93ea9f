"""Many first requests of one client: its document is fetched once, and each assertion works once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.support.document_clients import ASSERTION_TYPE, Site, agent, key_agent, site
from tests.support.prepared_requests import PreparedRequest, by_browser
from tests.support.race_environment import RaceEnvironment, count_outcomes
from tests.support.storage import engine_of, rows_of


@pytest.fixture
def agent_site() -> Iterator[Site]:
    """A site where agents publish their documents."""
    with site() as serving:
        yield serving


def visits(environment: RaceEnvironment, url: str) -> list[PreparedRequest]:
    """As many visits of a URL as are sent together, by signed-in people."""
    bob = environment.person()
    return [by_browser(bob, "GET", url) for _ in range(environment.concurrency)]


def test_first_requests_fetch_the_document_once(environment: RaceEnvironment, agent_site: Site) -> None:
    for number in range(environment.rounds):
        path = f"/{number}.json"
        robin = agent(environment.app, agent_site, path)

        answers = environment.send_together(visits(environment, robin.question()))

        assert {answer.status for answer in answers} == {200}
        assert all("Robin" in answer.body for answer in answers)
        assert agent_site.fetched.count(path) == 1
        assert [row["document_url"] for row in rows_of(environment.app, "oauth_clients")].count(robin.client_id) == 1


def test_requests_after_the_expiry_fetch_the_document_once_more(
    environment: RaceEnvironment, agent_site: Site
) -> None:
    robin = agent(environment.app, agent_site)
    environment.person().sees(robin.question())
    with engine_of(environment.app).begin() as connection:
        connection.execute(
            text("UPDATE activepieces_oauth_clients SET document_expires_at = 1, document_tried_at = 1")
        )

    answers = environment.send_together(visits(environment, robin.question()))

    assert {answer.status for answer in answers} == {200}
    assert len(agent_site.fetched) == 2


def test_requests_for_a_missing_document_all_fail(environment: RaceEnvironment, agent_site: Site) -> None:
    robin = agent(environment.app, agent_site, "/missing.json")
    agent_site.documents.clear()

    answers = environment.send_together(visits(environment, robin.question()))

    assert {answer.status for answer in answers} == {400}
    assert len(agent_site.fetched) <= environment.concurrency
    assert robin.client_id not in [row["document_url"] for row in rows_of(environment.app, "oauth_clients")]
    assert rows_of(environment.app, "leases") == []


def test_an_assertion_is_accepted_once(environment: RaceEnvironment, agent_site: Site) -> None:
    """RFC 7523 §3: by any number of workers."""
    robin = key_agent(environment.app, agent_site, "/with-a-key.json", now=time.time())
    environment.person().sees(robin.question())

    for _ in range(environment.rounds):
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": robin.assertion(), "token": "x"}
        answers = environment.send_together(
            [PreparedRequest("POST", "/oauth/revoke", form)] * environment.concurrency
        )

        outcomes = count_outcomes(answers)
        assert outcomes[200, None] == 1
        assert sum(outcomes.values()) - 1 == outcomes[401, "invalid_client"] + outcomes[429, "invalid_client"]
