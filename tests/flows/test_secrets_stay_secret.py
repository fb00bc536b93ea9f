"""The whole life cycle of an authorization, errors and theft included, reveals no secret anywhere."""

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
#: Sent in place of a secret: a mistyped secret is nearly one and must not be revealed either.
MISTYPED = "fas_almost-the-right-one"


@dataclass
class LifeCycle:
    """The secrets in use, the errors and the log."""

    app: Flask
    secrets: set[str] = field(default_factory=set)
    #: Also in the URL of the consent page, to which a page with an error links. Only the same browser can use them.
    request_ids: set[str] = field(default_factory=set)
    refusals: list[TestResponse] = field(default_factory=list)
    log: str = ""

    def found_in(self, text: str) -> set[str]:
        return {secret for secret in self.secrets if secret in text}

    def add_secrets(self, *secrets: Any) -> None:
        assert all(isinstance(secret, str) and len(secret) > 8 for secret in secrets)
        self.secrets.update(secrets)

    def add_refusals(self, *responses: TestResponse) -> None:
        assert all(400 <= response.status_code < 600 for response in responses)
        self.refusals += responses


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with every kind of key."""
    return make_app(
        ACTIVEPIECES_SECRET_KEYS=[SECRET_KEY, OLD_KEY],
        ACTIVEPIECES_JWT_KEYS=[JWT_KEY],
        ACTIVEPIECES_REDIS_URL=REDIS_URL,
    )


@pytest.fixture
def cycle(app: Flask, clock: StoppedClock, caplog: pytest.LogCaptureFixture) -> Iterator[LifeCycle]:
    """Run an authorization from the first consent page to token theft, with every error on the way."""
    caplog.set_level(logging.DEBUG)
    cycle = LifeCycle(app)
    cycle.add_secrets(SECRET_KEY, OLD_KEY, JWT_KEY["d"], MISTYPED, "the-redis-password")
    program, bob = Program.registered(app), Person(app, "bob")
    cycle.add_secrets(program.client_secret, program.verifier)
    code = give_consent(cycle, program, bob)
    tokens = redeem(cycle, program, code)
    refresh(cycle, program, tokens["refresh_token"])
    call(cycle, program, tokens["access_token"])
    use_client_credentials(cycle)
    with database_away(app):
        cycle.add_refusals(program.refreshes(tokens["refresh_token"]))
        cycle.add_refusals(program.calls(tokens["access_token"]))
        cycle.add_refusals(bob.opens(program.question(prompt="consent")))
    clock.advance(120)
    cycle.add_refusals(program.redeems(code))
    cycle.log = "\n".join([caplog.text, *(repr(vars(record)) for record in caplog.records)])
    yield cycle


def give_consent(cycle: LifeCycle, program: Program, bob: Person) -> str:
    form = bob.sees(program.question()).form("decision")
    cycle.add_secrets(form.values["request_id"], form.values["consent_token"])
    cycle.request_ids.add(form.values["request_id"])
    cookie = bob.browser.get_cookie("activepieces_browser", path="/oauth")
    assert cookie is not None
    cycle.add_secrets(cookie.value)
    cycle.add_refusals(bob.sends(form, decision="approve", consent_token=MISTYPED))
    cycle.add_refusals(bob.sends(form, decision="approve", request_id=MISTYPED))
    cycle.add_refusals(Person(cycle.app, "alice").sends(form, decision="approve"))
    cycle.add_refusals(bob.opens(program.question(client_id=MISTYPED)))
    cycle.add_refusals(bob.opens(program.question(state=MISTYPED, redirect_uri="https://evil.test/")))
    code = bob.allows(program.question())
    cycle.add_secrets(code)
    return code


def redeem(cycle: LifeCycle, program: Program, code: str) -> dict[str, Any]:
    cycle.add_refusals(
        program.redeems(code, client_secret=MISTYPED),
        program.redeems(code, code_verifier=None),
        program.redeems(code, code_verifier=program.verifier[::-1]),
        program.redeems(code, redirect_uri="https://evil.test/"),
        program.redeems(code, grant_type=MISTYPED),
        program.redeems(f"{code}{MISTYPED}"),
        program.redeems(MISTYPED),
        cycle.app.test_client().post("/oauth/token", json={"code": code}),
        program.posts("/oauth/token", {"code": code}, headers={"Authorization": f"Basic {MISTYPED}"}),
        cycle.app.test_client().get(f"/oauth/token?client_secret={program.client_secret}"),
    )
    tokens = answer_of(program.redeems(code))
    cycle.add_secrets(tokens["access_token"], tokens["refresh_token"])
    return tokens


def refresh(cycle: LifeCycle, program: Program, token: str) -> None:
    other = Program.registered(cycle.app)
    cycle.add_secrets(other.client_secret)
    cycle.add_refusals(
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
        cycle.add_secrets(tokens["access_token"], tokens["refresh_token"])


def call(cycle: LifeCycle, program: Program, token: str) -> None:
    cycle.add_refusals(
        program.calls(f"{token}x"),
        program.calls(MISTYPED),
        cycle.app.test_client().get(f"/api/whoami?access_token={token}"),
    )
    assert program.calls(token).status_code == 200
    assert program.revokes(token).status_code == 200
    cycle.add_refusals(program.calls(token))


def use_client_credentials(cycle: LifeCycle) -> None:
    robot = Program.registered(cycle.app, "--client-credentials", "--tenant", "acme")
    cycle.add_secrets(robot.client_secret)
    form: Parameters = {"grant_type": "client_credentials"}
    cycle.add_secrets(answer_of(robot.posts("/oauth/token", form))["access_token"])
    cycle.add_refusals(robot.posts("/oauth/token", form | {"scope": MISTYPED}))
    alice = Person(cycle.app, "alice")
    path = f"/api/integration/activepieces/oauth-clients/{robot.client_id}"
    cycle.add_secrets(answer_of(alice.browser.post(f"{path}/rotate"))["client_secret"])
    assert not cycle.found_in(alice.opens(path).text)
    assert not cycle.found_in(alice.opens(f"/automation/clients/{robot.client_id}").text) & {str(robot.client_secret)}


def test_no_secret_is_in_a_log(cycle: LifeCycle) -> None:
    assert "is not registered" in cycle.log, "the log is captured"
    assert not cycle.found_in(cycle.log)


def test_no_secret_is_in_an_error(cycle: LifeCycle) -> None:
    for response in cycle.refusals:
        revealed = response.text + str([value for name, value in response.headers if name != "Set-Cookie"])
        assert cycle.found_in(revealed) <= cycle.request_ids, (response.status_code, revealed)


def test_no_secret_is_in_an_audit_event(cycle: LifeCycle) -> None:
    events = rows_of(cycle.app, "audit_events")

    assert len(events) > 5
    assert not cycle.found_in(str(events))


def test_no_secret_is_in_any_table(cycle: LifeCycle) -> None:
    """A stolen database contains only hashes and key fragments."""
    for table in tables.metadata.sorted_tables:
        stored = str(rows_of(cycle.app, table.name.removeprefix("activepieces_")))
        assert not cycle.found_in(stored), table.name


def test_no_secret_is_in_a_repr(cycle: LifeCycle) -> None:
    representations = [repr(value) for value in reachable_objects(get_state(cycle.app))]

    assert len(representations) > 10
    assert not cycle.found_in(" ".join(representations))


def test_no_secret_is_in_a_configuration_error(app: Flask) -> None:
    broken = {
        "SECRET_KEY": "too short",
        "ACTIVEPIECES_JWT_KEYS": [JWT_KEY | {"crv": "P-521"}, f"-----BEGIN {MISTYPED}", JWT_KEY["d"]],
        "ACTIVEPIECES_REDIS_URL": f"http://:{MISTYPED}@127.0.0.1",
        "ACTIVEPIECES_PUBLIC_URL": f"https://user:{MISTYPED}@app.example.com",
    }
    host = Flask("another")
    host.config.update(broken)

    with pytest.raises(ConfigError) as caught:
        Activepieces(SmallHost()).init_app(host)

    revealed = "".join(str(value) for value in (caught.value, *caught.traceback))
    assert len(caught.value.problems) == len(broken)
    assert not {secret for secret in (MISTYPED, JWT_KEY["d"], "too short") if secret in revealed}
