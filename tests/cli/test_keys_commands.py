"""``flask activepieces keys …``"""

from __future__ import annotations

import json

from joserfc.jwk import ECKey

from flask_activepieces.state import get_state
from tests.cli.conftest import Run, RunJson
from tests.conftest import MakeApp
from tests.support.actors import Person, Program


def test_derived_keys_are_listed(run: Run, run_json: RunJson) -> None:
    (key,) = run_json("keys", "list", "--json")

    assert key.pop("kid")
    assert key == {"algorithm": "HS256", "use": "signs and verifies", "published": "no"}
    assert run("keys", "list").stdout.splitlines()[0].split() == ["kid", "algorithm", "use", "published"]


def test_configured_keys_are_listed_without_the_keys(make_app: MakeApp) -> None:
    pem = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()
    app = make_app(ACTIVEPIECES_JWT_KEYS=[pem])

    result = app.test_cli_runner().invoke(args=["activepieces", "keys", "list", "--json"])

    first, second = json.loads(result.stdout)
    assert first["kid"] == get_state(app).settings.jwt_keys.signing.kid
    assert (first["algorithm"], first["published"]) == ("ES256", "in jwks.json")
    assert (second["algorithm"], second["use"]) == ("HS256", "verifies")
    for line in pem.splitlines():
        assert line not in result.output


def test_rotate_prints_only_a_key_and_explains_the_steps_on_standard_error(run: Run) -> None:
    first, second = run("keys", "rotate"), run("keys", "rotate")

    key = first.stdout.strip()
    assert len(key) == 64
    assert int(key, 16)
    assert second.stdout.strip() != key
    assert "Add this key at the END of ACTIVEPIECES_SECRET_KEYS" in first.stderr
    assert "After 90 days remove the old key" in first.stderr


def test_the_steps_that_rotate_explains_work(make_app: MakeApp) -> None:
    before = make_app()
    program = Program.registered(before)
    token = program.connects(Person(before, "bob"))["refresh_token"]
    rotated = before.test_cli_runner().invoke(args=["activepieces", "keys", "rotate"])

    keys = json.dumps([rotated.stdout.strip(), before.config["SECRET_KEY"]])
    after = make_app(tables=False, ACTIVEPIECES_SECRET_KEYS=keys)

    assert Program(after, program.client_id, program.client_secret).refreshes(token).status_code == 200
