"""Resources of another tenant or organization answer 404 on every route, without a call to Activepieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, session
from sqlalchemy import update

from flask_activepieces import Principal, Workspace
from flask_activepieces.host.interface import Permission
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.web.api.routes import ROUTES as API_ROUTES
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.hosts import SmallHost
from tests.support.problems import problem
from tests.support.storage import rows_of

#: The body or query of a valid call, by view.
BODIES: dict[str, dict[str, Any]] = {
    "set_client_policy": {"mode": "listed", "hosts": ["claude.ai"]},
    "set_up": {},
    "update_integration": {"enabled": True},
    "save_connection": {"accessToken": "ok-theirs", "connectionName": "Mine", "pieceName": PIECE},
    "replace_connection": {"sourceAppConnectionId": "a", "targetAppConnectionId": "b"},
    "update_connection": {"displayName": "Theirs"},
    "update_mcp": {"disabledTools": []},
    "update_platform_mcp": {"disabledTools": []},
    "create_client": {"name": "Theirs", "scope": "tasks:read", "redirect_uris": ["https://theirs.test/cb"]},
    "update_client": {"name": "Theirs"},
}
QUERIES = {
    "confirm_oauth2": {"pieceName": PIECE},
    "start_oauth2": {"pieceName": PIECE},
    "finish_oauth2": {"state": "a state", "code": "a code"},
}
#: All routes but the OpenAPI document, which contains nothing of any tenant.
ROUTES = [
    (method, path, view.__module__, view.__name__)
    for method, path, view in API_ROUTES
    if view.__name__ != "openapi_json"
]
RESOURCE_ROUTES = [row for row in ROUTES if "<" in row[1]]


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """All tenants use the app's key, each with its own project."""
    return make_app(
        ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key, ACTIVEPIECES_PIECE_NAME=PIECE
    )


@pytest.fixture
def acme_ids(app: Flask, server: ActivepiecesServer) -> dict[str, str]:
    """The ids of Acme's resources, by path parameter."""
    alice = ApiUser.named(app, "alice")
    credentials = {"apiKey": server.api_key, "userToken": server.user_token()}
    integration = alice.links(projectId=server.project_id, **credentials)
    connection = alice.saves(integrationId=integration)
    program = Program.registered(app, "--tenant", "acme")
    return {"integration_id": integration, "connection_id": connection["id"], "client_id": program.client_id}


def all_rows(app: Flask) -> list[list[dict[str, Any]]]:
    """Every row of Acme's that a call could change."""
    return [rows_of(app, table) for table in ("integrations", "oauth_clients", "grants", "audit_events", "leases")]


def call(person: ApiUser, row: tuple[str, str, str, str], ids: dict[str, str]) -> Any:
    """Call a route with these ids and an otherwise valid body and query."""
    method, path, _, view = row
    for name, value in ids.items():
        path = path.replace(f"<{name}>", value)
    return person.calls(method, path, BODIES.get(view), **QUERIES.get(view, {}))


def test_every_route_accepts_its_own_tenant(app: Flask, acme_ids: dict[str, str], server: ActivepiecesServer) -> None:
    """The control for the tests below: the same calls, made by an admin of the right tenant."""
    alice = ApiUser.named(app, "alice")
    answers = {row[3]: call(alice, row, acme_ids).status_code for row in sorted(ROUTES, key=_deletion_order)}

    failures = {view: status for view, status in answers.items() if status >= 300}
    assert failures == {
        "delete_connection": 404,  # already deleted as the default connection
        "replace_connection": 404,  # neither id exists
        "open_builder": 409,  # the app has no signing key
        "connect": 500,  # the app's piece does not use OAuth 2
        "confirm_oauth2": 422,  # the same
        "start_oauth2": 400,  # the page was never opened
        "finish_oauth2": 400,  # no sign-in is pending
    }


def _deletion_order(row: tuple[str, str, str, str]) -> int:
    """Sort key: deletions last, the integration after its resources."""
    return 2 if row[3] == "delete_integration" else int(row[0] == "DELETE")


def test_another_tenants_resources_are_not_found(
    app: Flask, acme_ids: dict[str, str], server: ActivepiecesServer
) -> None:
    carol = ApiUser.named(app, "carol")
    rows, calls = all_rows(app), len(server.calls)

    for row in RESOURCE_ROUTES:
        problem(call(carol, row, acme_ids), 404, "Not found")

    assert all_rows(app) == rows
    assert len(server.calls) == calls


def test_a_foreign_id_and_an_unknown_id_get_the_same_answer(app: Flask, acme_ids: dict[str, str]) -> None:
    carol = ApiUser.named(app, "carol")
    unknown_ids = {name: "x" * len(value) for name, value in acme_ids.items()}

    for row in RESOURCE_ROUTES:
        foreign, unknown = call(carol, row, acme_ids).text, call(carol, row, unknown_ids).text

        for name, value in acme_ids.items():
            foreign = foreign.replace(value, unknown_ids[name])
        assert foreign == unknown


#: An anonymous caller, and a member of Acme without permissions.
UNAUTHORIZED = [(None, 401, "Not signed in"), ("bob", 403, "Not allowed")]


@pytest.mark.parametrize(("name", "status", "title"), UNAUTHORIZED)
def test_every_route_refuses_callers_without_permission(
    app: Flask, acme_ids: dict[str, str], server: ActivepiecesServer, name: str | None, status: int, title: str
) -> None:
    caller = ApiUser.named(app, name)
    rows, calls = all_rows(app), len(server.calls)

    for row in ROUTES:
        problem(call(caller, row, acme_ids), status, title)

    assert all_rows(app) == rows
    assert len(server.calls) == calls


def test_a_body_cannot_name_another_tenants_integration(
    app: Flask, acme_ids: dict[str, str], server: ActivepiecesServer
) -> None:
    carol = ApiUser.named(app, "carol")
    carol.links()
    calls = len(server.calls)

    body = BODIES["save_connection"] | {"integrationId": acme_ids["integration_id"]}

    problem(carol.posts("/connection", body), 404, "Not found")
    assert len(server.calls) == calls


def test_lists_contain_only_the_tenants_own_resources(app: Flask, acme_ids: dict[str, str]) -> None:
    carol = ApiUser.named(app, "carol")
    integration = carol.links()

    assert [row["id"] for row in answer_of(carol.gets("/setup"))["data"]] == [integration]
    assert answer_of(carol.gets(f"/connections/{integration}"))["data"] == []


# Two organizations of one tenant


#: The organizations of each admin of Acme; the first is the current one.
ORGANIZATIONS: dict[str, tuple[str | None, ...]] = {
    "lena": ("labs",),
    "sam": ("sales",),
    "tom": (None,),
    "rita": ("sales", "labs"),
}


class HostWithOrganizations(SmallHost):
    """All users are admins of Acme, each in their own organizations."""

    def current_principal(self) -> Principal | None:
        name = session.get("user")
        return name and Principal(name, "acme", name.title(), ORGANIZATIONS[name][0])

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return True

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        organizations = ORGANIZATIONS[principal.user_id]
        # Another tenant may have an organization of the same name.
        return [Workspace("globex", "Globex Labs", "labs")] + [
            Workspace("acme", f"Acme {name}", name) for name in organizations
        ]


@pytest.fixture
def with_organizations(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(
        host=HostWithOrganizations(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )


@pytest.fixture
def labs_ids(with_organizations: Flask, server: ActivepiecesServer) -> dict[str, str]:
    """The ids of the resources of Labs, by path parameter."""
    lena = ApiUser.named(with_organizations, "lena")
    credentials = {"apiKey": server.api_key, "userToken": server.user_token()}
    integration = lena.links(projectId=server.project_id, **credentials)
    return {"integration_id": integration, "connection_id": lena.saves()["id"]}


INTEGRATION_ROUTES = [row for row in ROUTES if "<integration_id>" in row[1]]


@pytest.mark.parametrize("name", ["lena", "rita"])
def test_every_route_finds_the_integration_of_the_callers_organizations(
    with_organizations: Flask, labs_ids: dict[str, str], name: str
) -> None:
    member = ApiUser.named(with_organizations, name)
    rows = sorted(INTEGRATION_ROUTES, key=_deletion_order)

    missing = [row[3] for row in rows if call(member, row, labs_ids).status_code == 404]

    assert sorted(missing) == [
        "delete_connection",  # already deleted as the default connection
        "replace_connection",  # neither id exists
    ]


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_another_organizations_integration_is_not_found_on_any_route(
    with_organizations: Flask, labs_ids: dict[str, str], server: ActivepiecesServer, name: str
) -> None:
    other = ApiUser.named(with_organizations, name)
    rows, calls = all_rows(with_organizations), len(server.calls)

    for row in INTEGRATION_ROUTES:
        problem(call(other, row, labs_ids), 404, "Not found")

    assert all_rows(with_organizations) == rows
    assert len(server.calls) == calls


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_a_body_cannot_name_another_organizations_integration(
    with_organizations: Flask, labs_ids: dict[str, str], server: ActivepiecesServer, name: str
) -> None:
    calls = len(server.calls)

    body = BODIES["save_connection"] | {"integrationId": labs_ids["integration_id"]}

    problem(ApiUser.named(with_organizations, name).posts("/connection", body), 404, "Not found")
    assert len(server.calls) == calls


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_another_organizations_integration_cannot_be_set_up_again(
    with_organizations: Flask, labs_ids: dict[str, str], name: str
) -> None:
    answer = ApiUser.named(with_organizations, name).posts("/setup", {"organizationId": "labs"})

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["organizationId"]


CLIENT_ROUTES = [row for row in ROUTES if "<client_id>" in row[1]]


@pytest.fixture
def labs_client(with_organizations: Flask, labs_ids: dict[str, str]) -> str:
    """The id of the OAuth client that was created for the integration of Labs."""
    program = Program.registered(with_organizations, "--tenant", "acme")
    with with_organizations.app_context():
        get_state().database.write(update(tables.oauth_clients).values(integration_id=labs_ids["integration_id"]))
        get_state().database.write(update(tables.integrations).values(oauth_client_id=program.client_id))
    return program.client_id


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_the_oauth_client_of_another_organizations_integration_is_not_found(
    with_organizations: Flask, labs_client: str, name: str
) -> None:
    """Its deletion would end all connections of that organization."""
    other = ApiUser.named(with_organizations, name)
    rows = all_rows(with_organizations)

    for row in CLIENT_ROUTES:
        problem(call(other, row, {"client_id": labs_client}), 404, "Not found")
    assert answer_of(other.gets("/oauth-clients"))["data"] == []
    page = Person(with_organizations, name)
    assert page.sees(f"/automation/clients/{labs_client}").status == 404
    assert labs_client not in page.sees("/automation/clients").text

    assert all_rows(with_organizations) == rows


@pytest.mark.parametrize("name", ["lena", "rita"])
def test_the_oauth_client_of_the_callers_organization_is_found(
    with_organizations: Flask, labs_client: str, name: str
) -> None:
    member = ApiUser.named(with_organizations, name)

    listed = [client["client_id"] for client in answer_of(member.gets("/oauth-clients"))["data"]]

    assert listed == [labs_client]
    assert Person(with_organizations, name).sees(f"/automation/clients/{labs_client}").status == 200
    assert member.deletes(f"/oauth-clients/{labs_client}").status_code == 204


def test_every_organization_finds_the_integration_of_the_whole_tenant(with_organizations: Flask) -> None:
    whole = ApiUser.named(with_organizations, "tom").links()

    for name in ORGANIZATIONS:
        assert ApiUser.named(with_organizations, name).gets(f"/setup/{whole}").status_code == 200


def test_a_list_contains_only_what_its_reader_can_open(with_organizations: Flask, labs_ids: dict[str, str]) -> None:
    whole = ApiUser.named(with_organizations, "tom").links()
    sales = ApiUser.named(with_organizations, "sam").links()
    labs = labs_ids["integration_id"]

    listed = {
        name: [row["id"] for row in answer_of(ApiUser.named(with_organizations, name).gets("/setup"))["data"]]
        for name in ORGANIZATIONS
    }

    assert listed == {"lena": [whole, labs], "sam": [whole, sales], "tom": [whole], "rita": [whole, labs, sales]}


# Two tenants that share the app's key and one project


@pytest.fixture
def shared_project_app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """All tenants use one key and one project."""
    return make_app(
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PROJECT_ID=server.project_id,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )


@dataclass(frozen=True)
class Neighbour:
    """A tenant of the shared project: its admin, its integration and one connection."""

    api_user: ApiUser
    integration: str
    connection: dict[str, Any]


@pytest.fixture
def neighbours(shared_project_app: Flask) -> Iterator[tuple[Neighbour, Neighbour]]:
    """Acme and Globex, each with a connection of the same name."""
    neighbours = []
    for name in ("alice", "carol"):
        api_user = ApiUser.named(shared_project_app, name)
        integration = api_user.links()
        neighbours.append(Neighbour(api_user, integration, api_user.saves()))
    yield neighbours[0], neighbours[1]


def test_tenants_of_one_project_do_not_see_each_others_connections(neighbours: tuple[Neighbour, Neighbour]) -> None:
    for tenant, other in (neighbours, neighbours[::-1]):
        listed = answer_of(tenant.api_user.gets(f"/connections/{tenant.integration}"))["data"]
        assert [connection["id"] for connection in listed] == [tenant.connection["id"]]
        path = f"/connections/{tenant.integration}/{other.connection['id']}"
        problem(tenant.api_user.gets(path), 404, "Not found")


def test_tenants_of_one_project_cannot_change_each_others_connections(
    neighbours: tuple[Neighbour, Neighbour], server: ActivepiecesServer
) -> None:
    tenant, other = neighbours
    path = f"/connections/{tenant.integration}/{other.connection['id']}"
    before = answer_of(other.api_user.gets(f"/connections/{other.integration}"))

    problem(tenant.api_user.patches(path, {"displayName": "Taken"}), 404, "Not found")
    problem(tenant.api_user.deletes(path, force="true"), 404, "Not found")

    assert answer_of(other.api_user.gets(f"/connections/{other.integration}")) == before
    assert not [call for call in server.calls if call.method == "DELETE"]


def test_tenants_of_one_project_can_use_the_same_connection_name(neighbours: tuple[Neighbour, Neighbour]) -> None:
    tenant, other = neighbours

    assert tenant.connection["id"] != other.connection["id"]
    assert tenant.connection["externalId"] != other.connection["externalId"]


@pytest.mark.parametrize("field", ["externalId", "connectionName"])
def test_a_neighbours_external_id_cannot_be_taken_over(neighbours: tuple[Neighbour, Neighbour], field: str) -> None:
    tenant, other = neighbours

    created = tenant.api_user.saves(**{field: other.connection["externalId"]})

    assert created["id"] != other.connection["id"]


def test_the_owner_of_a_connection_cannot_be_forged(neighbours: tuple[Neighbour, Neighbour]) -> None:
    tenant, other = neighbours
    forged = {"tenantId": "globex", "integrationId": other.integration, "team": "red"}

    created = tenant.api_user.saves("Forged", metadata=forged)
    path = f"/connections/{tenant.integration}/{created['id']}"
    changed = answer_of(tenant.api_user.patches(path, {"metadata": forged}))

    for metadata in (created["metadata"], changed["metadata"]):
        assert metadata == {"tenantId": "acme", "integrationId": tenant.integration, "team": "red"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/mcp/{id}"),
        ("PATCH", "/mcp/{id}"),
        ("POST", "/mcp/{id}/rotate"),
        ("GET", "/flows/{id}"),
        ("GET", "/flow-runs/{id}"),
        ("GET", "/projects/{id}"),
        ("GET", "/connections/{id}/owners"),
    ],
)
def test_project_wide_resources_are_refused_in_a_shared_project_before_any_call(
    neighbours: tuple[Neighbour, Neighbour], server: ActivepiecesServer, method: str, path: str
) -> None:
    tenant, _ = neighbours
    calls = len(server.calls)
    body: dict[str, Any] | None = {"disabledTools": []} if method == "PATCH" else None

    answer = tenant.api_user.calls(method, path.format(id=tenant.integration), body)

    assert problem(answer, 409, "Not possible with this credential")
    assert len(server.calls) == calls
