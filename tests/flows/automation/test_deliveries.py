"""The pages of event deliveries: log, payload, sending again, pausing a flow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from flask_activepieces import Principal, Workspace, get_state
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.test_signals_and_audit import recorded_signals
from tests.support.actors import answer_of
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.events import Webhooks, always, webhooks
from tests.support.hosts import HostWithLabs
from tests.support.pieces import Effects, Flow, create_token, emit, make_piece_app
from tests.support.standin import standin
from tests.support.storage import rows_of, statements_of


@dataclass
class Scene:
    """Bob has a flow that waits for done tasks; Alice is the admin."""

    app: Flask
    effects: Effects
    server: Webhooks
    admin: AreaUser
    flow: Flow

    def happens(self, *titles: str) -> None:
        """Something happens, and is delivered."""
        emit(self.app, self.effects.triggers["task_done"], *titles)
        self.delivers()

    def delivers(self) -> None:
        with self.app.app_context():
            get_state().delivery.worker(threads=1).run_once()


@pytest.fixture
def server() -> Iterator[Webhooks]:
    with webhooks() as server:
        yield server


@pytest.fixture
def scene(make_app: MakeApp, server: Webhooks) -> Scene:
    app, effects = make_piece_app(make_app, ACTIVEPIECES_BASE_URL=server.url)
    flow = Flow(app, create_token(area_user(app, "bob")))
    answer_of(flow.subscribes(url=server.url_of("abcdefghijklmnopqrstu")), 201)
    return Scene(app, effects, server, area_user(app, "alice"), flow)


def test_an_empty_log_says_what_it_is_for(scene: Scene) -> None:
    assert "No deliveries yet" in scene.admin.visits("/deliveries").text


def test_an_event_that_arrived_is_listed_in_words(scene: Scene) -> None:
    scene.happens("Sweep")

    page = scene.admin.visits("/deliveries")

    assert "Task done Delivered" in page.text
    assert not [word for word in ("pending", "task_done", "200") if word in page.text]


REASONS: dict[int, str] = {
    402: "The quota of Activepieces is used up.",
    404: "The flow is off.",
    410: "The flow was deleted.",
    413: "The event is too large for Activepieces.",
    400: "Activepieces did not accept the event.",
    503: "Activepieces was busy or out of order.",
}


@pytest.mark.parametrize("status", REASONS)
def test_what_went_wrong_is_said_in_words(scene: Scene, status: int) -> None:
    scene.server.answer = always(status)

    scene.happens("Sweep")

    page = scene.admin.visits("/deliveries")
    assert REASONS[status] in page.text
    assert str(status) not in page.text


@pytest.mark.parametrize("status", [200, 404])
def test_a_web_page_is_not_taken_for_activepieces(scene: Scene, status: int) -> None:
    scene.server.answer = always(status, Content_Type="text/html; charset=utf-8")

    scene.happens("Sweep")

    page = scene.admin.visits("/deliveries")
    assert "A web page answered instead of Activepieces. Check the address of Activepieces." in page.text
    assert "Delivered" not in page.text.partition("Filter")[2]


def test_the_payload_is_shown_to_admins(scene: Scene) -> None:
    scene.happens("Sweep <b>floors</b>")
    listed = scene.admin.visits("/deliveries")

    page = scene.admin.sees(listed.links["Task done"])

    assert '"title": "Sweep <b>floors</b>"' in page.text
    assert "Attempts 1" in page.text


def test_a_delivery_shows_what_its_flow_was_sent_and_where(scene: Scene) -> None:
    less = Flow(scene.app, create_token(area_user(scene.app, "bob"), scope="tasks:read"))
    answer_of(less.subscribes(url=scene.server.url_of("abcdefghijklmnopqrstu")), 200)
    scene.happens("Sweep")

    page = scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"])

    (received,) = scene.server.received
    assert received.data == {"title": "Sweep"}
    assert '"title": "Sweep"' in page.text and "secret_note" not in page.text
    assert f"Server {scene.server.url} " in page.text
    assert "Answer of Activepieces to the last attempt" in page.text


def test_a_delivery_to_a_flow_that_is_gone_shows_no_field_that_needs_a_permission(scene: Scene) -> None:
    scene.happens("Sweep")
    (row,) = rows_of(scene.app, "subscriptions")
    assert scene.flow.calls("DELETE", f"/subscriptions/{row['id']}").status_code == 204

    page = scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"])

    assert '"title": "Sweep"' in page.text and "secret_note" not in page.text
    assert "The flow no longer gets events. Fields that need a permission are not shown." in page.text


@pytest.mark.parametrize(("state", "count"), [("delivered", 1), ("dead", 1), ("pending", 0), ("unknown", 2), ("", 2)])
def test_the_log_is_filtered(scene: Scene, state: str, count: int) -> None:
    scene.happens("Sweep")
    scene.server.answer = always(400)
    scene.happens("Mop")

    page = scene.admin.visits("/deliveries", state=state)

    assert len([href for href in page.links.values() if href.startswith(f"{AREA}/deliveries/")]) <= count
    assert ("Nothing found" in page.text) is (count == 0)


def test_a_dead_event_is_sent_again(scene: Scene) -> None:
    scene.server.answer = always(400)
    scene.happens("Sweep")
    scene.server.answer = always(200)
    page = scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"])

    again = scene.admin.presses(page, "/replay")
    scene.delivers()

    assert "The event will be sent again in a moment." in again.text
    first, second = scene.server.received
    assert first.event_id == second.event_id
    assert "Delivered" in scene.admin.visits("/deliveries").text


def test_an_event_of_a_flow_that_is_gone_cannot_be_sent_again(scene: Scene) -> None:
    scene.server.answer = always(410)
    scene.happens("Sweep")
    page = scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"])

    again = scene.admin.presses(page, "/replay")

    assert again.status == 422
    assert "The flow no longer gets events. Enable its trigger first." in again.text


def test_all_dead_events_are_sent_again(scene: Scene) -> None:
    scene.server.answer = always(400)
    scene.happens("Sweep", "Mop", "Dust")
    scene.server.answer = always(200)
    received = len(scene.server.received)

    page = scene.admin.presses(scene.admin.visits("/deliveries", state="dead"), "/deliveries/replay")
    scene.delivers()

    assert "What failed will be sent again in a moment." in page.text
    assert len(scene.server.received) == received + 3
    assert scene.admin.visits("/deliveries").text.count("Delivered") == 4  # one in the filter


def test_what_did_not_fail_is_not_offered_to_be_sent_again(scene: Scene) -> None:
    scene.happens("Sweep")

    pages = [scene.admin.visits("/deliveries", **query) for query in ({}, {"state": "delivered"}, {"state": "dead"})]

    assert not [form for page in pages for form in page.forms if form.action.endswith("/replay")]


def test_only_the_failed_events_of_the_shown_flow_are_sent_again(scene: Scene) -> None:
    answer_of(scene.flow.subscribes(url=scene.server.url_of("anotherflow0000000000")), 201)
    scene.server.answer = always(400)
    scene.happens("Sweep")
    scene.server.answer = always(200)
    received = len(scene.server.received)
    listed = scene.admin.visits("/subscriptions").links["Deliveries"]

    page = scene.admin.sees(listed + "&state=dead")
    scene.admin.presses(page, "/deliveries/replay")
    scene.delivers()

    assert "Deliveries to" in page.text
    assert len(scene.server.received) == received + 1
    assert "Nothing found" not in scene.admin.visits("/deliveries", state="dead").text


def test_failed_events_of_flows_that_are_gone_stay_where_they_are(scene: Scene) -> None:
    scene.server.answer = always(410)
    scene.happens("Sweep")

    page = scene.admin.presses(scene.admin.visits("/deliveries", state="dead"), "/deliveries/replay")

    assert "There is nothing to send again" in page.text
    assert "The flow was deleted." in page.text


def test_failed_events_of_another_tenant_are_not_sent_again(scene: Scene) -> None:
    scene.server.answer = always(400)
    scene.happens("Sweep")
    received = len(scene.server.received)
    flow = parse_qs(urlsplit(scene.admin.visits("/subscriptions").links["Deliveries"]).query)["flow"][0]
    carol = area_user(scene.app, "carol")

    for form in ({}, {"flow": flow}):
        assert carol.posts("/deliveries/replay", **form).status_code == 303
    scene.delivers()

    assert len(scene.server.received) == received
    assert "Sweep" not in carol.visits("/deliveries", flow=flow).text
    assert "Nothing found" in carol.visits("/deliveries", flow=flow).text


@pytest.mark.parametrize("path", ["/deliveries/99999", "/deliveries/x", "/deliveries/9999999999999999999999"])
def test_an_unknown_delivery_is_not_found(scene: Scene, path: str) -> None:
    assert scene.admin.visits(path).status == 404
    assert scene.admin.posts(f"{path}/replay").status_code == 404
    assert scene.admin.visits("/deliveries", cursor="x").status == 404


def test_deliveries_of_another_tenant_are_not_found(scene: Scene) -> None:
    scene.happens("Sweep")
    path = scene.admin.visits("/deliveries").links["Task done"].removeprefix(AREA)
    carol = area_user(scene.app, "carol")

    assert "No deliveries yet" in carol.visits("/deliveries").text
    assert "No flow gets events" in carol.visits("/subscriptions").text
    assert carol.visits(path).status == 404
    assert carol.posts(f"{path}/replay").status_code == 404
    pause = next(form.action for form in scene.admin.visits("/subscriptions").forms if form.action.endswith("/pause"))
    assert carol.posts(pause.removeprefix(AREA), paused="1").status_code == 404


def pause_on_the_page(scene: Scene) -> None:
    scene.admin.presses(scene.admin.visits("/subscriptions"), "/pause")


def continue_on_the_page(scene: Scene) -> None:
    pause_on_the_page(scene)
    pause_on_the_page(scene)


def run_on_the_command_line(scene: Scene, *commands: str) -> None:
    (row,) = rows_of(scene.app, "subscriptions")
    for command in commands:
        arguments = ["activepieces", "deliveries", command, row["id"]]
        assert scene.app.test_cli_runner().invoke(args=arguments).exit_code == 0


def answer_with(scene: Scene, status: int) -> None:
    scene.server.answer = always(status)
    scene.happens("Sweep")


def send_again_on_the_page(scene: Scene) -> None:
    answer_with(scene, 400)
    scene.admin.presses(scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"]), "/replay")


def send_all_again_on_the_page(scene: Scene) -> None:
    answer_with(scene, 400)
    answer_with(scene, 400)
    scene.admin.presses(scene.admin.visits("/deliveries", state="dead"), "/deliveries/replay")


def send_again_on_the_command_line(scene: Scene) -> None:
    answer_with(scene, 400)
    (row,) = rows_of(scene.app, "deliveries")
    arguments = ["activepieces", "deliveries", "replay", str(row["id"])]
    assert scene.app.test_cli_runner().invoke(args=arguments).exit_code == 0


#: What is recorded of events that were sent again: how, by whom in words, and its detail.
REPLAYS: dict[str, tuple[Callable[[Scene], None], str, set[str]]] = {
    "one": (send_again_on_the_page, "again: 1 Alice", {"count", "delivery", "trigger", "subscription"}),
    "all": (send_all_again_on_the_page, "again: 2 Alice", {"count"}),
    "an operator": (
        send_again_on_the_command_line,
        "again: 1 the system",
        {"count", "delivery", "trigger", "subscription"},
    ),
}


@pytest.mark.parametrize("name", REPLAYS)
def test_events_that_are_sent_again_are_audited_and_signalled(scene: Scene, name: str) -> None:
    act, line, fields = REPLAYS[name]

    with recorded_signals(scene.app) as received:
        act(scene)

    assert f"Events sent to flows {line}" in scene.admin.visits("/audit", kind="flows").text
    (event,) = [event for event in received if event.name == "delivery.replayed"]
    assert set(event.detail) == fields
    assert json.loads(rows_of(scene.app, "audit_events")[-1]["detail"]) == dict(event.detail)


def test_if_nothing_failed_nothing_is_recorded(scene: Scene) -> None:
    scene.happens("Sweep")
    before = rows_of(scene.app, "audit_events")

    scene.admin.posts("/deliveries/replay")

    assert rows_of(scene.app, "audit_events") == before


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (pause_on_the_page, "Events of “Task done” paused for a flow Alice"),
        (continue_on_the_page, "Events of “Task done” continued for a flow Alice"),
        (lambda scene: run_on_the_command_line(scene, "pause"), "Events of “Task done” paused for a flow the system"),
        (
            lambda scene: run_on_the_command_line(scene, "pause", "resume"),
            "Events of “Task done” continued for a flow the system",
        ),
        (lambda scene: answer_with(scene, 402), "Events of “Task done” paused for a flow the system"),
        (lambda scene: answer_with(scene, 410), "A flow no longer gets events of “Task done” the system"),
    ],
    ids=["page pause", "page resume", "operator pause", "operator resume", "out of quota", "flow deleted"],
)
def test_the_audit_log_names_who_did_it_and_not_the_owner(
    scene: Scene, act: Callable[[Scene], None], line: str
) -> None:
    act(scene)

    assert line in scene.admin.visits("/audit").text
    assert json.loads(rows_of(scene.app, "audit_events")[-1]["detail"])["owner_id"] == "bob"


def test_a_flow_is_paused_and_continues(scene: Scene) -> None:
    paused = scene.admin.presses(scene.admin.visits("/subscriptions"), "/pause")
    scene.happens("Sweep")
    received = len(scene.server.received)
    continued = scene.admin.presses(scene.admin.visits("/subscriptions"), "/pause")
    scene.delivers()

    assert "Deliveries are paused." in paused.text
    assert "Paused" in paused.text
    assert "paused by an administrator" in paused.text
    assert received == 0
    assert "Deliveries continue." in continued.text
    assert len(scene.server.received) == 1


@pytest.mark.parametrize("path", ["/deliveries", "/subscriptions", "/deliveries/1"])
def test_the_pages_are_for_admins(scene: Scene, path: str) -> None:
    assert area_user(scene.app, "bob").visits(path).status == 403


def test_two_hundred_deliveries_are_paged_in_constant_statements(scene: Scene) -> None:
    scene.happens("First")
    with statements_of(scene.app) as one:
        scene.admin.visits("/deliveries")
    for _ in range(8):
        scene.happens(*(f"Task {number}" for number in range(25)))
    seen, url, pages = set[str](), f"{AREA}/deliveries", 0
    while url:
        with statements_of(scene.app) as statements:
            page = scene.admin.sees(url)
        assert len(statements) == len(one)
        seen |= {
            href
            for tag, attributes in page.tags
            if (href := attributes.get("href") or "").startswith(f"{AREA}/deliveries/")
        }
        url, pages = page.links.get("Next", ""), pages + 1

    assert (len(seen), pages) == (201, 9)


def test_many_flows_are_paged(scene: Scene) -> None:
    for number in range(30):
        answer_of(scene.flow.subscribes(url=scene.server.url_of(f"flow{number:017}")), 201)

    first = scene.admin.visits("/subscriptions")
    second = scene.admin.sees(first.links["Next"])

    assert [sum(form.action.endswith("/pause") for form in page.forms) for page in (first, second)] == [25, 6]
    assert scene.admin.sees(second.links["Previous"]).text == first.text


def test_pausing_a_flow_keeps_the_page_of_the_list(scene: Scene) -> None:
    for number in range(30):
        answer_of(scene.flow.subscribes(url=scene.server.url_of(f"flow{number:017}")), 201)
    second = scene.admin.sees(scene.admin.visits("/subscriptions").links["Next"])
    pause = next(form for form in second.forms if form.action.endswith("/pause"))

    page = scene.admin.submits(pause)

    assert "Deliveries are paused." in page.text
    assert "Previous" in page.links
    assert "Next" not in page.links


def test_flows_are_named_if_activepieces_answers(make_app: MakeApp, listening_server: ActivepiecesServer) -> None:
    listening_server.reset()
    app, _ = make_piece_app(make_app, ACTIVEPIECES_BASE_URL=listening_server.url)
    alice = area_user(app, "alice")
    alice.links(listening_server)
    activepieces = standin(listening_server)
    flow_id = activepieces.flow(publish=False)
    activepieces.operate(flow_id, "CHANGE_NAME", {"displayName": "Tell the team"})
    flow = Flow(app, create_token(area_user(app, "bob")))
    answer_of(flow.subscribes(url=f"{listening_server.url}/api/v1/webhooks/{flow_id}"), 201)

    assert "Tell the team Active" in alice.visits("/subscriptions").text
    listening_server.faults.fail("GET", "/flows*", 500, times=None)
    assert "A flow Active" in alice.visits("/subscriptions").text


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 19, "²", "-1", "%00"])
def test_a_number_that_no_database_takes_is_not_found(scene: Scene, number: str) -> None:
    assert scene.admin.opens(f"{AREA}/deliveries/{number}").status_code == 404
    assert scene.admin.opens(f"{AREA}/deliveries?cursor={number}").status_code == 404


def test_a_payload_that_is_no_unicode_is_shown(scene: Scene) -> None:
    """JSON can contain half of a surrogate pair. Whoever causes an event must not hide it from the admins."""
    scene.happens("half \ud83d")

    page = scene.admin.sees(scene.admin.visits("/deliveries").links["Task done"])

    assert page.status == 200
    assert '"title": "half \\ud83d"' in page.text


class HostWithSales(HostWithLabs):
    """Alice is an admin of Acme who has nothing to do with its labs."""

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        if principal.user_id == "alice":
            return [Workspace("acme", "Acme"), Workspace("acme", "Sales", "sales"), Workspace("globex", "G", "labs")]
        return super().workspaces(principal)


def test_an_admin_sees_and_changes_nothing_of_an_organization_that_is_not_theirs(
    make_app: MakeApp, server: Webhooks
) -> None:
    """Like its integration, what an organization sends to its flows is a 404, for admins of the tenant too."""
    app, effects = make_piece_app(make_app, host=HostWithSales(), ACTIVEPIECES_BASE_URL=server.url)
    bob, alice = area_user(app, "bob"), area_user(app, "alice")
    whole, labs = Flow(app, create_token(bob)), Flow(app, create_token(bob, workspace="acme/labs"))
    answer_of(whole.subscribes(url=server.url_of("a" * 21)), 201)
    in_labs = answer_of(labs.subscribes(url=server.url_of("b" * 21)), 201)["id"]
    scene = Scene(app, effects, server, alice, labs)
    emit(app, effects.triggers["task_done"], "of labs", organization_id="labs")
    emit(app, effects.triggers["task_done"], "of sales", organization_id="sales")
    emit(app, effects.triggers["task_done"], "of everyone")
    scene.delivers()
    rows = rows_of(app, "deliveries")
    titles = {row["id"]: json.loads(row["payload"])["title"] for row in rows_of(app, "events")}

    seen = set()
    for row in rows:
        answer = alice.opens(f"{AREA}/deliveries/{row['id']}")
        if answer.status_code == 200:
            seen.add((titles[row["event_id"]], row["subscription_id"] == in_labs))
        else:
            assert answer.status_code == 404
            assert alice.posts(f"/deliveries/{row['id']}/replay").status_code == 404
    for paused in ("1", "0"):
        assert alice.posts(f"/subscriptions/{in_labs}/pause", paused=paused).status_code == 404

    assert len(rows) == 5
    assert seen == {("of sales", False), ("of everyone", False)}
    links = alice.visits("/deliveries").response.text.count(f'href="{AREA}/deliveries/')
    assert links == 2
    assert in_labs not in alice.visits("/subscriptions").response.text
    assert {row["state"] for row in rows_of(app, "subscriptions")} == {"active"}
    assert rows_of(app, "deliveries") == rows


def test_failed_events_of_another_organization_are_not_sent_again(make_app: MakeApp, server: Webhooks) -> None:
    app, effects = make_piece_app(make_app, host=HostWithSales(), ACTIVEPIECES_BASE_URL=server.url)
    labs = Flow(app, create_token(area_user(app, "bob"), workspace="acme/labs"))
    answer_of(labs.subscribes(url=server.url_of("b" * 21)), 201)
    scene = Scene(app, effects, server, area_user(app, "alice"), labs)
    server.answer = always(400)
    emit(app, effects.triggers["task_done"], "of labs", organization_id="labs")
    scene.delivers()
    before = rows_of(app, "deliveries")

    assert scene.admin.posts("/deliveries/replay").status_code == 303

    assert [row["state"] for row in before] == ["dead"]
    assert rows_of(app, "deliveries") == before


# In the audit log


def test_the_audit_log_names_the_trigger_of_a_flow(scene: Scene) -> None:
    for _ in ("paused", "continued"):
        scene.admin.presses(scene.admin.visits("/subscriptions"), "/pause")

    text = scene.admin.visits("/audit", kind="flows").text

    assert "A flow began to get events of “Task done”" in text
    assert "Events of “Task done” paused for a flow" in text
    assert "Events of “Task done” continued for a flow" in text
