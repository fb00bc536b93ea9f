"""The page of the app's piece: versions, installation, and the flows that a new version concerns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_activepieces import Activepieces, Piece
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.automation import AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.pieces import make_piece_app
from tests.support.standin import action, standin
from tests.support.storage import rows_of

PIECE = "@acme/piece-tasks"


@pytest.fixture(scope="module")
def listening_server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def server(listening_server: ActivepiecesServer) -> ActivepiecesServer:
    listening_server.reset()
    return listening_server


@pytest.fixture
def admin(make_app: MakeApp, server: ActivepiecesServer) -> AreaUser:
    """The admin of Acme, whose app has a piece."""
    app, _ = make_piece_app(make_app, ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_PUBLIC_URL="https://tasks.test")
    alice = area_user(app, "alice")
    alice.site = "https://tasks.test"
    alice.browser.get("/login?as=alice", base_url=alice.site)
    alice.links(server)
    return alice


def test_the_contents_are_named_by_their_titles(admin: AreaUser) -> None:
    page = admin.visits("/piece")

    assert "Create task" in page.text
    assert "Task done" in page.text
    assert "create_task" not in page.text
    assert PIECE not in page.text


def test_the_piece_is_installed(admin: AreaUser, server: ActivepiecesServer) -> None:
    before = admin.visits("/piece")

    page = admin.presses(before, "/install")

    assert "Not installed" in before.text
    assert "The piece was installed." in page.text
    assert "In Activepieces 1.0.0 Here 1.0.0 up to date" in page.text
    assert not [form for form in page.forms if form.action.endswith("/install")]
    event = rows_of(admin.browser.application, "audit_events")[-1]
    assert (event["name"], event["user_id"]) == ("piece.installed", "alice")


def test_an_old_page_installs_nothing(admin: AreaUser) -> None:
    page = admin.presses(admin.visits("/piece"), "/install", version="7.0.0")

    assert page.status == 422
    assert "The piece has changed since you opened this page." in page.text
    assert "Not installed" in admin.visits("/piece").text


def test_a_second_click_installs_nothing(admin: AreaUser) -> None:
    form = admin.visits("/piece").form_to("/install")
    admin.submits(form)

    page = admin.submits(form)

    assert page.status == 200
    assert [row["name"] for row in rows_of(admin.browser.application, "audit_events")].count("piece.installed") == 1


def test_a_workspace_on_the_apps_key_only_sees_the_version(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app, _ = make_piece_app(make_app, ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)
    alice = area_user(app, "alice")
    alice.submits(alice.visits("/setup").form("with"))

    page = alice.visits("/piece")

    assert "The people who run this app install it" in page.text
    assert not [form for form in page.forms if form.action.endswith("/install")]
    assert alice.posts("/piece/install", version="1.0.0").status_code == 403


def test_an_app_without_a_piece_has_no_page_for_it(make_app: MakeApp, server: ActivepiecesServer) -> None:
    alice = area_user(make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url), "alice")
    alice.links(server)

    assert "App piece" not in alice.visits().links


def test_a_server_that_is_down_is_said_in_words(admin: AreaUser, server: ActivepiecesServer) -> None:
    server.faults.fail("GET", "/pieces*", 500, times=None)

    page = admin.visits("/piece")

    assert page.status == 200
    assert "Activepieces reported an error." in page.text
    assert "Unknown at the moment" in page.text


def test_the_flows_that_need_work_are_named(make_app: MakeApp, server: ActivepiecesServer) -> None:
    def declare(*names: str) -> object:
        def add(activepieces: Activepieces) -> None:
            for name in names:
                activepieces.action(name, scope="tasks:read", title=name.title(), description=name)(lambda: None)

        return add

    def admin_of(*names: str) -> AreaUser:
        app = make_app(
            host=HostWithLabs(),
            piece=Piece(name="@acme/piece-shrinking", title="Shrinking"),
            declare=declare(*names),
            ACTIVEPIECES_BASE_URL=server.url,
            ACTIVEPIECES_PUBLIC_URL="https://tasks.test",
        )
        alice = area_user(app, "alice")
        alice.site = "https://tasks.test"
        alice.browser.get("/login?as=alice", base_url=alice.site)
        alice.links(server)
        return alice

    first = admin_of("keep", "drop")
    first.presses(first.visits("/piece"), "/install")
    _flow_with_step(server, "@acme/piece-shrinking", "drop")

    page = admin_of("keep").visits("/piece")

    assert "flows need work" in page.text
    assert "1 flow uses it: A flow" in page.text
    assert "Here 2.0.0 new" in page.text


def _flow_with_step(server: ActivepiecesServer, piece: str, action_name: str) -> None:
    step = action("step_1", piece, action_name)
    step["settings"]["pieceVersion"] = "1.0.0"
    standin(server).flow(step, publish=False)
