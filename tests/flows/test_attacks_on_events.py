"""Events of a tenant leave it on no route: a stranger calls every route of the app, with the ids of the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from flask_activepieces import get_state
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import answer_of
from tests.support.automation import area_user
from tests.support.hosts import PEOPLE
from tests.support.pieces import Flow, create_token, emit, make_piece_app
from tests.support.storage import rows_of

CANARY = "canary-event-of-acme"
#: What a stranger must neither see nor change.
TABLES = ("subscriptions", "deliveries", "events")


@dataclass
class Acme:
    """An app in which Bob of Acme has two flows, and what a stranger may know of them."""

    app: Flask
    owner_token: str
    cursor: str
    #: Values for the arguments of routes; others get the id of a subscription.
    ids: dict[str, str]
    #: What no response to a stranger may contain.
    secrets: set[str] = field(default_factory=set)

    def rules(self) -> list[Rule]:
        """All routes of the app."""
        return list(self.app.url_map.iter_rules())

    def path_of(self, rule: Rule) -> str:
        """The route with the ids of Acme."""
        adapter = self.app.url_map.bind("localhost")
        values = {name: self.ids.get(name, self.ids["subscription_id"]) for name in rule.arguments}
        return adapter.build(rule.endpoint, values, method=sorted(rule.methods or ())[0])

    @property
    def body(self) -> dict[str, Any]:
        """Fields that name Acme's things."""
        subscription_id = self.ids["subscription_id"]
        more = {"subscription": subscription_id, "subscription_id": subscription_id, "tenant_id": "acme"}
        return {"cursor": self.cursor, "trigger": "task_done", "inputs": {}, **self.ids, **more}

    def by_token(self, token: str) -> Iterator[tuple[Rule, TestResponse]]:
        """The responses of all routes to this token."""
        for rule in self.rules():
            for method in methods_of(rule):
                client = self.app.test_client(use_cookies=False)
                headers = {"Authorization": f"Bearer {token}"}
                yield (
                    rule,
                    client.open(
                        self.path_of(rule),
                        method=method,
                        headers=headers,
                        query_string={"cursor": self.cursor},
                        json=None if method == "GET" else self.body,
                    ),
                )

    def by_browser(self, name: str) -> Iterator[tuple[Rule, TestResponse]]:
        """The responses of all routes to this user's browser, with the token of its pages."""
        for rule in self.rules():
            for method in methods_of(rule):
                person = area_user(self.app, name)  # a route may have signed the last one out
                page_token = person.sees("/oauth/personal-tokens/new").form("expires").values["page_token"]
                bodies: list[dict[str, Any]] = [{}]
                if method != "GET":
                    bodies = [{"json": self.body}, {"data": {**self.body, "page_token": page_token, "inputs": ""}}]
                for body in bodies:
                    yield rule, person.browser.open(self.path_of(rule), method=method, **body)


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


@pytest.fixture
def acme(make_app: MakeApp, server: ActivepiecesServer) -> Acme:
    app, effects = make_piece_app(make_app, ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_MCP=True)
    flow = Flow(app, create_token(area_user(app, "bob")))
    webhook = answer_of(flow.subscribes(url=f"{server.url}/api/v1/webhooks/abcdefghijklmnopqrstu"), 201)
    polled = answer_of(flow.polls())
    emit(app, effects.triggers["task_done"], CANARY)
    with app.app_context():
        get_state().delivery.worker(threads=1).run_once()
    (delivery,) = [row for row in rows_of(app, "deliveries") if row["subscription_id"] == webhook["id"]]
    (event,) = rows_of(app, "events")
    ids = {"subscription_id": webhook["id"], "delivery_id": str(delivery["id"]), "name": "task_done"}
    assert flow.token is not None
    return Acme(app, flow.token, polled["cursor"], ids, {CANARY, event["uid"], webhook["secret"]})


def test_no_route_shows_or_changes_an_event_of_another_tenant(acme: Acme) -> None:
    before = {table: rows_of(acme.app, table) for table in TABLES}
    token = create_token(area_user(acme.app, "carol"))

    for responses in (acme.by_token(token), acme.by_browser("carol")):
        for rule, response in responses:
            shown = response.get_data(as_text=True) + str(response.headers)
            assert not [secret for secret in acme.secrets if secret in shown], rule

    # No call has ended the token, so all of them were hers.
    answer_of(Flow(acme.app, token).calls("GET", "/me"))
    for table in TABLES:
        assert [row for row in rows_of(acme.app, table) if row["tenant_id"] == "acme"] == before[table]


def test_the_same_calls_show_the_event_to_its_tenant(acme: Acme) -> None:
    """So the calls of the stranger are ones that could have shown it."""
    responses = [*acme.by_token(acme.owner_token), *acme.by_browser("alice")]
    showing = {rule.endpoint for rule, response in responses if CANARY in response.get_data(as_text=True)}

    assert PEOPLE["alice"].tenants[0] == "acme"
    assert showing == {"activepieces.piece_poll", "activepieces.automation_delivery"}
