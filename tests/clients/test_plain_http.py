"""Plain http on loopback works without the environment variables of Authlib and oauthlib."""

from __future__ import annotations

import pytest
import requests

from tests.support.actors import CALLBACK, Program
from tests.support.live import Visitor


@pytest.fixture(autouse=True)
def _without_insecure_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHLIB_INSECURE_TRANSPORT", raising=False)
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)


def test_the_whole_flow_needs_no_environment_variable(site: str, visitor: Visitor, program: Program) -> None:
    credentials = {"client_id": program.client_id, "client_secret": program.client_secret}
    tokens = requests.post(
        f"{site}/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": visitor.brings_code(program.question()),
            "redirect_uri": CALLBACK,
            "code_verifier": program.verifier,
            **credentials,
        },
        timeout=5,
    )
    refreshed = requests.post(
        f"{site}/oauth/token",
        data={"grant_type": "refresh_token", "refresh_token": tokens.json()["refresh_token"], **credentials},
        timeout=5,
    )
    token = refreshed.json()["access_token"]
    answer = requests.get(f"{site}/api/whoami", headers={"Authorization": f"Bearer {token}"}, timeout=5)

    assert (tokens.status_code, refreshed.status_code, answer.status_code) == (200, 200, 200)
