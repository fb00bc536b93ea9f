"""Events for flows whose connection signs in with a password: they do not end when the token of an hour expires."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from flask_activepieces import Activepieces, Principal, get_state
from flask_activepieces.storage.maintenance import prune
from tests.conftest import MakeApp
from tests.support.actors import answer_of
from tests.support.clock import StoppedClock
from tests.support.events import Webhooks, webhooks
from tests.support.pieces import PASSWORD, Effects, Flow, PieceHost, emit, make_piece_app
from tests.support.problems import problem
from tests.support.storage import rows_of

BOB = {"type": "BASIC_AUTH", "username": "bob", "password": PASSWORD}
ACME = {"type": "CUSTOM_AUTH", "props": {"workspace": "acme", "key": PASSWORD}}


class HostWithRemovedUsers(PieceHost):
    def __init__(self) -> None:
        self.removed: set[str] = set()

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return None if user_id in self.removed else super().load_principal(user_id, tenant_id)


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def piece(make_app: MakeApp, flows: Webhooks) -> tuple[Flask, Effects]:
    return make_piece_app(make_app, host=HostWithRemovedUsers(), ACTIVEPIECES_BASE_URL=flows.url)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def happens(piece: tuple[Flask, Effects]) -> Callable[[str], None]:
    """Emit an event with this title, and deliver it."""
    app, effects = piece

    def emit_and_deliver(title: str) -> None:
        emit(app, effects.triggers["task_done"], title)
        with app.app_context():
            get_state().delivery.worker(threads=1).run_once()

    return emit_and_deliver


def signed_in(app: Flask, credentials: object = BOB) -> Flow:
    """A flow with a token of an hour, as the piece gets one for each new hour."""
    return Flow(app, answer_of(Flow(app, None).calls("POST", "/token", json=credentials))["access_token"])


def an_hour_later(app: Flask, clock: StoppedClock) -> None:
    """The token has expired, and the nightly job has run."""
    clock.advance(3700)
    with app.app_context():
        list(prune(get_state().database, now=int(clock()), audit_days=400, delivery_days=30))


def titles(flows: Webhooks) -> list[str]:
    return [each.data["title"] for each in flows.received]


@pytest.mark.parametrize("credentials", [BOB, ACME])
def test_a_webhook_gets_events_after_the_token_has_expired(
    app: Flask, flows: Webhooks, clock: StoppedClock, happens: Callable[[str], None], credentials: object
) -> None:
    answer_of(signed_in(app, credentials).subscribes(url=flows.url_of("f1")), 201)

    an_hour_later(app, clock)
    happens("a")

    assert titles(flows) == ["a"]


@pytest.mark.parametrize("credentials", [BOB, ACME])
def test_a_flow_that_asks_gets_events_after_the_token_has_expired(
    app: Flask, clock: StoppedClock, happens: Callable[[str], None], credentials: object
) -> None:
    cursor = answer_of(signed_in(app, credentials).polls())["cursor"]

    an_hour_later(app, clock)
    happens("a")

    (event,) = answer_of(signed_in(app, credentials).polls(cursor=cursor))["data"]
    assert event["payload"]["title"] == "a"


def test_a_token_is_kept_only_for_its_subscriptions(app: Flask, flows: Webhooks, clock: StoppedClock) -> None:
    flow = signed_in(app)
    subscription = answer_of(flow.subscribes(url=flows.url_of("f1")), 201)
    signed_in(app)

    an_hour_later(app, clock)
    assert len(rows_of(app, "personal_tokens")) == 1
    problem(flow.calls("GET", "/me"), 401, "Invalid token")
    assert signed_in(app).calls("DELETE", f"/subscriptions/{subscription['id']}").status_code == 204
    an_hour_later(app, clock)

    assert rows_of(app, "personal_tokens") == []


def _revoke_sign_in() -> None:
    tokens = get_state().personal_tokens
    for token in tokens.search(user_id="bob"):
        tokens.revoke(token.id, user_id="bob", tenant_ids=["acme"])


ENDS: dict[str, Callable[[], object]] = {
    "the sign-in is revoked": _revoke_sign_in,
    "the user is disabled": lambda: Activepieces().revoke_user("bob", tenant_id="acme"),
    "the tenant is disabled": lambda: Activepieces().revoke_tenant("acme"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_subscription_ends_with_its_sign_in_also_after_an_hour(
    app: Flask, flows: Webhooks, clock: StoppedClock, happens: Callable[[str], None], end: str
) -> None:
    answer_of(signed_in(app).subscribes(url=flows.url_of("f1")), 201)
    cursor = answer_of(signed_in(app).polls())["cursor"]
    an_hour_later(app, clock)

    with app.app_context():
        ENDS[end]()
    happens("a")

    assert flows.received == []
    problem(signed_in(app).polls(cursor=cursor), 404, "Not found")
    assert rows_of(app, "subscriptions") == []


def test_a_user_who_was_removed_gets_nothing(
    app: Flask, flows: Webhooks, clock: StoppedClock, happens: Callable[[str], None]
) -> None:
    answer_of(signed_in(app).subscribes(url=flows.url_of("f1")), 201)
    an_hour_later(app, clock)

    app.extensions["activepieces"].host.removed.add("bob")
    happens("a")

    assert flows.received == []
