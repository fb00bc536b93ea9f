"""Subscriptions of flows, the samples of a trigger, and polling, as the piece asks for them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from marshmallow import Schema, fields
from sqlalchemy import insert

from flask_activepieces import Activepieces
from flask_activepieces.delivery.polling import PAGE
from flask_activepieces.delivery.subscriptions.service import MAX_PER_OWNER
from flask_activepieces.storage.event_tables import subscriptions
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.pieces import SERVER, WEBHOOK, Effects, Flow, create_token, emit, make_piece_app
from tests.support.problems import problem
from tests.support.storage import engine_of, rows_of


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture
def flow(app: Flask, bob: Person) -> Flow:
    return Flow(app, create_token(bob))


# --- Subscriptions --------------------------------------------------------------------------------


def test_a_webhook_is_subscribed_with_the_user_and_scopes_of_the_token(app: Flask, bob: Person) -> None:
    flow = Flow(app, create_token(bob, scope="tasks:read"))

    body = answer_of(flow.subscribes(project="Home", limit=3), 201)

    assert body["secret"].startswith("whsec_") and body["expiresAt"] is None
    (row,) = rows_of(app, "subscriptions")
    assert (row["id"], row["webhook_url"], row["server"]) == (body["id"], WEBHOOK, SERVER)
    assert (row["tenant_id"], row["user_id"], row["scope"]) == ("acme", "bob", "tasks:read")
    assert json.loads(row["inputs"]) == {"project": "Home", "limit": 3}
    assert row["client_id"] is None and row["personal_token_id"]
    assert body["secret"] not in repr(row)


def test_a_subscription_of_an_oauth_connection_hangs_on_its_grant(app: Flask, program: Program, bob: Person) -> None:
    answer_of(Flow(app, program.connects(bob)["access_token"]).subscribes(), 201)

    (row,), (grant,) = rows_of(app, "subscriptions"), rows_of(app, "grants")
    assert (row["client_id"], row["grant_id"]) == (program.client_id, grant["id"])


def test_the_same_webhook_keeps_its_subscription(app: Flask, flow: Flow) -> None:
    """Activepieces enables a trigger again without disabling it."""
    first, second = answer_of(flow.subscribes(), 201), answer_of(flow.subscribes(), 200)

    assert first["id"] == second["id"]
    assert len(rows_of(app, "subscriptions")) == 1


def test_a_renewed_subscription_is_the_same(app: Flask, flow: Flow) -> None:
    subscription = answer_of(flow.subscribes(), 201)

    renewed = answer_of(flow.calls("POST", f"/subscriptions/{subscription['id']}/renew"))

    assert set(renewed) == {"id", "secret", "expiresAt"}
    assert renewed["id"] == subscription["id"]
    assert len(rows_of(app, "subscriptions")) == 1


def test_a_deleted_subscription_is_gone_and_deleting_it_again_is_no_error(app: Flask, flow: Flow) -> None:
    path = f"/subscriptions/{answer_of(flow.subscribes(), 201)['id']}"

    assert [flow.calls("DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert rows_of(app, "subscriptions") == []
    assert flow.calls("POST", f"{path}/renew").status_code == 404


def test_cleared_fields_of_the_form_do_not_count(app: Flask, flow: Flow) -> None:
    answer_of(flow.subscribes(project="", limit=None), 201)

    assert rows_of(app, "subscriptions")[0]["inputs"] == "{}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"webhookUrl": "https://evil.test/api/v1/webhooks/abcdefghijklmnopqrstu"}, "webhookUrl"),
        ({"webhookUrl": f"{SERVER}/api/v1/flows"}, "webhookUrl"),
        ({"webhookUrl": ""}, "webhookUrl"),
        ({"webhookUrl": None}, "webhookUrl"),
        ({"webhookUrl": "x" * 3000}, "webhookUrl"),
        ({"trigger": None}, "trigger"),
        ({"trigger": ["task_done"]}, "trigger"),
        ({"inputs": "x"}, "inputs"),
        ({"inputs": {"limit": "many"}}, "limit"),
        ({"inputs": {"unknown": 1}}, "unknown"),
    ],
)
def test_an_invalid_subscription_is_rejected(app: Flask, flow: Flow, changes: dict[str, Any], field: str) -> None:
    body = {"trigger": "task_done", "webhookUrl": WEBHOOK, "inputs": {}} | changes

    assert field in problem(flow.calls("POST", "/subscriptions", json=body), 422, "Invalid input")["fields"]
    assert rows_of(app, "subscriptions") == []


def test_an_unknown_trigger_is_not_found(flow: Flow) -> None:
    for answer in (flow.subscribes("unknown"), flow.polls("unknown"), flow.calls("GET", "/triggers/unknown/samples")):
        problem(answer, 404, "Not found")


def test_a_trigger_needs_its_scope(app: Flask, bob: Person) -> None:
    flow = Flow(app, create_token(bob, scope="tasks:read"))

    for answer in (
        flow.subscribes("task_gone"),
        flow.polls("task_gone"),
        flow.calls("GET", "/triggers/task_gone/samples"),
    ):
        assert problem(answer, 403, "Insufficient scope")["scope"] == "tasks:write"


@pytest.mark.parametrize("name", ["alice", "carol"])
def test_another_persons_subscription_is_not_found(app: Flask, flow: Flow, name: str) -> None:
    subscription = answer_of(flow.subscribes(), 201)["id"]
    other = Flow(app, create_token(Person(app, name)))

    assert other.calls("POST", f"/subscriptions/{subscription}/renew").status_code == 404
    assert other.calls("DELETE", f"/subscriptions/{subscription}").status_code == 204
    (row,) = rows_of(app, "subscriptions")
    assert row["user_id"] == "bob"


def test_a_colleague_who_subscribes_the_same_webhook_neither_takes_it_over_nor_learns_its_secret(
    app: Flask, flow: Flow
) -> None:
    """The address of a flow is no secret. Who has the secret of its subscription can start it with forged events."""
    theirs = answer_of(flow.subscribes(), 201)
    colleague = Flow(app, create_token(Person(app, "alice"), scope="tasks:read"))

    mine = answer_of(colleague.subscribes(), 201)

    assert mine["id"] != theirs["id"] and mine["secret"] != theirs["secret"]
    owners = {row["id"]: (row["user_id"], row["scope"]) for row in rows_of(app, "subscriptions")}
    assert owners[theirs["id"]][0] == "bob" and "tasks:write" in owners[theirs["id"]][1]
    assert answer_of(flow.subscribes(), 200) == theirs
    assert colleague.calls("DELETE", f"/subscriptions/{mine['id']}").status_code == 204
    assert [row["id"] for row in rows_of(app, "subscriptions")] == [theirs["id"]]


def test_a_subscription_in_another_workspace_of_the_user_is_another_one(app: Flask, flow: Flow, bob: Person) -> None:
    """Otherwise the flow of one organization would get the events of the other."""
    labs = Flow(app, create_token(bob, workspace="acme/labs"))

    whole, in_labs = answer_of(flow.subscribes(), 201), answer_of(labs.subscribes(), 201)

    assert whole["id"] != in_labs["id"] and whole["secret"] != in_labs["secret"]


def test_a_client_that_acts_for_itself_has_only_its_own_subscriptions(app: Flask) -> None:
    """Such tokens have no user by whom subscriptions could be told apart."""
    first, second = (_own_flow(app) for _ in range(2))
    subscribed, cursor = answer_of(first.subscribes(), 201), answer_of(first.polls())["cursor"]

    assert answer_of(second.subscribes(), 201)["secret"] != subscribed["secret"]
    assert second.calls("POST", f"/subscriptions/{subscribed['id']}/renew").status_code == 404
    assert second.polls(cursor=cursor).status_code == 404
    assert second.calls("DELETE", f"/subscriptions/{subscribed['id']}").status_code == 204
    assert answer_of(first.calls("POST", f"/subscriptions/{subscribed['id']}/renew")) == subscribed
    assert first.polls(cursor=cursor).status_code == 200


def _own_flow(app: Flask) -> Flow:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme")
    return Flow(app, answer_of(robot.posts("/oauth/token", {"grant_type": "client_credentials"}))["access_token"])


@pytest.mark.parametrize("subscription_id", ["x", "%00", "é", "x" * 500])
def test_an_id_that_does_not_exist_is_not_found(flow: Flow, subscription_id: str) -> None:
    assert flow.calls("POST", f"/subscriptions/{subscription_id}/renew").status_code == 404
    assert flow.calls("DELETE", f"/subscriptions/{subscription_id}").status_code == 204
    assert flow.polls(cursor=f"{subscription_id}.0").status_code == 404


def test_no_one_can_multiply_every_event_without_end(app: Flask, flow: Flow) -> None:
    """An event is stored once for each subscription, and whoever has a token can subscribe."""
    first = answer_of(flow.subscribes(), 201)
    (row,) = rows_of(app, "subscriptions")
    copies = [row | {"id": f"copy-{each}", "target_hash": f"{each:064}"} for each in range(1, MAX_PER_OWNER)]
    with engine_of(app).begin() as connection:
        connection.execute(insert(subscriptions), copies)

    for answer in (flow.subscribes(url=f"{WEBHOOK}x"), flow.polls()):
        assert "too many flows" in problem(answer, 422, "Invalid input")["detail"]
    assert answer_of(flow.subscribes(), 200) == first
    assert Flow(app, create_token(Person(app, "alice"))).subscribes().status_code == 201
    assert flow.calls("DELETE", f"/subscriptions/{first['id']}").status_code == 204
    assert flow.subscribes().status_code == 201


# --- Samples --------------------------------------------------------------------------------------


def samples(flow: Flow, inputs: str = "{}") -> Any:
    return flow.calls("GET", "/triggers/task_done/samples", query_string={"inputs": inputs})


def test_samples_are_the_newest_five_of_the_tokens_tenant(flow: Flow) -> None:
    titles = [each["title"] for each in answer_of(samples(flow))["data"]]

    assert titles == ["acme 9", "acme 8", "acme 7", "acme 6", "acme 5"]


def test_samples_depend_on_the_fields_of_the_form(flow: Flow) -> None:
    data = answer_of(samples(flow, '{"project": "Home", "limit": "2"}'))["data"]

    assert [each["title"] for each in data] == ["Home 2", "Home 1"]


def test_samples_have_only_the_fields_that_the_scopes_allow(app: Flask, flow: Flow, bob: Person) -> None:
    less = Flow(app, create_token(bob, scope="tasks:read"))

    assert "secret_note" in answer_of(samples(flow))["data"][0]
    assert "secret_note" not in answer_of(samples(less))["data"][0]


@pytest.mark.parametrize(("inputs", "status"), [("{", 400), ("[" * 5000, 400), ("[]", 422), ('{"limit": "x"}', 422)])
def test_invalid_inputs_have_no_samples(flow: Flow, inputs: str, status: int) -> None:
    assert samples(flow, inputs).status_code == status


def test_a_trigger_without_samples_has_none(flow: Flow) -> None:
    assert answer_of(flow.calls("GET", "/triggers/task_gone/samples")) == {"data": []}


class PersonSchema(Schema):
    name = fields.String()
    salary = fields.Integer(metadata={"scope": "tasks:write"})


class HiringSchema(Schema):
    person = fields.Nested(PersonSchema)
    team = fields.List(fields.Nested(PersonSchema))
    friends = fields.Nested(PersonSchema, many=True)
    by_role = fields.Dict(values=fields.Nested(PersonSchema))
    pair = fields.Tuple((fields.String(), fields.Nested(PersonSchema)))
    salary = fields.Pluck(PersonSchema, "salary")
    salaries = fields.Pluck(PersonSchema, "salary", many=True)


def test_a_field_deep_in_a_payload_needs_its_scope_too(make_app: MakeApp) -> None:
    ann: dict[str, Any] = {"name": "Ann", "salary": 90_000}
    hired = {"person": ann, "team": [ann], "friends": [ann], "by_role": {"lead": ann}, "pair": ("x", ann)}
    hired |= {"salary": ann, "salaries": [ann]}
    triggers = []

    def declare(activepieces: Activepieces) -> None:
        options: dict[str, Any] = {"scope": "tasks:read", "payload": HiringSchema, "description": "When"}
        triggers.append(activepieces.trigger("hired", samples=lambda: [hired], **options))

    app, _ = make_piece_app(make_app, declare=declare)
    bob = Person(app, "bob")
    more, less = Flow(app, create_token(bob)), Flow(app, create_token(bob, scope="tasks:read"))
    cursor = answer_of(less.polls("hired"))["cursor"]
    with app.app_context():
        triggers[0].emit(hired, tenant_id="acme")
        app.extensions["sqlalchemy"].session.commit()

    (sample,) = answer_of(less.calls("GET", "/triggers/hired/samples"))["data"]
    (event,) = answer_of(less.polls("hired", cursor=cursor))["data"]
    (full,) = answer_of(more.calls("GET", "/triggers/hired/samples"))["data"]

    named = {"name": "Ann"}
    expected = {
        "person": named,
        "team": [named],
        "friends": [named],
        "by_role": {"lead": named},
        "pair": ["x", named],
    }
    assert sample == event["payload"] == expected
    assert json.dumps(full).count("90000") == 7


class PaymentSchema(Schema):
    amount = fields.Decimal(places=2)
    id = fields.UUID()
    day = fields.Date()
    at = fields.DateTime()
    details = fields.Dict(values=fields.Raw())


class AmountSchema(Schema):
    least = fields.Decimal(places=2)


def test_an_event_has_the_same_json_as_a_sample_and_the_output_of_an_action(make_app: MakeApp) -> None:
    """Flask encodes what json.dumps cannot."""
    at = datetime(2025, 1, 31, 12, tzinfo=timezone.utc)
    paid: dict[str, Any] = {"amount": Decimal("1.50"), "id": UUID(int=7), "day": at.date(), "at": at}
    paid["details"] = dict(paid)
    triggers, matched = [], []

    def matches(payload: Any, inputs: Any) -> bool:
        matched.append((payload["amount"], inputs["least"]))
        return True

    def declare(activepieces: Activepieces) -> None:
        options: dict[str, Any] = {"payload": PaymentSchema, "input": AmountSchema, "description": "When"}
        triggers.append(
            activepieces.trigger("paid", scope="tasks:read", samples=lambda _: [paid], matches=matches, **options)
        )
        activepieces.action("last_payment", scope="tasks:read", output=PaymentSchema, description="Last")(
            lambda: paid
        )

    app, _ = make_piece_app(make_app, declare=declare)
    flow = Flow(app, create_token(Person(app, "bob")))
    cursor = answer_of(flow.polls("paid", least="1.00"))["cursor"]
    with app.app_context():
        triggers[0].emit(paid, tenant_id="acme")
        app.extensions["sqlalchemy"].session.commit()

    (event,) = answer_of(flow.polls("paid", cursor=cursor))["data"]
    (sample,) = answer_of(flow.calls("GET", "/triggers/paid/samples"))["data"]

    assert event["payload"] == sample == answer_of(flow.runs("last_payment"))
    assert {name: sample[name] for name in ("amount", "id", "day", "at")} == {
        "amount": "1.50",
        "id": "00000000-0000-0000-0000-000000000007",
        "day": "2025-01-31",
        "at": "2025-01-31T12:00:00+00:00",
    }
    assert sample["details"]["amount"] == "1.50"
    assert sample["details"]["at"] == "Fri, 31 Jan 2025 12:00:00 GMT"
    assert matched == [("1.50", "1.00")]


def test_an_event_is_encoded_by_the_provider_of_the_app(make_app: MakeApp) -> None:
    app, effects = make_piece_app(make_app)

    class Provider(DefaultJSONProvider):
        def dumps(self, obj: Any, **options: Any) -> str:
            return super().dumps(obj, **options).replace("Milk", "Oat milk")

    app.json = Provider(app)
    flow = Flow(app, create_token(Person(app, "bob")))
    cursor = answer_of(flow.polls())["cursor"]

    emit(app, effects.triggers["task_done"], "Milk")

    assert read(flow, cursor)[0] == ["Oat milk"]


# --- Polling --------------------------------------------------------------------------------------


def read(flow: Flow, cursor: str | None) -> tuple[list[str], str]:
    """The titles of the new events, and the next cursor."""
    body = answer_of(flow.polls(cursor=cursor))
    return [each["payload"]["title"] for each in body["data"]], body["cursor"]


def test_polling_begins_now(app: Flask, effects: Effects, flow: Flow) -> None:
    emit(app, effects.triggers["task_done"], "before")
    titles, cursor = read(flow, None)
    emit(app, effects.triggers["task_done"], "after")

    assert titles == []
    assert read(flow, cursor)[0] == ["after"]


def test_events_come_in_order_once_and_all_of_them(app: Flask, effects: Effects, flow: Flow) -> None:
    cursor, seen = read(flow, None)[1], []
    wanted = [str(number) for number in range(2 * PAGE + 10)]
    emit(app, effects.triggers["task_done"], *wanted)

    for _ in range(4):
        titles, cursor = read(flow, cursor)
        seen += titles

    assert seen == wanted


def test_a_repeated_poll_gets_the_same_events_with_the_same_ids(app: Flask, effects: Effects, flow: Flow) -> None:
    """The response to the first one may have been lost."""
    cursor = read(flow, None)[1]
    emit(app, effects.triggers["task_done"], "a", "b")

    first, second = answer_of(flow.polls(cursor=cursor)), answer_of(flow.polls(cursor=cursor))

    assert first == second
    assert all(each["id"].startswith("evt_") for each in first["data"])
    assert len({each["id"] for each in first["data"]}) == 2


def test_events_that_do_not_match_are_passed_over(app: Flask, effects: Effects, flow: Flow) -> None:
    cursor = answer_of(flow.polls(project="Home"))["cursor"]
    emit(app, effects.triggers["task_done"], "Home 1", "Work 1", "Home 2")

    titles, after = read(flow, cursor)
    emit(app, effects.triggers["task_done"], "Work 2")

    assert titles == ["Home 1", "Home 2"]
    assert read(flow, after)[0] == []


def test_events_have_only_the_fields_that_the_scopes_allow(app: Flask, effects: Effects, bob: Person) -> None:
    less = Flow(app, create_token(bob, scope="tasks:read"))
    cursor = answer_of(less.polls())["cursor"]
    emit(app, effects.triggers["task_done"], "a")

    (event,) = answer_of(less.polls(cursor=cursor))["data"]
    assert event["payload"] == {"title": "a"}


def test_events_of_other_tenants_users_and_organizations_do_not_come(
    app: Flask, effects: Effects, flow: Flow
) -> None:
    labs = Flow(app, create_token(Person(app, "bob"), workspace="acme/labs"))
    whole, in_labs = read(flow, None)[1], read(labs, None)[1]
    trigger = effects.triggers["task_done"]
    emit(app, trigger, "of Globex", tenant_id="globex")
    emit(app, trigger, "of Alice", user_id="alice")
    emit(app, trigger, "of Bob", user_id="bob")
    emit(app, trigger, "of Sales", organization_id="sales")

    assert read(labs, in_labs)[0] == ["of Bob"]
    assert read(flow, whole)[0] == ["of Bob", "of Sales"]


@pytest.mark.parametrize("name", ["alice", "carol"])
def test_another_person_cannot_read_from_a_cursor(app: Flask, effects: Effects, flow: Flow, name: str) -> None:
    cursor = read(flow, None)[1]
    emit(app, effects.triggers["task_done"], "a")

    problem(Flow(app, create_token(Person(app, name))).polls(cursor=cursor), 404, "Not found")


def test_a_cursor_counts_for_its_trigger_only(flow: Flow) -> None:
    problem(flow.polls("task_gone", cursor=read(flow, None)[1]), 404, "Not found")


def test_a_webhook_subscription_cannot_be_polled(flow: Flow) -> None:
    subscription = answer_of(flow.subscribes(), 201)["id"]

    problem(flow.polls(cursor=f"{subscription}.0"), 404, "Not found")


@pytest.mark.parametrize("cursor", ["", "x", ".", "x.", ".1", "x.-1", "x.1e3", "x.٣", f"x.{'9' * 30}"])
def test_what_is_no_cursor_is_rejected(flow: Flow, cursor: str) -> None:
    assert "cursor" in problem(flow.polls(cursor=cursor), 422, "Invalid input")["fields"]


@pytest.mark.parametrize("cursor", [1, ["x"], {}])
def test_a_cursor_is_a_text(flow: Flow, cursor: Any) -> None:
    assert "cursor" in problem(flow.polls(cursor=cursor), 422, "Invalid input")["fields"]


def test_a_flow_that_was_disabled_is_not_found(flow: Flow) -> None:
    body = answer_of(flow.polls())
    flow.calls("DELETE", f"/subscriptions/{body['subscription']}")

    problem(flow.polls(cursor=body["cursor"]), 404, "Not found")


def test_a_flow_that_was_disconnected_fails_rather_than_getting_no_events(
    app: Flask, effects: Effects, program: Program, bob: Person
) -> None:
    cursor = answer_of(Flow(app, program.connects(bob)["access_token"]).polls())["cursor"]
    with app.app_context():
        Activepieces().revoke_user("bob")
    emit(app, effects.triggers["task_done"], "a")

    connected_again = Flow(app, program.connects(bob)["access_token"])

    problem(connected_again.polls(cursor=cursor), 404, "Not found")
    assert rows_of(app, "subscriptions") == []


def test_a_paused_subscription_waits_and_loses_nothing(app: Flask, effects: Effects, flow: Flow) -> None:
    body = answer_of(flow.polls())
    with app.app_context():
        subscriptions = app.extensions["activepieces"].delivery.subscriptions
        subscriptions.pause(body["subscription"], tenant_id="acme", reason="a test")
        emit(app, effects.triggers["task_done"], "a")
        assert read(flow, body["cursor"]) == ([], body["cursor"])
        subscriptions.resume(body["subscription"], tenant_id="acme")

    assert read(flow, body["cursor"])[0] == ["a"]


def test_a_revoked_user_reads_nothing_more(app: Flask, effects: Effects, flow: Flow) -> None:
    cursor = read(flow, None)[1]
    emit(app, effects.triggers["task_done"], "a")
    with app.app_context():
        Activepieces().revoke_user("bob")

    problem(flow.polls(cursor=cursor), 401, "Invalid token")
