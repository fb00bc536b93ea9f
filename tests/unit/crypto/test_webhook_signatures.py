"""Webhook signatures, checked with the library of Standard Webhooks itself."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from flask_activepieces.crypto.webhook_signatures import new_secret, signed_headers

BODY = b'{"id":"evt_1","data":{"title":"Caf\xc3\xa9"}}'


def test_the_library_verifies_what_we_sign() -> None:
    secret = new_secret()
    headers = signed_headers(secret, event_id="evt_1", timestamp=int(time.time()), body=BODY)

    assert Webhook(secret).verify(BODY, dict(headers))["id"] == "evt_1"


def test_the_signature_is_the_one_of_the_specification() -> None:
    # The example of https://www.standardwebhooks.com, as its library computes it.
    secret, sent_at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    headers = signed_headers(
        secret, event_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=sent_at, body=b'{"test": 2432232314}'
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("changed", ["body", "id", "time", "secret"])
def test_nothing_that_is_signed_can_be_changed(changed: str) -> None:
    secret, now = new_secret(), int(time.time())
    headers = dict(signed_headers(secret, event_id="evt_1", timestamp=now, body=BODY))
    if changed == "id":
        headers["webhook-id"] = "evt_2"
    if changed == "time":
        headers["webhook-timestamp"] = str(now - 1)

    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if changed == "secret" else secret).verify(
            BODY + b" " if changed == "body" else BODY, headers
        )


def test_each_secret_is_new() -> None:
    assert new_secret() != new_secret()
