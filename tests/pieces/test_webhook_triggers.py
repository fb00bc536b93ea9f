"""Triggers by webhook: subscribing, what counts as an event, and leaving."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from time import time
from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import WEBHOOK_URL, LoadedPiece, PieceError
from tests.support.piece_host import API, PieceHost, json_of, query_of
from tests.support.piece_manifest import text, trigger

SUBSCRIPTIONS = f"{API}/subscriptions"
SAMPLES = f"{API}/triggers/done/samples"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
NEXT_SECRET = "whsec_" + base64.b64encode(b"fedcba9876543210").decode()


def done(load_piece: LoadPiece, **more: Any) -> LoadedPiece:
    return load_piece(triggers=trigger("done", props={"project": text("Project")}, **more))


def subscribe(host: PieceHost, identifier: str = "sub-1", secret: str = SECRET, status: int = 201) -> None:
    host.on("POST", SUBSCRIPTIONS, status, {"id": identifier, "secret": secret, "expiresAt": None})


def enabled(load_piece: LoadPiece, host: PieceHost, **more: Any) -> LoadedPiece:
    subscribe(host)
    piece = done(load_piece, **more)
    piece.hook("done", "onEnable", {"project": "p"})
    return piece


def event(
    data: object, *, identifier: str = "evt_1", at: float | None = None, secret: str = SECRET, **changes: Any
) -> dict[str, Any]:
    """The payload of a webhook call, as the engine passes it on."""
    raw = json.dumps({"id": identifier, "type": "done", "timestamp": "2026-11-30T00:00:00Z", "data": data})
    timestamp = str(int(time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{identifier}.{timestamp}.{raw}".encode(), hashlib.sha256)
    headers = {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return {
        "method": "POST",
        "headers": headers,
        "rawBody": raw,
        "body": json.loads(raw),
        "queryParams": {},
        **changes,
    }


def test_enabling_subscribes_the_webhook_of_the_flow_with_its_inputs(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)

    assert json_of(host.last) == {"trigger": "done", "webhookUrl": WEBHOOK_URL, "inputs": {"project": "p"}}
    assert json.loads(piece.store["subscription"]) == {"id": "sub-1", "secrets": [SECRET]}


def test_enabling_twice_keeps_one_subscription(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    subscribe(host, status=200)

    piece.hook("done", "onEnable")

    assert json.loads(piece.store["subscription"]) == {"id": "sub-1", "secrets": [SECRET]}


def test_enabling_that_fails_says_why(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", SUBSCRIPTIONS, 422, {"fields": {"webhookUrl": ["Not a URL of this Activepieces."]}})

    with pytest.raises(PieceError, match="^webhookUrl: Not a URL of this Activepieces.$"):
        done(load_piece).hook("done", "onEnable")


def test_signed_event_is_one_item_with_its_id(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)

    assert piece.hook("done", "run", payload=event({"title": "ä"})) == [{"title": "ä", "_dedupe_key": "evt_1"}]
    assert piece.logged == []


def test_data_that_is_no_object_is_wrapped(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)

    assert piece.hook("done", "run", payload=event([1, 2])) == [{"data": [1, 2], "_dedupe_key": "evt_1"}]


def tampered(name: str) -> dict[str, Any]:
    """An event with something wrong."""
    good = event({"title": "x"})
    headers = good["headers"]
    other = event({"title": "x"}, identifier="evt_2")
    return {
        "no signature": {**good, "headers": {}},
        "empty signature": {**good, "headers": {**headers, "webhook-signature": ""}},
        "other version": {
            **good,
            "headers": {**headers, "webhook-signature": headers["webhook-signature"].replace("v1", "v2")},
        },
        "one character less": {
            **good,
            "headers": {**headers, "webhook-signature": headers["webhook-signature"][:-1]},
        },
        "other body": {**good, "rawBody": good["rawBody"].replace("x", "y")},
        "other id": {**good, "headers": {**headers, "webhook-id": "evt_9"}},
        "other event": {**good, "headers": other["headers"]},
        "other parsed body": {**good, "body": other["body"]},
        "other secret": event({"title": "x"}, secret=NEXT_SECRET),
        "other timestamp": {**good, "headers": {**headers, "webhook-timestamp": "1"}},
        "no number": {**good, "headers": {**headers, "webhook-timestamp": "now"}},
        "too old": event({}, at=time() - 86_400 - 60),
        "from the future": event({}, at=time() + 300 + 60),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "no signature",
        "empty signature",
        "other version",
        "one character less",
        "other body",
        "other id",
        "other event",
        "other parsed body",
        "other secret",
        "other timestamp",
        "no number",
        "too old",
        "from the future",
    ],
)
def test_call_that_does_not_verify_starts_no_run(load_piece: LoadPiece, host: PieceHost, name: str) -> None:
    piece = enabled(load_piece, host)

    assert piece.hook("done", "run", payload=tampered(name)) == []
    assert piece.logged[0].startswith("A webhook call was ignored: it")
    assert "whsec_" not in piece.logged[0]


def test_event_that_waited_for_a_worker_still_counts(load_piece: LoadPiece, host: PieceHost) -> None:
    """Activepieces has accepted it by then, so the app does not send it again."""
    piece = enabled(load_piece, host)

    assert len(piece.hook("done", "run", payload=event({}, at=time() - 3600))) == 1


def test_one_of_several_signatures_suffices(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    payload = event({})
    payload["headers"]["webhook-signature"] = f"v1,AAAA v1a,BBBB {payload['headers']['webhook-signature']}"

    assert len(piece.hook("done", "run", payload=payload)) == 1


def test_raw_body_may_be_the_json_of_a_buffer(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    payload = event({"title": "ä"})
    payload["rawBody"] = {"type": "Buffer", "data": list(payload["rawBody"].encode())}

    assert len(piece.hook("done", "run", payload=payload)) == 1


def test_without_a_subscription_nothing_verifies(load_piece: LoadPiece) -> None:
    piece = done(load_piece)

    assert piece.hook("done", "run", payload=event({})) == []
    assert piece.logged == ["A webhook call was ignored: this flow has no subscription."]


# --- Renewal ------------------------------------------------------------------------------------------------------


def test_renewal_keeps_the_old_secret_for_events_on_their_way(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    host.on("POST", f"{SUBSCRIPTIONS}/sub-1/renew", 200, {"id": "sub-1", "secret": NEXT_SECRET, "expiresAt": 9})

    piece.hook("done", "onRenew")

    for secret in (SECRET, NEXT_SECRET):
        assert len(piece.hook("done", "run", payload=event({}, secret=secret))) == 1


def test_renewal_of_a_lost_subscription_subscribes_anew(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    subscribe(host, "sub-2")

    piece.hook("done", "onRenew", {"project": "p"})

    assert [request.target for request in host.received[1:]] == [f"{SUBSCRIPTIONS}/sub-1/renew", SUBSCRIPTIONS]
    assert json.loads(piece.store["subscription"])["id"] == "sub-2"


def test_renewal_without_a_subscription_subscribes(load_piece: LoadPiece, host: PieceHost) -> None:
    subscribe(host)

    done(load_piece).hook("done", "onRenew")

    assert [request.target for request in host.received] == [SUBSCRIPTIONS]


def test_renewal_that_fails_says_why(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    host.on("POST", f"{SUBSCRIPTIONS}/sub-1/renew", 500, {})

    with pytest.raises(PieceError, match="^Tasklane answered with status 500.$"):
        piece.hook("done", "onRenew")


def test_renewal_is_a_schedule_of_the_manifest(load_piece: LoadPiece) -> None:
    metadata = done(load_piece, renew="0 0 * * *").metadata()["triggers"]["done"]

    assert metadata["renewConfiguration"] == {"strategy": "CRON", "cronExpression": "0 0 * * *"}
    assert "renew" not in metadata


# --- Leaving ------------------------------------------------------------------------------------------------------


def test_disabling_unsubscribes(load_piece: LoadPiece, host: PieceHost) -> None:
    piece = enabled(load_piece, host)
    host.on("DELETE", f"{SUBSCRIPTIONS}/sub-1", 204, b"")

    piece.hook("done", "onDisable")

    assert (host.last.method, host.last.target) == ("DELETE", f"{SUBSCRIPTIONS}/sub-1")
    assert piece.logged == []


def test_event_before_a_publication_counts_after_it(load_piece: LoadPiece, host: PieceHost) -> None:
    """A flow that is published again is disabled and enabled, while events wait for a worker."""
    piece = enabled(load_piece, host)
    host.on("DELETE", f"{SUBSCRIPTIONS}/sub-1", 204, b"")
    piece.hook("done", "onDisable")
    subscribe(host, "sub-2", NEXT_SECRET)
    piece.hook("done", "onEnable")

    assert len(piece.hook("done", "run", payload=event({}, secret=SECRET))) == 1


def test_disabling_what_is_not_enabled_does_nothing(load_piece: LoadPiece, host: PieceHost) -> None:
    done(load_piece).hook("done", "onDisable")

    assert host.received == []


def test_disabling_a_missing_subscription_does_not_throw(load_piece: LoadPiece, host: PieceHost) -> None:
    """If it threw, the flow could not be disabled."""
    piece = enabled(load_piece, host)

    piece.hook("done", "onDisable")

    assert piece.logged == [f"The subscription was not removed: No {SUBSCRIPTIONS}/sub-1."]


def test_disabling_without_a_store_does_not_throw(load_piece: LoadPiece) -> None:
    piece = done(load_piece)

    piece.hook("done", "onDisable", settings={"storeFails": True})

    assert piece.logged == ["The subscription was not removed: the store is away"]


# --- Samples and the handshake ------------------------------------------------------------------------------------


def test_samples_are_the_newest_events_with_the_newest_last(load_piece: LoadPiece, host: PieceHost) -> None:
    """The server stores them one by one, and shows the last one first."""
    host.on("GET", SAMPLES, 200, {"data": [{"n": n} for n in range(7)]})

    assert done(load_piece).hook("done", "test", {"project": "p"}) == [{"n": n} for n in (4, 3, 2, 1, 0)]
    assert json.loads(query_of(host.last)["inputs"][0]) == {"project": "p"}


def test_without_events_the_sample_is_the_example(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("GET", SAMPLES, 200, {"data": []})

    assert done(load_piece).hook("done", "test") == [{"title": "An example"}]


def test_samples_that_fail_say_why(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("GET", SAMPLES, 401, {})

    with pytest.raises(PieceError, match="^Reconnect: "):
        done(load_piece).hook("done", "test")


def test_handshake_is_answered_with_what_was_asked(load_piece: LoadPiece) -> None:
    piece = done(load_piece)
    configuration = piece.metadata()["triggers"]["done"]["handshakeConfiguration"]

    answer = piece.hook("done", "onHandshake", payload={"headers": {"webhook-handshake": "abc"}})

    assert configuration == {"strategy": "HEADER_PRESENT", "paramName": "webhook-handshake"}
    assert answer["status"] == 200
    assert answer["body"] == {"handshake": "abc"}


def test_start_of_a_run_needs_nothing(load_piece: LoadPiece, host: PieceHost) -> None:
    done(load_piece).hook("done", "onStart")

    assert host.received == []
