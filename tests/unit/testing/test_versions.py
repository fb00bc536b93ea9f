"""What the stand-in does differently as another version of Activepieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flask_activepieces import testing
from flask_activepieces.testing import ActivepiecesServer, versions
from flask_activepieces.testing.versions import CHANGES, RELEASES, Change, Version
from tests.support.standin import Standin, action
from tests.support.standin import standin as calls

from .conftest import ECHO

SECRET = {"type": "SECRET_TEXT", "secret_text": "x"}
BOTH = {"applyToPublishedVersions": True, "deleteSourceConnection": True}

#: Makes a stand-in of a version.
Playing = Callable[..., Standin]


@pytest.fixture
def playing() -> Iterator[Playing]:
    """Makes stand-ins, which end with the test."""
    with ExitStack() as stack:

        def play(version: Version, **options: Any) -> Standin:
            server = ActivepiecesServer(
                version=version, pieces=[ECHO], sleep=lambda seconds: None, **options
            )
            stack.callback(server.close)
            return calls(server)

        yield play


@pytest.mark.parametrize("version", RELEASES)
def test_a_version_names_its_release(playing: Playing, version: Version) -> None:
    assert playing(version).get("/flags")["CURRENT_VERSION"] == RELEASES[version]


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.78, 0\.85, 0\.86, 0\.92"):
        ActivepiecesServer(version="0.85.2")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.after[:40]))
def test_a_change_is_played_and_has_its_source(change: Change) -> None:
    """A row of docs/recordings.md that nothing plays would be a promise."""
    assert change.source and change.before != change.after
    name = next(name for name, value in vars(versions).items() if value is change)
    users = [
        path.name
        for path in Path(testing.__file__).parent.glob("*.py")
        if path.name != "versions.py" and name in path.read_text("utf-8")
    ]
    assert users, f"{name} changes nothing"


class Replacement:
    """Two connections, and a flow that uses the first."""

    def __init__(self, standin: Standin, *, publish: bool = True) -> None:
        self.standin = standin
        self.old, self.new = (standin.connect(name, ECHO.name, SECRET) for name in ("old", "new"))
        step = action("step_1", ECHO.name, "echo", auth="{{connections['old']}}")
        self.flow_id = standin.flow(step, publish=publish)

    def ask(
        self,
        choice: Mapping[str, bool] | None = None,
        *,
        target: str | None = None,
        by_key: bool = False,
    ) -> TestResponse:
        """Replace the first by the second."""
        caller = self.standin if by_key else self.standin.by_admin()
        body = {
            "projectId": self.standin.server.project_id,
            "sourceAppConnectionId": self.old,
            "targetAppConnectionId": target or self.new,
        }
        return caller.ask("POST", "/app-connections/replace", body | dict(choice or {}))

    @property
    def connections(self) -> list[str]:
        """The external ids of the connections that are left."""
        query = f"projectId={self.standin.server.project_id}&limit=-1"
        rows = self.standin.get(f"/app-connections?{query}")["data"]
        return [row["externalId"] for row in rows]

    def used_by(self, which: str) -> list[str]:
        """The connections that the flow uses in its latest version, or in the published one."""
        world = self.standin.server.world
        flow = self.standin.get(f"/flows/{self.flow_id}")
        if which == "draft":
            used: list[str] = flow["version"]["connectionIds"]
            return used
        row = world.store.get("flow_version", flow["publishedVersionId"])
        assert row is not None
        return list(row["connectionIds"])


@pytest.mark.parametrize("version", ["0.86", "0.92"])
def test_replace_changes_drafts_and_keeps_the_source(playing: Playing, version: Version) -> None:
    """0.86.0, seen: both fields default to false."""
    replacement = Replacement(playing(version))

    assert replacement.ask().status_code == 204

    assert replacement.used_by("draft") == ["new"]
    assert replacement.used_by("published") == ["old"]
    assert replacement.connections == ["old", "new"]


@pytest.mark.parametrize("version", RELEASES)
def test_replace_with_both_fields_moves_all_and_deletes(playing: Playing, version: Version) -> None:
    """Older servers ignore both fields, and do it without them as well."""
    replacement = Replacement(playing(version))

    assert replacement.ask(BOTH).status_code == 204

    assert replacement.used_by("published") == replacement.used_by("draft") == ["new"]
    assert replacement.connections == ["new"]


@pytest.mark.parametrize("version", ["0.78", "0.85"])
def test_older_servers_replace_all_and_delete_when_not_asked(
    playing: Playing, version: Version
) -> None:
    replacement = Replacement(playing(version))

    assert replacement.ask().status_code == 204

    assert (replacement.used_by("published"), replacement.connections) == (["new"], ["new"])


def test_replace_moves_published_flows_and_keeps_the_source(playing: Playing) -> None:
    replacement = Replacement(playing("0.86"))

    assert replacement.ask({"applyToPublishedVersions": True}).status_code == 204

    assert replacement.used_by("published") == ["new"]
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_no_source_that_a_published_flow_uses(playing: Playing) -> None:
    """0.86.0, seen: ``deleteSourceConnection`` alone is 409."""
    replacement = Replacement(playing("0.86"))

    answer = replacement.ask({"deleteSourceConnection": True})

    assert (answer.status_code, answer.get_json()["code"]) == (409, "VALIDATION")
    assert replacement.used_by("draft") == replacement.used_by("published") == ["old"]
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_a_source_that_only_drafts_use(playing: Playing) -> None:
    replacement = Replacement(playing("0.86"), publish=False)

    assert replacement.ask({"deleteSourceConnection": True}).status_code == 204

    assert (replacement.used_by("draft"), replacement.connections) == (["new"], ["new"])


@pytest.mark.parametrize("choice", [BOTH, {"applyToPublishedVersions": True}])
def test_replace_does_not_overwrite_a_newer_draft_without_the_source(
    playing: Playing, choice: dict[str, bool]
) -> None:
    """Read in upstream's tests: the published version uses the source, its newer draft does not; nothing is done."""
    replacement = Replacement(playing("0.86"))
    step = action("step_1", ECHO.name, "echo")
    replacement.standin.operate(replacement.flow_id, "UPDATE_ACTION", step)

    assert replacement.ask(choice).status_code == 409

    assert replacement.used_by("published") == ["old"]
    assert "old" in replacement.connections


def test_a_connection_cannot_be_replaced_by_itself(playing: Playing) -> None:
    replacement = Replacement(playing("0.86"))

    assert replacement.ask(BOTH, target=replacement.old).status_code == 409

    assert "old" in replacement.connections


def test_older_servers_delete_a_connection_that_replaces_itself(playing: Playing) -> None:
    replacement = Replacement(playing("0.85"))

    assert replacement.ask(target=replacement.old).status_code == 204

    assert replacement.connections == ["new"]


@pytest.mark.parametrize("version", ["0.85", "0.86"])
@pytest.mark.parametrize("choice", [{}, BOTH])
def test_replace_by_an_api_key_leaves_a_blank_draft(
    playing: Playing, version: Version, choice: dict[str, bool]
) -> None:
    replacement = Replacement(playing(version))

    answer = replacement.ask(choice, by_key=True)

    assert (answer.status_code, answer.get_json()["code"]) == (500, "23503")
    flow = replacement.standin.get(f"/flows/{replacement.flow_id}")
    assert flow["version"]["trigger"]["type"] == "EMPTY"
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_no_global_source(playing: Playing) -> None:
    """Read in upstream's tests: 403; without the deletion, a global source is as good as any."""
    replacement = Replacement(playing("0.86"))
    store = replacement.standin.server.world.store
    store.change("app_connection", replacement.old, scope="PLATFORM")

    assert replacement.ask(BOTH).status_code == 403
    assert replacement.used_by("draft") == ["old"]

    assert replacement.ask().status_code == 204
    assert replacement.used_by("draft") == ["new"]
