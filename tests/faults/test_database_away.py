"""While the database is unreachable, requests return 503 and nothing is lost; afterwards everything works again.

Activepieces marks a connection as permanently broken on ``invalid_grant``, so an outage must never return that.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.faults.conftest import TOKEN_WRITE
from tests.support.databases import POSTGRES
from tests.support.prepared_requests import PreparedRequest, by_browser, call, redemption, refresh, revocation
from tests.support.proxies import Cut, Proxy
from tests.support.race_environment import RaceEnvironment, count_outcomes
from tests.support.storage import engine_of

SECONDS = 5

Remote = tuple[RaceEnvironment, Proxy]


def test_an_outage_is_reported_quickly_and_spends_nothing(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    program, bob = environment.program(), environment.person()
    pair = environment.connect(program, bob)
    redeem = redemption(program, environment.code(program, bob))
    renew, use = refresh(program, pair["refresh_token"]), call(pair["access_token"])
    fill_the_pools(environment, use)

    outage.close()
    started = time.monotonic()
    answers = environment.send_together([redeem, renew, use, revocation(program, pair["refresh_token"])] * 5)

    assert time.monotonic() - started < SECONDS
    assert count_outcomes(answers) == {(503, "temporarily_unavailable"): 20}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)

    outage.open()
    assert count_outcomes(environment.send_together([redeem, renew, use])) == {(200, None): 3}
    assert {answer.status for answer in environment.send_together([renew, use] * 10)} == {200}


def test_pages_and_the_api_report_an_outage_too(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    alice, program = environment.person("alice"), environment.program()
    form = alice.sees(program.question()).form("decision")
    outage.close()

    answers = environment.send_together(
        [
            by_browser(alice, "GET", program.question()),
            by_browser(alice, "POST", form.action, form.values | {"decision": "approve"}),
            by_browser(alice, "GET", "/oauth/connected-apps"),
            by_browser(alice, "GET", "/automation/clients"),
            by_browser(alice, "GET", "/api/integration/activepieces/oauth-clients"),
        ]
    )

    assert [answer.status for answer in answers] == [503] * 5
    assert all("Retry-After" in answer.headers for answer in answers)


@pytest.mark.parametrize("lost", ["message", "answer"])
def test_a_broken_database_connection_is_retried_transparently(remote: Remote, outage: Proxy, lost: str) -> None:
    """Nothing was committed, so the whole transaction is retried on a new connection."""
    environment, _ = remote
    program, bob = environment.program(), environment.person()
    pair = environment.connect(program, bob)
    breaks: list[tuple[bytes, PreparedRequest]] = [
        (b"INSERT", redemption(program, environment.code(program, bob))),
        (b"UPDATE", refresh(program, pair["refresh_token"])),
        (b"activepieces_revocations", call(pair["access_token"])),
    ]

    for pattern, request in breaks:
        fill_the_pools(environment, call(pair["access_token"]))
        outage.cut = Cut(pattern, "answer" if lost == "answer" else "message")
        answer = environment.ask(request)

        assert outage.cut is None, "the connection did not break"
        assert answer.status == 200, (pattern, answer)


def test_a_database_that_stops_mid_request_spends_nothing(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    program, bob = environment.program(), environment.person()
    token = environment.connect(program, bob)["refresh_token"]
    for request in redemption(program, environment.code(program, bob)), refresh(program, token):
        outage.cut = Cut(TOKEN_WRITE, "message", and_close=True)
        assert count_outcomes([environment.ask(request)]) == {(503, "temporarily_unavailable"): 1}

        outage.open()
        assert count_outcomes([environment.ask(request)]) == {(200, None): 1}


def test_connections_closed_by_the_database_are_replaced(remote: Remote) -> None:
    """As after a restart of the database: the pools are full of dead connections."""
    environment, _ = remote
    program, bob = environment.program(), environment.person()
    pair = environment.connect(program, bob)
    prepared = [
        redemption(program, environment.code(program, bob)),
        refresh(program, pair["refresh_token"]),
        call(pair["access_token"]),
    ]
    fill_the_pools(environment, prepared[-1])

    end_all_connections(environment)

    assert count_outcomes(environment.send_together(prepared)) == {(200, None): 3}


@pytest.mark.parametrize("remote", [POSTGRES], indirect=True)
def test_a_read_only_database_spends_nothing(remote: Remote) -> None:
    """As during a failover to another machine."""
    environment, _ = remote
    program, bob = environment.program(), environment.person()
    pair = environment.connect(program, bob)
    redeem = redemption(program, environment.code(program, bob))
    renew, use = refresh(program, pair["refresh_token"]), call(pair["access_token"])
    standby = f"ALTER DATABASE {engine_of(environment.app).url.database}"

    run_sql(environment, f"{standby} SET default_transaction_read_only = on")
    end_all_connections(environment)
    answers = environment.send_together([redeem, renew, use])

    run_sql(environment, f"BEGIN READ WRITE; {standby} RESET default_transaction_read_only; COMMIT")
    end_all_connections(environment)
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert count_outcomes(environment.send_together([redeem, renew, use])) == {(200, None): 3}


def fill_the_pools(environment: RaceEnvironment, request: PreparedRequest) -> None:
    """Make every worker keep a connection in its pool."""
    assert {answer.status for answer in environment.send_together([request] * 20)} == {200}


def end_all_connections(environment: RaceEnvironment) -> None:
    if engine_of(environment.app).dialect.name == "postgresql":
        run_sql(
            environment,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    else:
        connection_ids = run_sql(
            environment,
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
        )
        for (number,) in connection_ids:
            run_sql(environment, f"KILL {number}")
    engine_of(environment.app).dispose()  # this process need not detect it


def run_sql(environment: RaceEnvironment, statement: str) -> list[Any]:
    """Terminate connections, as an operator does at the database."""
    url = engine_of(environment.app).url
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        result = conn.execute(text(statement))
        return list(result.all()) if result.returns_rows else []
