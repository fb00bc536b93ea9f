"""Global connections on the stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.standin import Standin, action, answering

ECHO = "@acme/piece-echo"


def draft(standin: Standin, **changes: Any) -> dict[str, Any]:
    return {
        "displayName": "Global",
        "pieceName": ECHO,
        "type": "SECRET_TEXT",
        "value": {"type": "SECRET_TEXT", "secret_text": "canary-3"},
        "scope": "PLATFORM",
        "projectIds": [standin.server.project_id],
        "externalId": "g",
        **changes,
    }


def test_one_external_id_with_other_projects_is_another_connection(standin: Standin) -> None:
    first = standin.post("/global-connections", draft(standin))
    same = standin.post("/global-connections", draft(standin, displayName="Renamed"))
    other = standin.post("/global-connections", draft(standin, projectIds=[]))

    assert same["id"] == first["id"]
    assert other["id"] != first["id"]
    assert len(standin.get("/global-connections")["data"]) == 2


def test_a_value_is_never_shown(standin: Standin) -> None:
    made = standin.ask("POST", "/global-connections", draft(standin))
    changed = standin.ask("POST", f"/global-connections/{made.get_json()['id']}", {})

    listed = standin.ask("GET", "/global-connections")
    for answer in (made, changed, listed):
        assert "canary-3" not in answer.text


def test_flows_of_its_projects_use_it(standin: Standin) -> None:
    standin.post("/global-connections", draft(standin))
    step = action("step_1", ECHO, "echo", auth="{{connections['g']}}")
    flow_id = standin.flow(step, answering("step_2", "{{step_1['output']}}"))

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert answer.get_json()["auth"]["secret_text"] == "canary-3"
    assert standin.get("/global-connections")["data"][0]["flowIds"] == [flow_id]


def test_an_update_changes_only_the_given_fields(standin: Standin) -> None:
    made = standin.post("/global-connections", draft(standin))

    changed = standin.post(f"/global-connections/{made['id']}", {"projectIds": []})

    assert changed | {"updated": ""} == made | {"projectIds": [], "updated": ""}


def test_metadata_is_dropped(standin: Standin) -> None:
    """Observed on 0.85.2 and 0.86.0: the routes of global connections accept metadata and discard it."""
    made = standin.post("/global-connections", draft(standin, metadata={"a": 1}))
    changed = standin.post(f"/global-connections/{made['id']}", {"metadata": {"a": 2}})

    assert (made["metadata"], changed["metadata"]) == (None, None)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_project_connection_is_not_found_as_a_global_one(standin: Standin, method: str) -> None:
    value = {"type": "SECRET_TEXT", "secret_text": "x"}
    connection_id = standin.connect("mine", ECHO, value)

    answer = standin.ask(method, f"/global-connections/{connection_id}", {"displayName": "x"})

    assert answer.status_code == {"POST": 500, "DELETE": 404}[method]
    found = standin.get(f"/app-connections?projectId={standin.server.project_id}")["data"]
    assert [one["displayName"] for one in found] == ["mine"]


def test_projects_must_exist(standin: Standin) -> None:
    made = standin.post("/global-connections", draft(standin))
    nowhere = {"projectIds": ["b" * 21]}

    for path, body in (
        ("/global-connections", draft(standin, **nowhere)),
        (f"/global-connections/{made['id']}", nowhere),
    ):
        assert standin.ask("POST", path, body).status_code == 404
