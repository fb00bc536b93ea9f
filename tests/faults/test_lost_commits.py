"""The connection breaks while the database commits, so that the outcome is unknown.

The transaction is retried, because it may have failed. If it had succeeded, a refresh finds its own rotation and
returns the same response, and a redemption finds its own family.
"""

from __future__ import annotations

from tests.faults.conftest import TOKEN_WRITE
from tests.support.actors import answer_of
from tests.support.prepared_requests import redemption, refresh
from tests.support.proxies import Cut, Proxy
from tests.support.race_environment import RaceEnvironment
from tests.support.storage import engine_of

Remote = tuple[RaceEnvironment, Proxy]


def test_a_commit_that_did_not_arrive_is_repeated(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    program, bob = environment.program(), environment.person()

    outage.cut = Cut(commit_of(environment), "message")
    redeemed = environment.ask(redemption(program, environment.code(program, bob)))
    pair = environment.assert_alive(program, redeemed.json)
    outage.cut = Cut(commit_of(environment), "message")
    refreshed = environment.ask(refresh(program, pair["refresh_token"]))

    assert outage.cut is None
    environment.assert_alive(program, refreshed.json)
    assert len(environment.families(program)) == 1


def test_a_refresh_whose_commit_was_not_confirmed_succeeds(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    program = environment.program()
    pair = environment.connect(program, environment.person())

    outage.cut = Cut(commit_of(environment), "answer")
    answer = environment.ask(refresh(program, pair["refresh_token"]))

    assert outage.cut is None
    (family,) = environment.families(program)
    assert family["generation"] == 1
    environment.assert_alive(program, answer.json)


def test_a_redemption_whose_commit_was_not_confirmed_succeeds(remote: Remote, outage: Proxy) -> None:
    """The retry does not count as a replay of the code."""
    environment, _ = remote
    program = environment.program()
    code = environment.code(program, environment.person())

    outage.cut = Cut(commit_of(environment), "answer")
    answer = environment.ask(redemption(program, code))

    assert outage.cut is None
    environment.assert_alive(program, answer.json)
    assert answer_of(program.redeems(code), 400)["error"] == "invalid_grant"


def test_a_code_committed_before_an_outage_is_spent(remote: Remote, outage: Proxy) -> None:
    """After a 503 the outcome is unknown; a second request is then a replay, which revokes the unreceived tokens."""
    environment, _ = remote
    program = environment.program()
    request = redemption(program, environment.code(program, environment.person()))

    outage.cut = Cut(commit_of(environment), "answer", and_close=True)
    assert environment.ask(request).status == 503
    outage.open()

    assert environment.ask(request).json["error"] == "invalid_grant"
    (family,) = environment.families(program)
    assert family["revoked_at"] is not None


def test_a_refresh_committed_before_an_outage_can_be_repeated(remote: Remote, outage: Proxy) -> None:
    environment, _ = remote
    program = environment.program()
    request = refresh(program, environment.connect(program, environment.person())["refresh_token"])

    outage.cut = Cut(commit_of(environment), "answer", and_close=True)
    assert environment.ask(request).status == 503
    outage.open()

    environment.assert_alive(program, environment.ask(request).json)


def commit_of(environment: RaceEnvironment) -> bytes:
    """The message that commits a redemption or a refresh; on PostgreSQL their only write commits itself."""
    if engine_of(environment.app).dialect.name == "postgresql":
        return TOKEN_WRITE
    return rb"(?<!AUTO)COMMIT\b"  # neither SET AUTOCOMMIT nor READ COMMITTED
