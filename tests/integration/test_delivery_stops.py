"""Whoever loses access gets no more events: users, grants, tokens, clients, integrations and tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from flask_activepieces import Activepieces, Principal, Workspace
from flask_activepieces.errors import NotFound
from flask_activepieces.oauth.clients.client import OAuthClient
from flask_activepieces.oauth.clients.registration import Registration
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from flask_activepieces.storage.event_tables import deliveries, events, subscriptions
from tests.support.clock import StoppedClock
from tests.support.events import EventApp, Webhooks, always, make_event_app, webhooks

BOB = Principal("bob", "acme", "Bob")
ACME = Workspace("acme", "Acme")
SCOPES = ["profile:read", "tasks:read"]


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def host(flows: Webhooks, tmp_path: Path, clock: StoppedClock) -> Iterator[EventApp]:
    made = make_event_app(tmp_path, flows.url, clock=clock)
    with made.app.app_context():
        made.db.create_all()
        yield made
        made.db.session.remove()
        made.db.engine.dispose()


def registered() -> OAuthClient:
    """An OAuth client of Acme."""
    registration = Registration(
        name="Flows", redirect_uris=["https://flows.example/callback"], scope=" ".join(SCOPES), tenant_id="acme"
    )
    oauth_client, _ = get_state().oauth_clients.register(registration)
    return oauth_client


def granted(host: EventApp, flows: Webhooks) -> tuple[Any, Any]:
    """A subscription with a grant of Bob's, and the grant."""
    state = get_state()
    oauth_client = registered()
    grant = state.grants.approve(oauth_client, BOB, ACME, SCOPES)
    subscription, _ = host.subscribe(
        flows.url_of("f1"), user_id="bob", client_id=oauth_client.client_id, grant_id=grant.id
    )
    return subscription, grant


ENDS: dict[str, Callable[[Any], object]] = {
    "the grant is revoked": lambda grant: get_state().grants.revoke([grant], reason="a test"),
    "the user is disabled": lambda grant: Activepieces().revoke_user("bob", tenant_id="acme"),
    "the tenant is disabled": lambda grant: Activepieces().revoke_tenant("acme"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_subscription_ends_with_its_grant(host: EventApp, flows: Webhooks, end: str) -> None:
    subscription, grant = granted(host, flows)
    host.emit(1)
    assert host.deliver() == 1

    ENDS[end](grant)
    host.emit(2)

    assert host.deliver() == 0
    assert len(flows.received) == 1
    with pytest.raises(NotFound):
        host.state_of(subscription)


CLIENT_ENDS: dict[str, Callable[[OAuthClient], object]] = {
    "the client is deleted": lambda oauth_client: get_state().oauth_clients.delete(oauth_client),
    "the tenant is disabled": lambda oauth_client: Activepieces().revoke_tenant("acme"),
}


@pytest.mark.parametrize("end", CLIENT_ENDS)
def test_a_subscription_of_a_client_that_acts_for_itself_ends_without_a_grant(
    host: EventApp, flows: Webhooks, end: str
) -> None:
    oauth_client = registered()
    subscription, _ = host.subscribe(flows.url_of("f1"), client_id=oauth_client.client_id)
    other, _ = host.subscribe(flows.url_of("f2"), tenant_id="globex")
    host.emit(1)
    assert host.deliver() == 1

    CLIENT_ENDS[end](oauth_client)
    host.emit(2)
    host.emit(3, tenant="globex")
    host.deliver()

    assert [(each.flow, each.data["id"]) for each in flows.received] == [("f1", 1), ("f2", 3)]
    assert host.state_of(other) == "active"
    with pytest.raises(NotFound):
        host.state_of(subscription)


def test_a_disabled_tenant_gets_nothing_that_still_waits(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    host.subscribe(flows.url_of("f1"), client_id=registered().client_id)
    flows.answer = always(500)
    host.emit(1)
    host.deliver()

    Activepieces().revoke_tenant("acme")
    clock.advance(3600)

    assert host.deliver() == 0
    assert [(each.state, each.last_error) for each in host.logged()] == [("dead", "the tenant was disabled")]


def test_a_subscription_ends_with_its_personal_access_token(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    expires_at = int(clock()) + 3600
    token, _ = get_state().personal_tokens.create("bob", ACME, name="x", scopes=SCOPES, expires_at=expires_at)
    subscription, _ = host.subscribe(flows.url_of("f1"), user_id="bob", personal_token_id=token.id)
    host.emit(1)
    assert host.deliver() == 1

    clock.advance(3601)
    host.emit(2)

    assert host.deliver() == 0
    with pytest.raises(NotFound):
        host.state_of(subscription)


def test_a_disabled_client_gets_its_events_when_it_is_enabled(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    subscription, _ = granted(host, flows)
    host.db.session.execute(update(tables.oauth_clients).values(disabled_at=1))
    host.emit(1)
    assert host.deliver() == 0

    host.db.session.execute(update(tables.oauth_clients).values(disabled_at=None))
    host.db.session.commit()
    clock.advance(300)

    assert host.deliver() == 1


def test_a_disabled_integration_gets_its_events_when_it_is_enabled(
    host: EventApp, flows: Webhooks, clock: StoppedClock
) -> None:
    columns = {column.name: None for column in tables.integrations.c}
    row = {"id": "i", "tenant_id": "acme", "organization_id": "", "project_id": "p", "created_at": 1, "updated_at": 1}
    row |= {"shares_project": False, "enabled": True, "failed_connection_ids": "[]", "revision": 1}
    known = {name: value for name, value in {**columns, **row}.items() if name in columns}
    host.db.session.execute(insert(tables.integrations), known)
    host.db.session.commit()
    subscription, _ = host.subscribe(flows.url_of("f1"))
    assert subscription.integration_id == "i"
    host.db.session.execute(update(tables.integrations).values(enabled=False))
    host.emit(1)
    assert host.deliver() == 0

    host.db.session.execute(update(tables.integrations).values(enabled=True))
    host.db.session.commit()
    clock.advance(300)

    assert host.deliver() == 1


def test_a_webhook_that_the_app_may_no_longer_call_is_not_called(host: EventApp, flows: Webhooks) -> None:
    """As after a change of the server, or of the row."""
    host.subscribe(flows.url_of("f1"))
    host.emit(1)

    with webhooks() as other:
        host.db.session.execute(update(subscriptions).values(webhook_url=other.url_of("f1")))
        host.db.session.commit()

        assert host.deliver() == 0
        assert other.received == []


def test_a_user_who_left_the_tenant_gets_nothing(host: EventApp, flows: Webhooks) -> None:
    host.subscribe(flows.url_of("f1"), user_id="carol")
    host.emit(1)

    assert host.deliver() == 0


def test_a_removed_tenant_leaves_no_event_behind(host: EventApp, flows: Webhooks) -> None:
    granted(host, flows)
    get_state().personal_tokens.create("bob", ACME, name="x", scopes=SCOPES, expires_at=None)
    host.subscribe(flows.url_of("f2"), tenant_id="globex")
    host.emit(1)
    host.emit(2, tenant="globex")
    host.delivery.dispatcher.distribute()

    get_state().tenants.tenant_removal.remove("acme")

    for table in (subscriptions, deliveries, events, tables.personal_tokens):
        tenants = set(host.db.session.execute(select(table.c.tenant_id)).scalars())
        assert tenants <= {"globex"}, table
    assert host.deliver() == 1
