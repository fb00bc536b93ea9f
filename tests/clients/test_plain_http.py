"""Plain http on loopback needs no switch: neither Authlib's nor oauthlib's environment variable is set here."""

from __future__ import annotations

import pytest
import requests

from tests.support.actors import CALLBACK, Program
from tests.support.live import Visitor


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHLIB_INSECURE_TRANSPORT", raising=False)
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)


def test_the_whole_flow_needs_no_environment_variable(
    site: str, visitor: Visitor, program: Program
) -> None:
    proof = {"client_id": program.client_id, "client_secret": program.client_secret}
    bought = requests.post(
        f"{site}/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": visitor.brings_code(program.question()),
            "redirect_uri": CALLBACK,
            "code_verifier": program.verifier,
            **proof,
        },
        timeout=5,
    )
    refreshed = requests.post(
        f"{site}/oauth/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": bought.json()["refresh_token"],
            **proof,
        },
        timeout=5,
    )
    token = refreshed.json()["access_token"]
    called = requests.get(
        f"{site}/api/whoami", headers={"Authorization": f"Bearer {token}"}, timeout=5
    )

    assert (bought.status_code, refreshed.status_code, called.status_code) == (200, 200, 200)
