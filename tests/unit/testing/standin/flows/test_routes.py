"""Flows of the stand-in, in cases without a recording."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import StoppedClock
from tests.support.standin import Standin, action, answering, catch_webhook

ECHO = "@acme/piece-echo"


def echo(name: str, connection: str = "key") -> dict[str, Any]:
    return action(name, ECHO, "echo", auth=f"{{{{connections['{connection}']}}}}")


def names_of(version: dict[str, Any]) -> list[str]:
    step, names = version["trigger"], []
    while step:
        names.append(step["name"])
        step = step.get("nextAction")
    return names


def test_a_step_is_inserted_between_two_others(standin: Standin) -> None:
    flow_id = standin.flow(echo("first"), echo("last"), publish=False)

    request = {"parentStep": "first", "action": echo("between")}
    flow = standin.operate(flow_id, "ADD_ACTION", request)

    assert names_of(flow["version"]) == ["trigger", "first", "between", "last"]


def test_an_updated_step_keeps_its_position(standin: Standin) -> None:
    flow_id = standin.flow(echo("first", "old"), echo("last"), publish=False)

    flow = standin.operate(flow_id, "UPDATE_ACTION", echo("first", "new"))

    assert names_of(flow["version"]) == ["trigger", "first", "last"]
    assert flow["version"]["connectionIds"] == ["new", "key"]


def test_deleted_steps_close_the_gap(standin: Standin) -> None:
    flow_id = standin.flow(echo("a"), echo("b"), echo("c"), publish=False)

    flow = standin.operate(flow_id, "DELETE_ACTION", {"names": ["a", "c"]})

    assert names_of(flow["version"]) == ["trigger", "b"]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ADD_ACTION", {"parentStep": "unknown", "action": echo("x")}),
        ("UPDATE_ACTION", echo("unknown")),
        ("DELETE_ACTION", {"names": ["unknown"]}),
        ("DELETE_ACTION", {"names": ["trigger"]}),
    ],
)
def test_an_unknown_step_cannot_be_changed(standin: Standin, operation: str, request_: dict[str, Any]) -> None:
    flow_id = standin.flow(echo("first"), publish=False)

    answer = standin.ask("POST", f"/flows/{flow_id}", {"type": operation, "request": request_})

    assert answer.status_code == 400
    assert answer.get_json()["code"] == "FLOW_OPERATION_INVALID"
    assert names_of(standin.get(f"/flows/{flow_id}")["version"]) == ["trigger", "first"]


def test_the_published_version_does_not_change_with_the_draft(standin: Standin) -> None:
    flow_id = standin.flow(answering("step_1", "old"))

    standin.operate(flow_id, "UPDATE_ACTION", answering("step_1", "new"))

    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).text == "old"
    standin.operate(flow_id, "LOCK_AND_PUBLISH", {})
    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).text == "new"


def test_a_flow_that_was_never_published_cannot_be_enabled(standin: Standin) -> None:
    flow_id = standin.flow(echo("first"), publish=False)

    request = {"type": "CHANGE_STATUS", "request": {"status": "ENABLED"}}
    answer = standin.ask("POST", f"/flows/{flow_id}", request)

    assert answer.status_code == 400


def test_a_trigger_of_a_missing_piece_cannot_be_started(standin: Standin) -> None:
    flow_id = standin.flow(publish=False)
    trigger = catch_webhook()
    trigger["settings"] |= {"pieceName": "@acme/piece-gone", "pieceVersion": "0.3.0"}
    standin.operate(flow_id, "UPDATE_TRIGGER", trigger)

    answer = standin.ask("POST", f"/flows/{flow_id}", {"type": "LOCK_AND_PUBLISH", "request": {}})

    assert answer.status_code == 404
    expected = "Trigger not found for piece @acme/piece-gone@0.3.0"
    assert answer.get_json()["params"]["message"] == expected


def test_a_template_is_imported_without_the_connections_of_its_author(standin: Standin) -> None:
    template = standin.get(f"/flows/{standin.flow(echo('step_1'))}/template")
    other = standin.flow(publish=False)

    flow = standin.operate(other, "IMPORT_FLOW", {**template["flows"][0], "displayName": "Mine"})

    assert template["pieces"] == ["@activepieces/piece-webhook", ECHO]
    assert flow["version"]["displayName"] == "Mine"
    assert names_of(flow["version"]) == ["trigger", "step_1"]
    assert flow["version"]["connectionIds"] == []


def test_flows_are_found_by_name_status_and_connection(standin: Standin) -> None:
    enabled = standin.flow(echo("step_1", "crm"))
    disabled = standin.flow(echo("step_1", "shop"), publish=False)
    standin.operate(disabled, "CHANGE_NAME", {"displayName": "Night shift"})

    def found(query: str) -> list[str]:
        flows = standin.get(f"/flows?projectId={standin.server.project_id}&{query}")["data"]
        return [flow["id"] for flow in flows]

    assert found("name=NIGHT") == [disabled]
    assert found("status=ENABLED") == [enabled]
    assert found("connectionExternalIds=crm") == [enabled]
    assert found("connectionExternalIds=crm&status=DISABLED") == []
    assert standin.get(f"/flows/count?projectId={standin.server.project_id}") == 2


def test_replacing_a_connection_updates_drafts(standin: Standin) -> None:
    value = {"type": "SECRET_TEXT", "secret_text": "x"}
    old, new = (standin.connect(name, ECHO, value) for name in ("old", "new"))
    deep = {"list": ["{{connections['old']}}", 7]}
    flow_id = standin.flow(action("step_1", ECHO, "echo", deep=deep), publish=False)

    body = {"projectId": standin.server.project_id}
    body |= {"sourceAppConnectionId": old, "targetAppConnectionId": new}
    answer = standin.by_admin().ask("POST", "/app-connections/replace", body)

    assert answer.status_code == 204
    flow = standin.get(f"/flows/{flow_id}")
    step = flow["version"]["trigger"]["nextAction"]
    assert step["settings"]["input"]["deep"] == {"list": ["{{connections['new']}}", 7]}
    assert (flow["version"]["connectionIds"], flow["publishedVersionId"]) == (["new"], None)


def test_a_flow_is_deleted_shortly_after_the_response(standin: Standin, clock: StoppedClock) -> None:
    """Observed on 0.85.2 and 0.86.0: a second DELETE conflicts with the first, and the webhook may still run."""
    flow_id = standin.flow(answering("step_1", "done"))

    assert standin.ask("DELETE", f"/flows/{flow_id}").status_code == 204

    again = standin.ask("DELETE", f"/flows/{flow_id}")
    assert (again.status_code, again.get_json()["code"]) == (409, "FLOW_OPERATION_IN_PROGRESS")
    publish = {"type": "LOCK_AND_PUBLISH", "request": {}}
    assert standin.ask("POST", f"/flows/{flow_id}", publish).status_code == 409
    assert standin.get(f"/flows?projectId={standin.server.project_id}")["data"] == []
    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).status_code == 200

    clock.advance(2)

    assert standin.ask("DELETE", f"/flows/{flow_id}").status_code == 404
    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).status_code == 410


def test_a_viewer_can_only_read_flows(standin: Standin) -> None:
    flow_id = standin.flow(echo("step_1"))
    viewer = standin.by_member("Viewer")

    assert viewer.ask("GET", f"/flows/{flow_id}").status_code == 200
    for request in (
        {"type": "CHANGE_NAME", "request": {"displayName": "x"}},
        {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}},
    ):
        answer = viewer.ask("POST", f"/flows/{flow_id}", request)
        assert answer.get_json()["code"] == "PERMISSION_DENIED"
    assert viewer.ask("DELETE", f"/flows/{flow_id}").status_code == 403


def test_a_folder_is_created_once_and_its_flows_outlive_it(standin: Standin) -> None:
    project_id = standin.server.project_id
    body = {"displayName": "A flow", "projectId": project_id, "folderName": "Shop"}
    flow = standin.post("/flows", body)
    folder = standin.post("/folders", {"displayName": "Shop", "projectId": project_id})

    assert flow["folderId"] == folder["id"]
    assert standin.get(f"/folders?projectId={project_id}")["data"] == [folder]
    assert folder["numberOfFlows"] == 1
    renamed = standin.post(f"/folders/{folder['id']}", {"displayName": "Store"})
    assert standin.get(f"/folders/{folder['id']}") == renamed
    standin.ask("DELETE", f"/folders/{folder['id']}")
    assert standin.get(f"/flows/{flow['id']}")["folderId"] is None
    assert standin.ask("GET", f"/folders/{folder['id']}").status_code == 404


def test_a_flow_moves_to_a_folder_and_keeps_notes_of_its_host(standin: Standin) -> None:
    flow_id = standin.flow(publish=False)
    folder = standin.post("/folders", {"displayName": "Shop", "projectId": standin.server.project_id})

    standin.operate(flow_id, "CHANGE_FOLDER", {"folderId": folder["id"]})
    flow = standin.operate(flow_id, "UPDATE_METADATA", {"metadata": {"tenant": "t"}})

    assert (flow["folderId"], flow["metadata"]) == (folder["id"], {"tenant": "t"})


def test_a_flow_is_shown_in_the_requested_version(standin: Standin) -> None:
    flow_id = standin.flow(echo("first"))
    published = standin.get(f"/flows/{flow_id}")["publishedVersionId"]
    standin.operate(flow_id, "ADD_ACTION", {"parentStep": "first", "action": echo("second")})

    assert names_of(standin.get(f"/flows/{flow_id}")["version"]) == ["trigger", "first", "second"]
    assert names_of(standin.get(f"/flows/{flow_id}?versionId={published}")["version"]) == ["trigger", "first"]


def test_a_version_of_another_flow_is_not_found(standin: Standin) -> None:
    version_id = standin.get(f"/flows/{standin.flow(echo('first'))}")["publishedVersionId"]

    assert standin.ask("GET", f"/flows/{standin.flow(echo('first'))}?versionId={version_id}").status_code == 404
