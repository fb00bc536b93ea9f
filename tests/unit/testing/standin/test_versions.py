"""Differences between the versions that the stand-in imitates."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from flask_activepieces import testing
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.standin import versions
from flask_activepieces.testing.standin.versions import CHANGES, RELEASES, Change, Version
from tests.support.standin import Standin, action, answering, catch_webhook
from tests.support.standin import standin as calls
from tests.support.token_endpoint import Reply, token_endpoint

from ..conftest import ECHO

SECRET = {"type": "SECRET_TEXT", "secret_text": "x"}
BOTH = {"applyToPublishedVersions": True, "deleteSourceConnection": True}

#: Creates a stand-in of a version.
MakeServer = Callable[..., Standin]


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """A factory for stand-ins, which are closed after the test."""
    with ExitStack() as stack:

        def play(version: Version, *, more: Sequence[StandinPiece] = (), **options: Any) -> Standin:
            server = ActivepiecesServer(version=version, pieces=[ECHO, *more], sleep=lambda seconds: None, **options)
            stack.callback(server.close)
            return calls(server)

        yield play


@pytest.mark.parametrize("version", RELEASES)
def test_a_version_names_its_release(make_server: MakeServer, version: Version) -> None:
    assert make_server(version).get("/flags")["CURRENT_VERSION"] == RELEASES[version]


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.78, 0\.83, 0\.85, 0\.86, 0\.92"):
        ActivepiecesServer(version="0.85.2")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.after[:40]))
def test_a_documented_change_is_implemented_and_has_a_source(change: Change) -> None:
    """docs/recordings.md must not contain a change that the code does not implement."""
    assert change.source and change.before != change.after
    name = next(name for name, value in vars(versions).items() if value is change)
    users = [
        path.name
        for path in Path(testing.__file__).parent.rglob("*.py")
        if path.name != "versions.py" and name in path.read_text("utf-8")
    ]
    assert users, f"{name} is not used in the code"


class Replacement:
    """Two connections, and a flow that uses the first."""

    def __init__(self, standin: Standin, *, publish: bool = True) -> None:
        self.standin = standin
        self.old, self.new = (standin.connect(name, ECHO.name, SECRET) for name in ("old", "new"))
        step = action("step_1", ECHO.name, "echo", auth="{{connections['old']}}")
        self.flow_id = standin.flow(step, publish=publish)

    def ask(
        self, choice: Mapping[str, bool] | None = None, *, target: str | None = None, by_key: bool = False
    ) -> TestResponse:
        """Replace the first connection with the second."""
        caller = self.standin if by_key else self.standin.by_admin()
        body = {
            "projectId": self.standin.server.project_id,
            "sourceAppConnectionId": self.old,
            "targetAppConnectionId": target or self.new,
        }
        return caller.ask("POST", "/app-connections/replace", body | dict(choice or {}))

    @property
    def connections(self) -> list[str]:
        """The external ids of the remaining connections."""
        query = f"projectId={self.standin.server.project_id}&limit=-1"
        rows = self.standin.get(f"/app-connections?{query}")["data"]
        return [row["externalId"] for row in rows]

    def used_by(self, which: str) -> list[str]:
        """The connections that the flow uses in its latest version, or in the published one."""
        state = self.standin.server.state
        flow = self.standin.get(f"/flows/{self.flow_id}")
        if which == "draft":
            used: list[str] = flow["version"]["connectionIds"]
            return used
        row = state.store.get("flow_version", flow["publishedVersionId"])
        assert row is not None
        return list(row["connectionIds"])


@pytest.mark.parametrize("version", ["0.86", "0.92"])
def test_replace_changes_drafts_and_keeps_the_source(make_server: MakeServer, version: Version) -> None:
    """Observed on 0.86.0: both fields default to false."""
    replacement = Replacement(make_server(version))

    assert replacement.ask().status_code == 204

    assert replacement.used_by("draft") == ["new"]
    assert replacement.used_by("published") == ["old"]
    assert replacement.connections == ["old", "new"]


@pytest.mark.parametrize("version", RELEASES)
def test_replace_with_both_fields_moves_all_and_deletes(make_server: MakeServer, version: Version) -> None:
    """Older servers ignore both fields, and always do this."""
    replacement = Replacement(make_server(version))

    assert replacement.ask(BOTH).status_code == 204

    assert replacement.used_by("published") == replacement.used_by("draft") == ["new"]
    assert replacement.connections == ["new"]


@pytest.mark.parametrize("version", ["0.78", "0.85"])
def test_older_servers_always_replace_all_and_delete(make_server: MakeServer, version: Version) -> None:
    replacement = Replacement(make_server(version))

    assert replacement.ask().status_code == 204

    assert (replacement.used_by("published"), replacement.connections) == (["new"], ["new"])


def test_replace_moves_published_flows_and_keeps_the_source(make_server: MakeServer) -> None:
    replacement = Replacement(make_server("0.86"))

    assert replacement.ask({"applyToPublishedVersions": True}).status_code == 204

    assert replacement.used_by("published") == ["new"]
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_no_source_that_a_published_flow_uses(make_server: MakeServer) -> None:
    """Observed on 0.86.0: ``deleteSourceConnection`` alone is 409."""
    replacement = Replacement(make_server("0.86"))

    answer = replacement.ask({"deleteSourceConnection": True})

    assert (answer.status_code, answer.get_json()["code"]) == (409, "VALIDATION")
    assert replacement.used_by("draft") == replacement.used_by("published") == ["old"]
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_a_source_that_only_drafts_use(make_server: MakeServer) -> None:
    replacement = Replacement(make_server("0.86"), publish=False)

    assert replacement.ask({"deleteSourceConnection": True}).status_code == 204

    assert (replacement.used_by("draft"), replacement.connections) == (["new"], ["new"])


@pytest.mark.parametrize("choice", [BOTH, {"applyToPublishedVersions": True}])
def test_replace_does_not_overwrite_a_newer_draft_without_the_source(
    make_server: MakeServer, choice: dict[str, bool]
) -> None:
    """From upstream's tests: if only the published version uses the source, not its newer draft, nothing changes."""
    replacement = Replacement(make_server("0.86"))
    step = action("step_1", ECHO.name, "echo")
    replacement.standin.operate(replacement.flow_id, "UPDATE_ACTION", step)

    assert replacement.ask(choice).status_code == 409

    assert replacement.used_by("published") == ["old"]
    assert "old" in replacement.connections


def test_a_connection_cannot_replace_itself(make_server: MakeServer) -> None:
    replacement = Replacement(make_server("0.86"))

    assert replacement.ask(BOTH, target=replacement.old).status_code == 409

    assert "old" in replacement.connections


def test_older_servers_delete_a_connection_that_replaces_itself(make_server: MakeServer) -> None:
    replacement = Replacement(make_server("0.85"))

    assert replacement.ask(target=replacement.old).status_code == 204

    assert replacement.connections == ["new"]


@pytest.mark.parametrize("version", ["0.85", "0.86"])
@pytest.mark.parametrize("choice", [{}, BOTH])
def test_replace_by_an_api_key_leaves_a_blank_draft(
    make_server: MakeServer, version: Version, choice: dict[str, bool]
) -> None:
    replacement = Replacement(make_server(version))

    answer = replacement.ask(choice, by_key=True)

    assert (answer.status_code, answer.get_json()["code"]) == (500, "23503")
    flow = replacement.standin.get(f"/flows/{replacement.flow_id}")
    assert flow["version"]["trigger"]["type"] == "EMPTY"
    assert replacement.connections == ["old", "new"]


def test_replace_deletes_no_global_source(make_server: MakeServer) -> None:
    """From upstream's tests: 403; without the deletion, a global source is allowed."""
    replacement = Replacement(make_server("0.86"))
    store = replacement.standin.server.state.store
    store.change("app_connection", replacement.old, scope="PLATFORM")

    assert replacement.ask(BOTH).status_code == 403
    assert replacement.used_by("draft") == ["old"]

    assert replacement.ask().status_code == 204
    assert replacement.used_by("draft") == ["new"]


@pytest.mark.parametrize(("version", "status", "body"), [("0.85", 204, None), ("0.86", 408, {}), ("0.92", 408, {})])
def test_the_status_of_a_flow_without_a_response(
    make_server: MakeServer, version: Version, status: int, body: Any
) -> None:
    standin = make_server(version)
    flow_id = standin.flow()

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert (answer.status_code, answer.get_json(silent=True)) == (status, body)


@pytest.mark.parametrize(("version", "status"), [("0.78", 204), ("0.85", 204), ("0.86", 403)])
def test_a_global_connection_is_not_deleted_by_the_project_route(
    make_server: MakeServer, version: Version, status: int
) -> None:
    standin = make_server(version)
    connection_id = standin.connect("key", ECHO.name, SECRET)
    store = standin.server.state.store
    store.change("app_connection", connection_id, scope="PLATFORM")

    answer = standin.ask("DELETE", f"/app-connections/{connection_id}")

    assert answer.status_code == status
    assert store.get("app_connection", connection_id) is not None


@pytest.mark.parametrize(
    ("version", "placeholder", "oidc"),
    [("0.78", 400, 400), ("0.85", 201, 400), ("0.86", 201, 201), ("0.92", 201, 201)],
)
def test_newer_versions_accept_more_types(
    make_server: MakeServer, version: Version, placeholder: int, oidc: int
) -> None:
    standin = make_server(version)
    body = {"externalId": "x", "displayName": "x", "pieceName": ECHO.name, "projectId": standin.server.project_id}

    first = standin.ask("POST", "/app-connections", {**body, "type": "PLACEHOLDER"})
    value = {"type": "OIDC", "props": {"audience": "a"}}
    second = standin.ask("POST", "/app-connections", {**body, "type": "OIDC", "value": value})

    assert (first.status_code, second.status_code) == (placeholder, oidc)


PIECE_THAT_KNOWS = StandinPiece(
    "@acme/piece-knows", auth={"type": "SECRET_TEXT"}, identify=lambda secret: f"owner of {secret}"
)
SIGN_IN = StandinPiece(
    "@acme/piece-sign-in",
    auth={
        "type": "OAUTH2",
        "authUrl": "{url}/authorize",
        "tokenUrl": "{url}/token",
        "scope": [],
        "props": {"url": {"type": "SHORT_TEXT", "displayName": "URL", "required": True}},
    },
)


def id_token(**claims: str) -> str:
    return f"x.{b64encode(json.dumps(claims).encode()).decode()}.x"


def draft(standin: Standin, piece: StandinPiece, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {
        "externalId": "acme",
        "displayName": "acme",
        "pieceName": piece.name,
        "projectId": standin.server.project_id,
        "type": value["type"],
        "value": value,
    }
    return body | more


def upsert(standin: Standin, piece: StandinPiece, value: dict[str, Any], **more: Any) -> Any:
    return standin.post("/app-connections", draft(standin, piece, value, **more))


def a_code(token_endpoint_url: str) -> dict[str, Any]:
    return {
        "type": "OAUTH2",
        "client_id": "c",
        "client_secret": "s",
        "code": "code",
        "scope": "",
        "redirect_url": "https://x.example",
        "props": {"url": token_endpoint_url},
    }


@pytest.mark.parametrize(("version", "metadata"), [("0.86", None), ("0.92", {"accountIdentifier": "owner of x"})])
def test_the_server_stores_the_account_of_a_connection(
    make_server: MakeServer, version: Version, metadata: Any
) -> None:
    standin = make_server(version, more=[PIECE_THAT_KNOWS])

    assert upsert(standin, PIECE_THAT_KNOWS, SECRET)["metadata"] == metadata


def test_the_account_is_added_to_the_metadata_of_an_upsert(make_server: MakeServer) -> None:
    """An update with metadata replaces all of it, so a client sends the account back."""
    standin = make_server("0.92", more=[PIECE_THAT_KNOWS])

    made = upsert(standin, PIECE_THAT_KNOWS, SECRET, metadata={"k": 1})
    assert made["metadata"] == {"k": 1, "accountIdentifier": "owner of x"}

    again = upsert(standin, PIECE_THAT_KNOWS, {**SECRET, "secret_text": "y"})
    assert again["metadata"] == {"k": 1, "accountIdentifier": "owner of y"}

    change = {"displayName": "acme", "metadata": {"k": 2}}
    changed = standin.post(f"/app-connections/{made['id']}", change)
    assert changed["metadata"] == {"k": 2}


@pytest.mark.parametrize(
    ("answer", "account"),
    [
        ({"email": "a@b.example"}, "a@b.example"),
        ({"id_token": id_token(upn="u@b.example")}, "u@b.example"),
        ({"id_token": id_token(upn="no address")}, None),
        ({"id_token": "no token"}, None),
        ({}, None),
    ],
)
def test_the_account_is_read_from_the_token_response(
    make_server: MakeServer, answer: dict[str, str], account: str | None
) -> None:
    standin = make_server("0.92", more=[SIGN_IN])
    with token_endpoint() as endpoint:
        endpoint.reply_with(Reply({"access_token": "t", **answer}))
        made = upsert(standin, SIGN_IN, a_code(endpoint.url))

    assert (made["metadata"] or {}).get("accountIdentifier") == account


@pytest.mark.parametrize(("version", "allowed"), [("0.78", True), ("0.85", False)])
def test_private_token_endpoints_are_blocked_without_an_allow_list(
    make_server: MakeServer, version: Version, allowed: bool
) -> None:
    standin = make_server(version, more=[SIGN_IN], ssrf_allow_list=())
    with token_endpoint() as endpoint:
        body = draft(standin, SIGN_IN, a_code(endpoint.url))
        answer = standin.ask("POST", "/app-connections", body)

    assert bool(endpoint.received) is allowed
    assert answer.status_code == (201 if allowed else 400)


@pytest.mark.parametrize(("version", "status"), [("0.86", "SUCCEEDED"), ("0.92", "QUOTA_EXCEEDED")])
def test_over_the_quota_nothing_runs(make_server: MakeServer, version: Version, status: str) -> None:
    standin = make_server(version, over_quota=True)
    flow_id = standin.flow(answering("step_1", "done"))

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert answer.status_code == (402 if status == "QUOTA_EXCEEDED" else 200)
    assert [run["status"] for run in standin.runs(flow_id)] == [status]


@pytest.mark.parametrize(("version", "kept"), [("0.86", []), ("0.92", ["basic"])])
def test_a_piece_set_is_stored(make_server: MakeServer, version: Version, kept: list[str]) -> None:
    standin = make_server(version)
    server = standin.server
    key = standin.by_admin().post("/signing-keys", {"displayName": "k"})
    claims = {
        "version": "v4",
        "externalUserId": "u",
        "externalProjectId": "p",
        "firstName": "E",
        "lastName": "E",
        "pieceSet": "basic",
    }
    private = RSAKey.import_key(key["privateKey"])
    token = jwt.encode({"alg": "RS256", "kid": key["id"]}, claims, private)

    answer = standin.ask("POST", "/managed-authn/external-token", {"externalAccessToken": token})

    assert answer.status_code == 200
    rows = server.state.store.all("project_piece_set")
    assert [row["pieceSet"] for row in rows] == kept


def constrained(standin: Standin, **constraints: Any) -> str:
    """Create a flow with a webhook trigger and these publish constraints; return its id."""
    flow_id = standin.flow(publish=False)
    metadata = {"embedConstraints": constraints}
    standin.operate(flow_id, "UPDATE_METADATA", {"metadata": metadata})
    return flow_id


def operated(standin: Standin, flow_id: str, operation: str, request: dict[str, Any]) -> int:
    body = {"type": operation, "request": request}
    return standin.ask("POST", f"/flows/{flow_id}", body).status_code


@pytest.mark.parametrize(("version", "status"), [("0.85", 200), ("0.86", 409)])
def test_a_flow_without_a_required_piece_is_not_published(
    make_server: MakeServer, version: Version, status: int
) -> None:
    standin = make_server(version)
    flow_id = constrained(standin, requiredPieceNames=[ECHO.name, "@acme/piece-other"])

    assert operated(standin, flow_id, "LOCK_AND_PUBLISH", {}) == status

    step = {"parentStep": "trigger", "action": action("step_1", ECHO.name, "echo")}
    standin.operate(flow_id, "ADD_ACTION", step)
    assert operated(standin, flow_id, "LOCK_AND_PUBLISH", {}) == 200


@pytest.mark.parametrize(("lock", "same", "other"), [("none", 200, 200), ("locked", 200, 409), ("frozen", 409, 409)])
def test_a_locked_trigger_cannot_be_changed(make_server: MakeServer, lock: str, same: int, other: int) -> None:
    standin = make_server("0.86")
    flow_id = constrained(standin, triggerLock=lock)
    another = catch_webhook()
    another["settings"] = {**another["settings"], "triggerName": "other"}

    assert operated(standin, flow_id, "UPDATE_TRIGGER", catch_webhook()) == same
    assert operated(standin, flow_id, "UPDATE_TRIGGER", another) == other
