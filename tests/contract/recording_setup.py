"""The ways in which something was done to the recorded servers between two recordings.

Rows were made to look at lists, plan flags were set in the database, tokens were made to look old, and token
endpoints were told what to answer. `recorded_setups` says which of it was done before which recording.
"""

from __future__ import annotations

from socket import socket
from typing import Any

from flask_activepieces.testing.standin.access.people import add_identity, add_user, set_member
from flask_activepieces.testing.standin.access.projects import add_project
from flask_activepieces.testing.standin.routing.responses import timestamp
from flask_activepieces.testing.standin.state import FEATURES
from tests.support.token_endpoint import Reply

from .replay import PRIVATE_KEY, Replay, Setup, instant

_AN_HOUR = 3600


def in_project(recorded_id: str) -> Setup:
    """The recordings begin in a project that was there already."""
    return lambda replay: replay.names.bind(recorded_id, replay.server.project_id)


def a_project(recorded_id: str, external_id: str) -> Setup:
    """A project was made."""

    def set_up(replay: Replay) -> None:
        body = {"displayName": "Tenant One", "externalId": external_id}
        replay.names.bind(recorded_id, replay.call("POST", "/projects", body)["id"])

    return set_up


def a_signing_key(recorded_id: str) -> Setup:
    """A key for managed sign-in was made."""

    def set_up(replay: Replay) -> None:
        made = replay.call("POST", "/signing-keys", {"displayName": "embed"}, by_user=True)
        replay.names.bind(recorded_id, made["id"])
        replay.names.bind(PRIVATE_KEY, made["privateKey"])

    return set_up


def plan_is_empty(replay: Replay) -> None:
    """A new platform's plan includes nothing that costs."""
    replay.server.state.plan.clear()


def plan_is_full(replay: Replay) -> None:
    """All features were set in the database."""
    replay.server.state.plan.update(FEATURES)


def one_row_a_second(replay: Replay) -> None:
    """The connections of the project, as if each had been made a second after the one before."""
    store = replay.server.state.store
    project_id = replay.names.text("H4SMHoAgJs8TNlXiaOIoV")
    rows = store.all("app_connection", lambda row: row["projectIds"] == [project_id])
    begin = instant("2026-11-20T17:18:20.719Z")
    for place, row in enumerate(rows):
        moment = {"created": timestamp(begin + place), "updated": row["updated"]}
        store.change("app_connection", row["id"], **moment)


def a_connection(recorded_id: str, external_id: str, piece: str = "secret") -> Setup:
    """A connection that no list shows."""

    def set_up(replay: Replay) -> None:
        replay.add_connection(
            {
                "id": recorded_id,
                "displayName": external_id,
                "externalId": external_id,
                "type": "SECRET_TEXT",
                "status": "ACTIVE",
                "platformId": "qQnsmKagCnxENqoYPvJCq",
                "pieceName": f"@activepieces/piece-acme-{piece}",
                "pieceVersion": "0.1.0",
                "ownerId": "yS9QP3XnuFH1SNAjE3D4g",
                "projectIds": ["H4SMHoAgJs8TNlXiaOIoV"],
                "scope": "PROJECT",
                "metadata": None,
            }
        )

    return set_up


def an_oauth_connection(external_id: str, *answers: Reply, **value: str) -> Setup:
    """A connection was made by a code, for which the token endpoint gave that answer."""

    def set_up(replay: Replay) -> None:
        replay.endpoint.reply_with(*answers)
        replay.call("POST", "/app-connections", oauth_draft(external_id, **value))

    return set_up


def oauth_draft(external_id: str, **value: Any) -> dict[str, Any]:
    """The body of an upsert by a code, as most recordings have it."""
    return {
        "externalId": external_id,
        "displayName": external_id,
        "pieceName": "@activepieces/piece-acme-oauth",
        "projectId": "H4SMHoAgJs8TNlXiaOIoV",
        "type": "OAUTH2",
        "value": {
            "type": "OAUTH2",
            "client_id": "cid",
            "client_secret": "csec",
            "code": "the-code",
            "redirect_url": "http://127.0.0.1:3000/redirect",
            "scope": "read write",
            **value,
        },
    }


def endpoint_replies(*answers: Reply) -> Setup:
    """The token endpoint will answer so."""
    return lambda replay: replay.endpoint.reply_with(*answers)


def looks_old(external_id: str, *answers: Reply, **changes: Any) -> Setup:
    """The token of a connection looks more than an hour old, and its endpoint will answer so."""

    def set_up(replay: Replay) -> None:
        replay.change_value(
            external_id, claimed_at=int(replay.clock.now) - _AN_HOUR - 400, **changes
        )
        replay.endpoint.reply_with(*answers)

    return set_up


def in_order(*arrangements: Setup) -> Setup:
    """One after the other."""

    def set_up(replay: Replay) -> None:
        for one in arrangements:
            one(replay)

    return set_up


def at(moment: float) -> Setup:
    """The recording was made at that time."""

    def set_up(replay: Replay) -> None:
        replay.clock.now = moment

    return set_up


def done(method: str, path: str, body: Any = None, *, by_user: bool = False) -> Setup:
    """A request of that kind was sent."""

    def set_up(replay: Replay) -> None:
        replay.call(method, path, body, by_user=by_user)

    return set_up


def changed(external_id: str, **changes: Any) -> Setup:
    """Fields of a connection's value were changed in the database."""
    return lambda replay: replay.change_value(external_id, **changes)


def is_active(external_id: str) -> Setup:
    """A broken connection was made to look whole."""

    def set_up(replay: Replay) -> None:
        store = replay.server.state.store
        row = store.first("app_connection", externalId=external_id)
        assert row is not None
        store.change("app_connection", row["id"], status="ACTIVE")

    return set_up


def a_flow(
    recorded_id: str, *, name: str = "Flow", project_id: str = "H4SMHoAgJs8TNlXiaOIoV"
) -> Setup:
    """A flow that was made for the next request."""

    def set_up(replay: Replay) -> None:
        body = {"displayName": name, "projectId": project_id}
        replay.names.bind(recorded_id, replay.call("POST", "/flows", body)["id"])

    return set_up


def an_invited_viewer(replay: Replay) -> None:
    """Somebody accepted an invitation to the project as a viewer."""
    state = replay.server.state
    identity = add_identity(
        state, email="inv3@example.com", password="Local-pass-123!", first="In", last="Vited"
    )
    platform_id = replay.names.text("qQnsmKagCnxENqoYPvJCq")
    user = add_user(state, identity, platform_id)
    add_project(state, user, "In's Project", kind="PERSONAL")
    role = state.store.first("project_role", name="Viewer")
    assert role is not None
    set_member(state, user, replay.names.text("H4SMHoAgJs8TNlXiaOIoV"), role)
    replay.names.bind("yLxBeTl4G9ovntZX62sIP", user["id"])


def in_the_project_of_another(replay: Replay) -> None:
    """The embedded user was signed in to one more project."""
    state = replay.server.state
    project = state.store.first("project", externalId="6")
    user = state.store.get("user", replay.names.text("PSSXsd0Bt63IyUzDsXOzY"))
    role = state.store.first("project_role", name="Editor")
    assert project is not None and user is not None and role is not None
    set_member(state, user, project["id"], role)


def all_runs_are_over(replay: Replay) -> None:
    """The recording came after what was begun in the background."""
    replay.server.state.jobs.wait()


def the_deletion_is_over(replay: Replay) -> None:
    """The recording came after what a DELETE had begun."""
    replay.clock.advance(2)


def nobody_listens(replay: Replay) -> None:
    """The token endpoint was stopped."""
    piece = replay.server.state.store.first("piece", name="@activepieces/piece-acme-oauth")
    assert piece is not None
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    auth = piece["auth"] | {"tokenUrl": f"{closed}/oauth/token"}
    replay.server.state.store.change("piece", piece["id"], auth=auth)
    replay.names.bind("http://127.0.0.1:9555/oauth/token", f"{closed}/oauth/token")


def the_endpoint_is_back(replay: Replay) -> None:
    """The token endpoint runs again."""
    url = f"{replay.endpoint.url}/oauth/token"
    replay.names.bind("http://127.0.0.1:9555/oauth/token", url)


def private_hosts_are_blocked(replay: Replay) -> None:
    """The server was started anew without its list of allowed addresses."""
    replay.server.state.ssrf_allow_list = ()


def as_the_admin(replay: Replay) -> None:
    """The recordings begin with an admin and a platform that were there already."""
    platform = replay.server.state.store.get("platform", replay.server.platform_id)
    assert platform is not None
    replay.names.bind("xm0JGZUUV6F7xmujda8OL", platform["ownerId"])
    replay.names.bind("Local-pass-123!", replay.server.password)
    replay.names.bind("Local platform", platform["name"])


def more_rows_of_that_second(replay: Replay) -> None:
    """The rows behind the first page, which no page shows."""
    replay.clock.now = 1795199418.9
    for place in range(6, 30):
        made = {
            "externalId": f"p{place}",
            "displayName": f"p{place}",
            "pieceName": "@activepieces/piece-acme-none",
            "projectId": "h3kUN4bpL90lVEmp9h414",
            "type": "NO_AUTH",
            "value": {"type": "NO_AUTH"},
        }
        replay.call("POST", "/app-connections", made)
