"""After a whole life of a connection, errors and thefts included: no secret in a log, a repr, an error or a table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces
from flask_activepieces.errors import ConfigError
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from tests.conftest import MakeApp
from tests.support.actors import Parameters, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.hosts import SECRET_KEY, SmallHost
from tests.support.object_graph import reachable_objects
from tests.support.storage import database_away, rows_of

OLD_KEY = "an older secret key, no less secret"
JWT_KEY = ECKey.generate_key("P-256").as_dict(private=True)
REDIS_URL = "redis://:the-redis-password@127.0.0.1:1/0"
#: Sent where a secret belongs; a slip of the keyboard is nearly one.
MISTYPED = "fas_almost-the-right-one"


@dataclass
class Life:
    """What happened, and what must not be seen of it."""

    app: Flask
    secrets: set[str] = field(default_factory=set)
    refusals: list[TestResponse] = field(default_factory=list)
    log: str = ""

    def seen_in(self, text: str) -> set[str]:
        return {secret for secret in self.secrets if secret in text}

    def learns(self, *secrets: Any) -> None:
        assert all(isinstance(secret, str) and len(secret) > 8 for secret in secrets)
        self.secrets.update(secrets)

    def refused(self, *responses: TestResponse) -> None:
        assert all(400 <= response.status_code < 600 for response in responses)
        self.refusals += responses


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """With every kind of key."""
    return make_app(
        ACTIVEPIECES_SECRET_KEYS=[SECRET_KEY, OLD_KEY],
        ACTIVEPIECES_JWT_KEYS=[JWT_KEY],
        ACTIVEPIECES_REDIS_URL=REDIS_URL,
    )


@pytest.fixture
def life(app: Flask, clock: StoppedClock, caplog: pytest.LogCaptureFixture) -> Iterator[Life]:
    """A connection from its first question to its theft, with everything that can be done wrong on the way."""
    caplog.set_level(logging.DEBUG)
    life = Life(app)
    life.learns(SECRET_KEY, OLD_KEY, JWT_KEY["d"], MISTYPED, "the-redis-password")
    program, bob = Program.registered(app), Person(app, "bob")
    life.learns(program.client_secret, program.verifier)
    code = consents(life, program, bob)
    tokens = redeems(life, program, code)
    refreshes(life, program, tokens["refresh_token"])
    calls(life, program, tokens["access_token"])
    acts_for_itself(life)
    with database_away(app):
        life.refused(program.refreshes(tokens["refresh_token"]))
        life.refused(program.calls(tokens["access_token"]))
        life.refused(bob.opens(program.question(prompt="consent")))
    clock.advance(120)
    life.refused(program.redeems(code))
    life.log = "\n".join([caplog.text, *(repr(vars(record)) for record in caplog.records)])
    yield life


def consents(life: Life, program: Program, bob: Person) -> str:
    form = bob.sees(program.question()).form("decision")
    life.learns(form.values["request_id"], form.values["consent_token"])
    cookie = bob.browser.get_cookie("activepieces_browser", path="/oauth")
    assert cookie is not None
    life.learns(cookie.value)
    life.refused(bob.sends(form, decision="approve", consent_token=MISTYPED))
    life.refused(bob.sends(form, decision="approve", request_id=MISTYPED))
    life.refused(Person(life.app, "alice").sends(form, decision="approve"))
    life.refused(bob.opens(program.question(client_id=MISTYPED)))
    life.refused(bob.opens(program.question(state=MISTYPED, redirect_uri="https://evil.test/")))
    code = bob.allows(program.question())
    life.learns(code)
    return code


def redeems(life: Life, program: Program, code: str) -> dict[str, Any]:
    life.refused(
        program.redeems(code, client_secret=MISTYPED),
        program.redeems(code, code_verifier=None),
        program.redeems(code, code_verifier=program.verifier[::-1]),
        program.redeems(code, redirect_uri="https://evil.test/"),
        program.redeems(code, grant_type=MISTYPED),
        program.redeems(f"{code}{MISTYPED}"),
        program.redeems(MISTYPED),
        life.app.test_client().post("/oauth/token", json={"code": code}),
        program.posts(
            "/oauth/token", {"code": code}, headers={"Authorization": f"Basic {MISTYPED}"}
        ),
        life.app.test_client().get(f"/oauth/token?client_secret={program.client_secret}"),
    )
    tokens = answer_of(program.redeems(code))
    life.learns(tokens["access_token"], tokens["refresh_token"])
    return tokens


def refreshes(life: Life, program: Program, token: str) -> None:
    other = Program.registered(life.app)
    life.learns(other.client_secret)
    life.refused(
        program.refreshes(token, scope=MISTYPED),
        program.refreshes(f"{token}x"),
        program.refreshes(token[:-1]),
        other.refreshes(token),
        other.revokes(token),
        program.revokes(token, client_secret=MISTYPED),
    )
    assert other.introspects(token).status_code == 200
    for _ in range(3):
        tokens = answer_of(program.refreshes(token))
        life.learns(tokens["access_token"], tokens["refresh_token"])


def calls(life: Life, program: Program, token: str) -> None:
    life.refused(
        program.calls(f"{token}x"),
        program.calls(MISTYPED),
        life.app.test_client().get(f"/api/whoami?access_token={token}"),
    )
    assert program.calls(token).status_code == 200
    assert program.revokes(token).status_code == 200
    life.refused(program.calls(token))


def acts_for_itself(life: Life) -> None:
    robot = Program.registered(life.app, "--client-credentials", "--tenant", "acme")
    life.learns(robot.client_secret)
    form: Parameters = {"grant_type": "client_credentials"}
    life.learns(answer_of(robot.posts("/oauth/token", form))["access_token"])
    life.refused(robot.posts("/oauth/token", form | {"scope": MISTYPED}))
    alice = Person(life.app, "alice")
    own = f"/api/integration/activepieces/oauth-clients/{robot.client_id}"
    life.learns(answer_of(alice.browser.post(f"{own}/rotate"))["client_secret"])
    assert not life.seen_in(alice.opens(own).text)
    assert not life.seen_in(alice.opens(f"/oauth/clients/{robot.client_id}").text) & {
        str(robot.client_secret)
    }


def test_no_secret_is_in_a_log(life: Life) -> None:
    assert "authlib" in life.log, "the libraries below were listened to as well"
    assert not life.seen_in(life.log)


def test_no_secret_is_in_an_error(life: Life) -> None:
    for response in life.refusals:
        told = response.text + str(
            [value for name, value in response.headers if name != "Set-Cookie"]
        )
        assert not life.seen_in(told), (response.status_code, told)


def test_no_secret_is_in_an_audit_event(life: Life) -> None:
    events = rows_of(life.app, "audit_events")

    assert len(events) > 5
    assert not life.seen_in(str(events))


def test_no_secret_is_in_any_table(life: Life) -> None:
    """Whoever steals the database has hashes and halves of keys."""
    for table in tables.metadata.sorted_tables:
        stored = str(rows_of(life.app, table.name.removeprefix("activepieces_")))
        assert not life.seen_in(stored), table.name


def test_no_secret_is_in_a_repr(life: Life) -> None:
    shown = [repr(thing) for thing in reachable_objects(get_state(life.app))]

    assert len(shown) > 10
    assert not life.seen_in(" ".join(shown))


def test_no_secret_is_in_a_complaint_about_the_configuration(app: Flask) -> None:
    broken = {
        "SECRET_KEY": "too short",
        "ACTIVEPIECES_JWT_KEYS": [
            JWT_KEY | {"crv": "P-521"},
            f"-----BEGIN {MISTYPED}",
            JWT_KEY["d"],
        ],
        "ACTIVEPIECES_REDIS_URL": f"http://:{MISTYPED}@127.0.0.1",
        "ACTIVEPIECES_PUBLIC_URL": f"https://user:{MISTYPED}@app.example.com",
    }
    host = Flask("another")
    host.config.update(broken)

    with pytest.raises(ConfigError) as caught:
        Activepieces(SmallHost()).init_app(host)

    told = "".join(str(thing) for thing in (caught.value, *caught.traceback))
    assert len(caught.value.problems) == len(broken)
    assert not {secret for secret in (MISTYPED, JWT_KEY["d"], "too short") if secret in told}
