"""What belongs to another tenant or organization is not found on any route, and Activepieces is not called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, session

from flask_activepieces import Principal, Workspace
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.web.api.routes import ROUTES as API_ROUTES
from tests.conftest import MakeApp
from tests.support.actors import Program, answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.hosts import SmallHost
from tests.support.problems import problem
from tests.support.storage import rows_of

#: What a good call of a route has in its body, or in its query.
BODIES: dict[str, dict[str, Any]] = {
    "set_up": {},
    "update_integration": {"enabled": True},
    "save_connection": {"accessToken": "ok-theirs", "connectionName": "Mine", "pieceName": PIECE},
    "replace_connection": {"sourceAppConnectionId": "a", "targetAppConnectionId": "b"},
    "update_connection": {"displayName": "Theirs"},
    "update_mcp": {"disabledTools": []},
    "create_client": {
        "name": "Theirs",
        "scope": "tasks:read",
        "redirect_uris": ["https://theirs.test/cb"],
    },
    "update_client": {"name": "Theirs"},
}
QUERIES = {
    "confirm_oauth2": {"pieceName": PIECE},
    "start_oauth2": {"pieceName": PIECE},
    "finish_oauth2": {"state": "a state", "code": "a code"},
}
#: The document of the API tells nothing of any tenant.
ROUTES = [
    (method, path, view.__module__, view.__name__)
    for method, path, view in API_ROUTES
    if view.__name__ != "openapi_json"
]
OF_ONE_THING = [row for row in ROUTES if "<" in row[1]]


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """Where everybody may use the one key of the app, each with a project of their own."""
    return make_app(
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )


@pytest.fixture
def theirs(app: Flask, server: ActivepiecesServer) -> dict[str, str]:
    """What Acme has, by the names that routes give it."""
    alice = ApiUser.named(app, "alice")
    own = {"apiKey": server.api_key, "userToken": server.user_token()}
    integration = alice.links(projectId=server.project_id, **own)
    connection = alice.saves(integrationId=integration)
    program = Program.registered(app, "--tenant", "acme")
    return {
        "integration_id": integration,
        "connection_id": connection["id"],
        "client_id": program.client_id,
    }


def all_rows(app: Flask) -> list[list[dict[str, Any]]]:
    """Everything of Acme's that a call could change."""
    return [
        rows_of(app, table)
        for table in ("integrations", "oauth_clients", "grants", "audit_events", "leases")
    ]


def call(person: ApiUser, row: tuple[str, str, str, str], things: dict[str, str]) -> Any:
    """A call of a route about these things, with everything in it that a good call has."""
    method, path, _, view = row
    for name, value in things.items():
        path = path.replace(f"<{name}>", value)
    return person.calls(method, path, BODIES.get(view), **QUERIES.get(view, {}))


def test_every_route_lets_its_own_tenant_in(
    app: Flask, theirs: dict[str, str], server: ActivepiecesServer
) -> None:
    """Else all that follows would prove nothing: the same calls, by the right person."""
    alice = ApiUser.named(app, "alice")
    answers = {row[3]: call(alice, row, theirs).status_code for row in sorted(ROUTES, key=_deletes)}

    unlucky = {view: status for view, status in answers.items() if status >= 300}
    assert unlucky == {
        "delete_connection": 404,  # it was the integration's own, and deleted as such
        "replace_connection": 404,  # the two are made up
        "connect": 500,  # the app's piece does not sign in by OAuth2
        "confirm_oauth2": 422,  # the same
        "start_oauth2": 400,  # nobody has seen the page
        "finish_oauth2": 400,  # nothing was begun
    }


def _deletes(row: tuple[str, str, str, str]) -> int:
    """Things are deleted last, the integration after what it has."""
    return 2 if row[3] == "delete_integration" else int(row[0] == "DELETE")


def test_another_tenants_things_are_not_there(
    app: Flask, theirs: dict[str, str], server: ActivepiecesServer
) -> None:
    carol = ApiUser.named(app, "carol")
    rows, calls = all_rows(app), len(server.calls)

    for row in OF_ONE_THING:
        problem(call(carol, row, theirs), 404, "Not found")

    assert all_rows(app) == rows
    assert len(server.calls) == calls


def test_what_does_not_exist_is_told_in_the_same_words(app: Flask, theirs: dict[str, str]) -> None:
    carol = ApiUser.named(app, "carol")
    nothing = {name: "x" * len(value) for name, value in theirs.items()}

    for row in OF_ONE_THING:
        foreign, unknown = call(carol, row, theirs).text, call(carol, row, nothing).text

        for name, value in theirs.items():
            foreign = foreign.replace(value, nothing[name])
        assert foreign == unknown


#: A stranger, and a member of Acme who may do nothing.
NOBODIES = [(None, 401, "Not signed in"), ("bob", 403, "Not allowed")]


@pytest.mark.parametrize(("name", "status", "title"), NOBODIES)
def test_who_may_not_is_refused_by_every_route(
    app: Flask,
    theirs: dict[str, str],
    server: ActivepiecesServer,
    name: str | None,
    status: int,
    title: str,
) -> None:
    nobody = ApiUser.named(app, name)
    rows, calls = all_rows(app), len(server.calls)

    for row in ROUTES:
        problem(call(nobody, row, theirs), status, title)

    assert all_rows(app) == rows
    assert len(server.calls) == calls


def test_a_body_cannot_name_another_tenants_integration(
    app: Flask, theirs: dict[str, str], server: ActivepiecesServer
) -> None:
    carol = ApiUser.named(app, "carol")
    carol.links()
    calls = len(server.calls)

    body = BODIES["save_connection"] | {"integrationId": theirs["integration_id"]}

    problem(carol.posts("/connection", body), 404, "Not found")
    assert len(server.calls) == calls


def test_lists_have_only_the_tenants_own(app: Flask, theirs: dict[str, str]) -> None:
    carol = ApiUser.named(app, "carol")
    own = carol.links()

    assert [one["id"] for one in answer_of(carol.gets("/setup"))["data"]] == [own]
    assert answer_of(carol.gets(f"/connections/{own}"))["data"] == []


# Two organizations of one tenant


#: The admins of Acme, and the organizations that each may act for; the first is the one they are in.
ORGANIZATIONS: dict[str, tuple[str | None, ...]] = {
    "lena": ("labs",),
    "sam": ("sales",),
    "tom": (None,),
    "rita": ("sales", "labs"),
}


class HostOfOrganizations(SmallHost):
    """Whose users are all admins of Acme, each in organizations of theirs."""

    def current_principal(self) -> Principal | None:
        name = session.get("user")
        return name and Principal(name, "acme", name.title(), ORGANIZATIONS[name][0])

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return True

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        own = ORGANIZATIONS[principal.user_id]
        # Of another tenant, too, in which an organization may have the same name.
        return [Workspace("globex", "Globex Labs", "labs")] + [
            Workspace("acme", f"Acme {name}", name) for name in own
        ]


@pytest.fixture
def with_organizations(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(
        host=HostOfOrganizations(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )


@pytest.fixture
def of_labs(with_organizations: Flask, server: ActivepiecesServer) -> dict[str, str]:
    """What Labs has, by the names that routes give it."""
    lena = ApiUser.named(with_organizations, "lena")
    own = {"apiKey": server.api_key, "userToken": server.user_token()}
    integration = lena.links(projectId=server.project_id, **own)
    return {"integration_id": integration, "connection_id": lena.saves()["id"]}


OF_AN_INTEGRATION = [row for row in ROUTES if "<integration_id>" in row[1]]


@pytest.mark.parametrize("name", ["lena", "rita"])
def test_every_route_finds_the_integration_of_the_callers_organizations(
    with_organizations: Flask, of_labs: dict[str, str], name: str
) -> None:
    member = ApiUser.named(with_organizations, name)
    rows = sorted(OF_AN_INTEGRATION, key=_deletes)

    missing = [row[3] for row in rows if call(member, row, of_labs).status_code == 404]

    assert sorted(missing) == [
        "delete_connection",  # it was the integration's own, and deleted as such
        "replace_connection",  # the two are made up
    ]


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_another_organizations_integration_is_not_found_on_any_route(
    with_organizations: Flask, of_labs: dict[str, str], server: ActivepiecesServer, name: str
) -> None:
    other = ApiUser.named(with_organizations, name)
    rows, calls = all_rows(with_organizations), len(server.calls)

    for row in OF_AN_INTEGRATION:
        problem(call(other, row, of_labs), 404, "Not found")

    assert all_rows(with_organizations) == rows
    assert len(server.calls) == calls


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_a_body_cannot_name_another_organizations_integration(
    with_organizations: Flask, of_labs: dict[str, str], server: ActivepiecesServer, name: str
) -> None:
    calls = len(server.calls)

    body = BODIES["save_connection"] | {"integrationId": of_labs["integration_id"]}

    problem(ApiUser.named(with_organizations, name).posts("/connection", body), 404, "Not found")
    assert len(server.calls) == calls


@pytest.mark.parametrize("name", ["sam", "tom"])
def test_another_organizations_integration_cannot_be_set_up_again(
    with_organizations: Flask, of_labs: dict[str, str], name: str
) -> None:
    answer = ApiUser.named(with_organizations, name).posts("/setup", {"organizationId": "labs"})

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["organizationId"]


def test_every_organization_finds_the_integration_of_the_whole_tenant(
    with_organizations: Flask,
) -> None:
    whole = ApiUser.named(with_organizations, "tom").links()

    for name in ORGANIZATIONS:
        assert ApiUser.named(with_organizations, name).gets(f"/setup/{whole}").status_code == 200


def test_a_list_has_what_its_reader_can_open(
    with_organizations: Flask, of_labs: dict[str, str]
) -> None:
    whole = ApiUser.named(with_organizations, "tom").links()
    of_sales = ApiUser.named(with_organizations, "sam").links()
    labs = of_labs["integration_id"]

    listed = {
        name: [
            one["id"]
            for one in answer_of(ApiUser.named(with_organizations, name).gets("/setup"))["data"]
        ]
        for name in ORGANIZATIONS
    }

    assert listed == {
        "lena": [whole, labs],
        "sam": [whole, of_sales],
        "tom": [whole],
        "rita": [whole, labs, of_sales],
    }


# Two tenants that share the app's own key, and even one project


@pytest.fixture
def shared(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """Everybody in one project, by one key."""
    return make_app(
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PROJECT_ID=server.project_id,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )


@dataclass(frozen=True)
class Neighbour:
    """A tenant of the shared project: who, the integration, and a connection in it."""

    api_user: ApiUser
    integration: str
    connection: dict[str, Any]


@pytest.fixture
def neighbours(shared: Flask) -> Iterator[tuple[Neighbour, Neighbour]]:
    """Acme and Globex, each with a connection of the same name."""
    made = []
    for name in ("alice", "carol"):
        api_user = ApiUser.named(shared, name)
        integration = api_user.links()
        made.append(Neighbour(api_user, integration, api_user.saves()))
    yield made[0], made[1]


def test_in_one_project_neither_sees_the_others_connections(
    neighbours: tuple[Neighbour, Neighbour],
) -> None:
    for own, other in (neighbours, neighbours[::-1]):
        listed = answer_of(own.api_user.gets(f"/connections/{own.integration}"))["data"]
        assert [one["id"] for one in listed] == [own.connection["id"]]
        there = f"/connections/{own.integration}/{other.connection['id']}"
        problem(own.api_user.gets(there), 404, "Not found")


def test_in_one_project_neither_changes_the_others_connections(
    neighbours: tuple[Neighbour, Neighbour], server: ActivepiecesServer
) -> None:
    own, other = neighbours
    there = f"/connections/{own.integration}/{other.connection['id']}"
    before = answer_of(other.api_user.gets(f"/connections/{other.integration}"))

    problem(own.api_user.patches(there, {"displayName": "Taken"}), 404, "Not found")
    problem(own.api_user.deletes(there, force="true"), 404, "Not found")

    assert answer_of(other.api_user.gets(f"/connections/{other.integration}")) == before
    assert not [one for one in server.calls if one.method == "DELETE"]


def test_the_same_name_is_two_connections(neighbours: tuple[Neighbour, Neighbour]) -> None:
    own, other = neighbours

    assert own.connection["id"] != other.connection["id"]
    assert own.connection["externalId"] != other.connection["externalId"]


@pytest.mark.parametrize("field", ["externalId", "connectionName"])
def test_the_others_external_id_is_nothing_that_one_can_take(
    neighbours: tuple[Neighbour, Neighbour], field: str
) -> None:
    own, other = neighbours

    made = own.api_user.saves(**{field: other.connection["externalId"]})

    assert made["id"] != other.connection["id"]


def test_whose_a_connection_is_cannot_be_chosen(neighbours: tuple[Neighbour, Neighbour]) -> None:
    own, other = neighbours
    forged = {"tenantId": "globex", "integrationId": other.integration, "team": "red"}

    made = own.api_user.saves("Forged", metadata=forged)
    there = f"/connections/{own.integration}/{made['id']}"
    changed = answer_of(own.api_user.patches(there, {"metadata": forged}))

    for metadata in (made["metadata"], changed["metadata"]):
        assert metadata == {"tenantId": "acme", "integrationId": own.integration, "team": "red"}


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
def test_what_would_show_the_neighbours_things_is_refused_before_any_call(
    neighbours: tuple[Neighbour, Neighbour], server: ActivepiecesServer, method: str, path: str
) -> None:
    own, _ = neighbours
    calls = len(server.calls)
    body: dict[str, Any] | None = {"disabledTools": []} if method == "PATCH" else None

    answer = own.api_user.calls(method, path.format(id=own.integration), body)

    assert problem(answer, 409, "Not possible with this credential")
    assert len(server.calls) == calls
