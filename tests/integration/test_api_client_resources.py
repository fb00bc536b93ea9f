"""The API client's resources over real HTTP, against the stand-in."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator

import pytest

from flask_activepieces.api_client import ActivepiecesClient, ConnectionPool
from flask_activepieces.api_client.credentials import Credential, EmailPassword, SignedEmbedding
from flask_activepieces.api_client.embedding_token import EmbeddedUser, sign_embedding_token
from flask_activepieces.api_client.errors import (
    AuthenticationFailed,
    CallNotSupported,
    Conflict,
    InvalidRequest,
    ResourceNotFound,
)
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.flow_runs import FlowRun
from flask_activepieces.api_client.resources.flows import Flow
from flask_activepieces.api_client.resources.global_connections import GlobalConnectionDraft
from flask_activepieces.api_client.resources.templates import FlowTemplate
from flask_activepieces.api_client.wire import ApiCall
from flask_activepieces.testing import ActivepiecesServer
from tests.support.recordings import recording

#: A flow that returns its trigger's payload.
ECHO = FlowTemplate(
    display_name="Echo",
    trigger=recording("[worker] publish echo flow").body["version"]["trigger"],
    schema_version="22",
)


@pytest.fixture
def pool() -> Iterator[ConnectionPool]:
    pool = ConnectionPool()
    yield pool
    pool.close()


@pytest.fixture
def server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(webhook_timeout=0.2) as server:
        yield server


@pytest.fixture
def client(server: ActivepiecesServer, pool: ConnectionPool) -> ActivepiecesClient:
    return ActivepiecesClient(server.url, server.api_key, pool=pool)


@pytest.fixture
def user_client(server: ActivepiecesServer, pool: ConnectionPool) -> ActivepiecesClient:
    credential = EmailPassword(server.email, server.password)
    return ActivepiecesClient(server.url, credential=credential, pool=pool)


@pytest.fixture
def echo(client: ActivepiecesClient, server: ActivepiecesServer) -> Flow:
    flow = client.flows.import_template(server.project_id, ECHO)
    return client.flows.publish(flow.id)


def test_a_project_can_be_created_found_updated_and_deleted(client: ActivepiecesClient) -> None:
    created = client.projects.create("Tenant", external_id="t-1", metadata={"plan": "gold"})
    assert client.projects.find("t-1") == created
    with pytest.raises(Conflict):
        client.projects.create("Again", external_id="t-1")

    assert client.projects.update(created.id, display_name="Renamed").metadata == {"plan": "gold"}
    client.projects.delete(created.id)

    assert client.projects.find("t-1") is None
    with pytest.raises(ResourceNotFound):
        client.projects.get(created.id)


def test_more_projects_than_one_page_are_listed(client: ActivepiecesClient) -> None:
    for number in range(60):
        client.projects.create(f"Tenant {number}", external_id=f"t-{number}")

    assert len(client.projects.list()) == 62


def test_a_flow_is_published_and_run(client: ActivepiecesClient, echo: Flow) -> None:
    answer = client.flows.run(echo.id, {"hello": "world"})

    assert echo.status == "ENABLED"
    assert answer["trigger"]["body"] == {"hello": "world"}


def test_a_flow_never_sees_the_key(client: ActivepiecesClient, server: ActivepiecesServer, echo: Flow) -> None:
    answer = client.flows.run(echo.id)

    assert answer["trigger"]["headers"]["host"]
    assert "authorization" not in answer["trigger"]["headers"]
    assert server.api_key not in json.dumps(answer)


def test_a_flow_can_run_in_the_background_and_leaves_a_run(client: ActivepiecesClient, echo: Flow) -> None:
    assert client.flows.run(echo.id, {"n": 1}, sync=False) == {}

    run = eventually(lambda: finished_run(client, echo))
    assert run.status == "SUCCEEDED"
    assert client.flow_runs.get(run.id).steps["trigger"]["output"]["body"] == {"n": 1}


def finished_run(client: ActivepiecesClient, flow: Flow) -> FlowRun | None:
    page = client.flow_runs.list(flow.project_id, flow_ids=[flow.id], statuses=["SUCCEEDED"])
    return next(iter(page.runs), None)


def eventually(find: Callable[[], FlowRun | None]) -> FlowRun:
    for _ in range(100):
        run = find()
        if run is not None:
            return run
        time.sleep(0.02)
    raise AssertionError("no finished run was found in time")


def test_paging_skips_no_runs(client: ActivepiecesClient, echo: Flow) -> None:
    """All runs start within one second, which breaks the cursors of other lists."""
    for _ in range(7):
        client.flows.run(echo.id)

    run_ids: list[str] = []
    cursor = None
    for _ in range(4):
        page = client.flow_runs.list(echo.project_id, limit=2, cursor=cursor)
        run_ids += [run.id for run in page.runs]
        cursor = page.next_cursor

    assert len(set(run_ids)) == 7
    assert cursor is None


def test_only_an_enabled_flow_can_be_run(client: ActivepiecesClient, echo: Flow) -> None:
    assert client.flows.disable(echo.id).status == "DISABLED"
    with pytest.raises(Conflict):
        client.flows.run(echo.id)

    client.flows.enable(echo.id)

    assert client.flows.run(echo.id)["trigger"]["method"] == "POST"


def test_a_deleted_flow_cannot_be_run(client: ActivepiecesClient, server: ActivepiecesServer, echo: Flow) -> None:
    client.flows.delete(echo.id)
    server.finish_runs()

    with pytest.raises(ResourceNotFound):
        client.flows.run(echo.id)


def test_an_empty_flow_cannot_be_published_and_stays_a_draft(
    client: ActivepiecesClient, server: ActivepiecesServer
) -> None:
    flow = client.flows.create(server.project_id, "Empty")

    with pytest.raises(CallNotSupported):
        client.flows.publish(flow.id)

    assert client.flows.get(flow.id).version.state == "DRAFT"


def test_a_failed_import_leaves_no_flow(client: ActivepiecesClient, server: ActivepiecesServer) -> None:
    with pytest.raises(InvalidRequest):
        client.flows.import_template(server.project_id, FlowTemplate(display_name="Odd", trigger={"type": "ODD"}))

    assert list(client.flows.list(server.project_id)) == []


def test_an_exported_flow_can_be_imported_into_another_project(client: ActivepiecesClient, echo: Flow) -> None:
    other = client.projects.create("Other")
    (exported,) = client.flows.get_template(echo.id).flows

    copy = client.flows.import_template(other.id, exported, display_name="Copy")

    assert copy.display_name == "Copy"
    assert copy.version.trigger["type"] == "PIECE_TRIGGER"


def test_folders_can_be_created_renamed_and_deleted(client: ActivepiecesClient, server: ActivepiecesServer) -> None:
    folder = client.folders.create(server.project_id, "Sales")
    flow = client.flows.create(server.project_id, "F", folder_id=folder.id)

    assert client.folders.update(folder.id, "Support").display_name == "Support"
    assert [listed.id for listed in client.flows.list(server.project_id, folder_id=folder.id)] == [flow.id]
    client.folders.delete(folder.id)

    assert list(client.folders.list(server.project_id)) == []


def test_a_global_connection_can_be_created_updated_and_deleted(
    client: ActivepiecesClient, server: ActivepiecesServer
) -> None:
    created = client.global_connections.upsert(
        GlobalConnectionDraft(
            external_id="g-1",
            display_name="Global",
            piece_name="@activepieces/piece-webhook",
            value=SecretText("canary"),
            project_ids=[server.project_id],
        )
    )
    assert [connection.id for connection in client.connections.list(server.project_id)] == [created.id]

    changed = client.global_connections.update(created.id, display_name="Renamed", project_ids=[])
    assert (changed.display_name, changed.project_ids) == ("Renamed", ())
    client.global_connections.delete(created.id)

    assert list(client.global_connections.list()) == []
    with pytest.raises(ResourceNotFound):
        client.global_connections.update(created.id, display_name="x")


def test_people_can_be_invited(client: ActivepiecesClient, server: ActivepiecesServer) -> None:
    client.users.invite("bob@example.com", platform_role="MEMBER")
    invitation = client.members.invite(server.project_id, email="eve@example.com", role="viewer")

    assert [pending.email for pending in client.users.list_invitations()] == ["bob@example.com"]
    assert [pending.id for pending in client.members.list_invitations(server.project_id)] == [invitation.id]
    client.members.delete_invitation(invitation.id)

    assert list(client.members.list_invitations(server.project_id)) == []


def archive(name: str, version: str) -> bytes:
    """A piece as an npm archive."""
    manifest = json.dumps({"name": name, "displayName": "Ours", "version": version}).encode()
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as files:
        for path in ("package/src/manifest.json", "package/package.json", "package/src/index.js"):
            entry = tarfile.TarInfo(path)
            entry.size = len(manifest)
            files.addfile(entry, io.BytesIO(manifest))
    return package.getvalue()


def test_a_piece_can_be_installed_once(client: ActivepiecesClient, server: ActivepiecesServer) -> None:
    package = archive("@local/piece-ours", "0.0.1")

    client.pieces.install(package, name="@local/piece-ours", version="0.0.1")

    piece = client.pieces.get("@local/piece-ours")
    assert (piece.display_name, piece.platform_id) == ("Ours", server.platform_id)
    with pytest.raises(Conflict):
        client.pieces.install(package, name="@local/piece-ours", version="0.0.1")
    with pytest.raises(InvalidRequest):
        client.pieces.install(b"not an archive", name="@local/piece-other", version="0.0.1")


def test_a_user_can_update_an_mcp_server_and_rotate_its_token(
    user_client: ActivepiecesClient, server: ActivepiecesServer
) -> None:
    before = user_client.mcp.get(server.project_id)

    changed = user_client.mcp.update(server.project_id, disabled_tools=["ap_delete_flow"])
    after = user_client.mcp.rotate_token(server.project_id)

    assert changed.disabled_tools == ("ap_delete_flow",)
    assert before.token == changed.token != after.token
    assert user_client.mcp.get_platform().platform_id == server.platform_id


def test_an_mcp_server_of_version_0_78_can_be_enabled(pool: ConnectionPool) -> None:
    with ActivepiecesServer(version="0.78") as old:
        credential = EmailPassword(old.email, old.password)
        client = ActivepiecesClient(f"{old.url}/v1", credential=credential, pool=pool)

        assert client.mcp.get(old.project_id).enabled is False
        assert client.mcp.update(old.project_id, enabled=True).enabled is True
        with pytest.raises(CallNotSupported):
            client.mcp.update(old.project_id, disabled_tools=["ap_delete_flow"])


def create_signing_key(user_client: ActivepiecesClient) -> tuple[str, str]:
    """Create a signing key; return the private key and its id."""
    created = user_client.transport.send(
        ApiCall("signing_keys.create", "POST", "/signing-keys", body={"displayName": "embed"})
    )
    return created["privateKey"], created["id"]


def test_an_embedded_user_works_in_the_project_with_its_external_id(
    user_client: ActivepiecesClient, client: ActivepiecesClient, server: ActivepiecesServer, pool: ConnectionPool
) -> None:
    pem, key_id = create_signing_key(user_client)
    eve = EmbeddedUser(
        external_user_id="u-1", external_project_id="t-1", first_name="Eve", last_name="Embed", role="Editor"
    )
    credential: Credential = SignedEmbedding(pem, key_id, eve)
    embedded = ActivepiecesClient(server.url, credential=credential, pool=pool)

    (project,) = embedded.projects.list()

    assert project == client.projects.find("t-1")
    user = client.users.find("u-1")
    assert user is not None
    assert [member.user_id for member in client.members.list(project.id)] == [user.id]
    token = sign_embedding_token(pem, key_id, eve, now=time.time())
    assert client.embedding.exchange(token).project_id == project.id


def test_an_expired_signature_does_not_sign_in(user_client: ActivepiecesClient, client: ActivepiecesClient) -> None:
    pem, key_id = create_signing_key(user_client)
    eve = EmbeddedUser(external_user_id="u-1", external_project_id="t-1", first_name="Eve", last_name="Embed")

    with pytest.raises(AuthenticationFailed):
        client.embedding.exchange(sign_embedding_token(pem, key_id, eve, now=time.time() - 24 * 3600))


def test_server_information_is_public(server: ActivepiecesServer, pool: ConnectionPool) -> None:
    unauthenticated = ActivepiecesClient(server.url, "sk-wrong", pool=pool)

    assert unauthenticated.server.is_healthy()
    assert (unauthenticated.server.info().version, unauthenticated.server.info().edition) == ("0.85.2", "ee")
    with pytest.raises(AuthenticationFailed):
        unauthenticated.projects.list()
