"""Setup steps that were done on the recorded servers between two recordings.

They create rows for lists, set plan flags in the database, make tokens look old, and set the responses of token
endpoints. `recorded_setups` assigns them to recordings.
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
    """The recordings begin in an existing project."""
    return lambda replay: replay.names.bind(recorded_id, replay.server.project_id)


def a_project(recorded_id: str, external_id: str) -> Setup:
    """Create a project."""

    def set_up(replay: Replay) -> None:
        body = {"displayName": "Tenant One", "externalId": external_id}
        replay.names.bind(recorded_id, replay.call("POST", "/projects", body)["id"])

    return set_up


def a_signing_key(recorded_id: str) -> Setup:
    """Create a key for managed sign-in."""

    def set_up(replay: Replay) -> None:
        made = replay.call("POST", "/signing-keys", {"displayName": "embed"}, by_user=True)
        replay.names.bind(recorded_id, made["id"])
        replay.names.bind(PRIVATE_KEY, made["privateKey"])

    return set_up


def plan_is_empty(replay: Replay) -> None:
    """The plan of a new platform has no paid features."""
    replay.server.state.plan.clear()


def plan_is_full(replay: Replay) -> None:
    """Enable all features in the database."""
    replay.server.state.plan.update(FEATURES)


def one_row_a_second(replay: Replay) -> None:
    """Make the project's connections look as if they were created one second apart."""
    store = replay.server.state.store
    project_id = replay.names.text("H4SMHoAgJs8TNlXiaOIoV")
    rows = store.all("app_connection", lambda row: row["projectIds"] == [project_id])
    begin = instant("2026-11-20T17:18:20.719Z")
    for place, row in enumerate(rows):
        moment = {"created": timestamp(begin + place), "updated": row["updated"]}
        store.change("app_connection", row["id"], **moment)


def a_connection(recorded_id: str, external_id: str, piece: str = "secret") -> Setup:
    """Create a connection that does not appear in lists."""

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
    """Create a connection by a code, with that response of the token endpoint."""

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
    """Set the next responses of the token endpoint."""
    return lambda replay: replay.endpoint.reply_with(*answers)


def looks_old(external_id: str, *answers: Reply, **changes: Any) -> Setup:
    """Make a connection's token look more than an hour old, and set the next response of its endpoint."""

    def set_up(replay: Replay) -> None:
        replay.change_value(external_id, claimed_at=int(replay.clock.now) - _AN_HOUR - 400, **changes)
        replay.endpoint.reply_with(*answers)

    return set_up


def in_order(*arrangements: Setup) -> Setup:
    """Run several setups in order."""

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
    """Send such a request."""

    def set_up(replay: Replay) -> None:
        replay.call(method, path, body, by_user=by_user)

    return set_up


def changed(external_id: str, **changes: Any) -> Setup:
    """Change fields of a connection's value in the database."""
    return lambda replay: replay.change_value(external_id, **changes)


def is_active(external_id: str) -> Setup:
    """Set a broken connection to ACTIVE."""

    def set_up(replay: Replay) -> None:
        store = replay.server.state.store
        row = store.first("app_connection", externalId=external_id)
        assert row is not None
        store.change("app_connection", row["id"], status="ACTIVE")

    return set_up


def a_flow(recorded_id: str, *, name: str = "Flow", project_id: str = "H4SMHoAgJs8TNlXiaOIoV") -> Setup:
    """Create a flow for the next request."""

    def set_up(replay: Replay) -> None:
        body = {"displayName": name, "projectId": project_id}
        replay.names.bind(recorded_id, replay.call("POST", "/flows", body)["id"])

    return set_up


def an_invited_viewer(replay: Replay) -> None:
    """Add a viewer who accepted an invitation to the project."""
    state = replay.server.state
    identity = add_identity(state, email="inv3@example.com", password="Local-pass-123!", first="In", last="Vited")
    platform_id = replay.names.text("qQnsmKagCnxENqoYPvJCq")
    user = add_user(state, identity, platform_id)
    add_project(state, user, "In's Project", kind="PERSONAL")
    role = state.store.first("project_role", name="Viewer")
    assert role is not None
    set_member(state, user, replay.names.text("H4SMHoAgJs8TNlXiaOIoV"), role)
    replay.names.bind("yLxBeTl4G9ovntZX62sIP", user["id"])


def in_the_project_of_another(replay: Replay) -> None:
    """Sign the embedded user in to one more project."""
    state = replay.server.state
    project = state.store.first("project", externalId="6")
    user = state.store.get("user", replay.names.text("PSSXsd0Bt63IyUzDsXOzY"))
    role = state.store.first("project_role", name="Editor")
    assert project is not None and user is not None and role is not None
    set_member(state, user, project["id"], role)


def all_runs_are_over(replay: Replay) -> None:
    """Wait for background work."""
    replay.server.state.jobs.wait()


def the_deletion_is_over(replay: Replay) -> None:
    """Finish the deletion that a DELETE started."""
    replay.clock.advance(2)


def endpoint_stops(replay: Replay) -> None:
    """Stop the token endpoint."""
    piece = replay.server.state.store.first("piece", name="@activepieces/piece-acme-oauth")
    assert piece is not None
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    auth = piece["auth"] | {"tokenUrl": f"{closed}/oauth/token"}
    replay.server.state.store.change("piece", piece["id"], auth=auth)
    replay.names.bind("http://127.0.0.1:9555/oauth/token", f"{closed}/oauth/token")


def the_endpoint_is_back(replay: Replay) -> None:
    """Start the token endpoint again."""
    url = f"{replay.endpoint.url}/oauth/token"
    replay.names.bind("http://127.0.0.1:9555/oauth/token", url)


def private_hosts_are_blocked(replay: Replay) -> None:
    """Restart the server without its list of allowed addresses."""
    replay.server.state.ssrf_allow_list = ()


def as_the_admin(replay: Replay) -> None:
    """The recordings begin with an existing admin and platform."""
    platform = replay.server.state.store.get("platform", replay.server.platform_id)
    assert platform is not None
    replay.names.bind("xm0JGZUUV6F7xmujda8OL", platform["ownerId"])
    replay.names.bind("Local-pass-123!", replay.server.password)
    replay.names.bind("Local platform", platform["name"])


def more_rows_of_that_second(replay: Replay) -> None:
    """Create the rows after the first page, which are on no page."""
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
