"""The pages of connections: list, one of them, rename, replace, delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flask_activepieces import Principal
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.automation import AreaUser, HostWithViewers, area_user
from tests.support.error_assertions import assert_error_page
from tests.support.hosts import HostWithLabs
from tests.support.standin import action, standin
from tests.support.token_endpoint import TokenEndpoint

OTHER_PIECE = "@activepieces/piece-acme-basic"


def save(person: AreaUser, name: str, **more: Any) -> dict[str, Any]:
    return ApiUser(person).saves(name, **more)


def flow_with(server: ActivepiecesServer, connection: dict[str, Any]) -> str:
    """A flow that uses the connection."""
    auth = f"{{{{connections['{connection['externalId']}']}}}}"
    return standin(server).flow(action("step_1", PIECE, "whoami", auth=auth))


def names_on(server: ActivepiecesServer) -> list[str]:
    path = f"/app-connections?projectId={server.project_id}&limit=1000"
    return [connection["displayName"] for connection in standin(server).get(path)["data"]]


# The list


def test_an_empty_list_says_what_a_connection_is(admin: AreaUser) -> None:
    page = admin.visits("/connections")

    assert "No connections yet" in page.text
    assert page.links["Add a connection"] == "/automation/connections/services"
    assert "status" not in {name for form in page.forms for name in form.names}


def test_connections_are_listed_with_service_and_state(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")
    flow_with(server, connection)

    page = admin.visits("/connections")

    assert "Our key Works Acme Secret · 1 flow" in page.text
    assert connection["id"] not in page.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["Fine", "Broken"]),
        ({"status": "working"}, ["Fine"]),
        ({"status": "broken"}, ["Broken"]),
        ({"search": "roke"}, ["Broken"]),
        ({"search": "zzz"}, []),
        ({"status": "unknown"}, ["Fine", "Broken"]),
    ],
)
def test_the_list_is_filtered(
    admin: AreaUser, server: ActivepiecesServer, query: dict[str, str], shown: list[str]
) -> None:
    save(admin, "Fine")
    server.break_connection(save(admin, "Broken")["externalId"])

    page = admin.visits("/connections", **query)

    assert [name for name in ("Fine", "Broken") if name in page.links] == shown
    assert ("Nothing found" in page.text) is (not shown)


def test_the_list_is_filtered_by_service(admin: AreaUser, server: ActivepiecesServer) -> None:
    save(admin, "Ours")
    assert "service" not in admin.visits("/connections").form("search").names
    value = {"type": "BASIC_AUTH", "username": "u", "password": "p"}
    body = {"value": value, "connectionName": "Theirs", "pieceName": OTHER_PIECE}
    answer_of(ApiUser(admin).posts("/connection", body), 201)

    page = admin.visits("/connections", service=OTHER_PIECE)

    assert [name for name in ("Ours", "Theirs") if name in page.links] == ["Theirs"]
    assert page.form("search").values["service"] == OTHER_PIECE
    assert "Nothing found" in admin.visits("/connections", service="@acme/piece-unknown").text


def test_two_hundred_connections_are_paged_with_one_call_each(admin: AreaUser, server: ActivepiecesServer) -> None:
    for number in range(200):
        server.add_connection(PIECE, {"type": "SECRET_TEXT", "secret_text": f"ok-{number}"})
    seen, url = list[str](), "/automation/connections"
    for number in range(8):
        server.calls.clear()
        page = admin.sees(url)
        assert len(server.calls) == 1
        assert f"{25 * number + 1}–{25 * number + 25} of 200" in page.text
        seen += [
            href
            for href in page.links.values()
            if href.startswith("/automation/connections/") and href.count("/") == 3
        ]
        url = page.links.get("Next", "")

    assert url == ""
    assert len([href for href in set(seen) if "services" not in href]) == 200


def test_connections_are_listed_by_name(admin: AreaUser) -> None:
    for name in ("Zeta", "alpha", "Beta"):
        save(admin, name)

    text = admin.visits("/connections").text

    assert text.index("alpha") < text.index("Beta") < text.index("Zeta")
    assert "of 3" not in text


def test_a_forged_cursor_is_an_error_in_words(admin: AreaUser) -> None:
    page = assert_error_page(admin.visits("/connections", cursor="forged").response, 422)

    assert "This page of the list does not exist. Start at the first one." in page.text


def test_connections_of_another_tenant_are_not_found(
    admin: AreaUser, carol: AreaUser, server: ActivepiecesServer
) -> None:
    connection = save(admin, "Mine")
    carol.links(server)

    for path in ("", "/delete", "/replace", "/reconnect"):
        assert carol.visits(f"/connections/{connection['id']}{path}").status == 404
    for path in ("/rename", "/delete", "/replace", "/reconnect"):
        assert carol.posts(f"/connections/{connection['id']}{path}", name="Theirs").status_code == 404
    assert names_on(server) == ["Mine"]


# One connection


def test_a_connection_shows_its_flows_by_name(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")
    flow = flow_with(server, connection)

    page = admin.visits(f"/connections/{connection['id']}")

    assert page.links["A flow"] == f"{server.url}/projects/{server.project_id}/flows/{flow}"
    assert "SECRET_TEXT" not in page.text


def test_a_connection_with_many_flows_names_the_first_and_leads_to_all(
    admin: AreaUser, server: ActivepiecesServer
) -> None:
    connection = save(admin, "Our key")
    flow_with(server, save(admin, "Another key"))
    for _ in range(12):
        flow_with(server, connection)

    for path in ("", "/delete", "/replace"):
        page = admin.visits(f"/connections/{connection['id']}{path}")
        assert page.text.count("A flow") == 10
        assert "and 2 more. Show all" in page.text
    all_flows = admin.sees(page.links["Show all"])

    assert "Flows that use “Our key”" in all_flows.text
    assert all_flows.text.count("A flow") == 12
    assert "You signed in" not in all_flows.text
    kept = all_flows.form("search").values
    assert admin.visits("/flows", **kept | {"search": "A f"}).text.count("A flow") == 12
    assert "No flow matches" in admin.visits("/flows", **kept | {"search": "Another"}).text


def test_a_host_without_the_list_of_flows_has_no_link_to_it(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_DISABLED_PAGES=["flows"])
    admin = area_user(app, "alice")
    admin.links(server)
    connection = save(admin, "Our key")
    for _ in range(12):
        flow_with(server, connection)

    page = admin.visits(f"/connections/{connection['id']}")

    assert "and 2 more." in page.text
    assert "Show all" not in page.links


def test_the_flows_of_a_connection_of_another_tenant_are_not_found(
    admin: AreaUser, carol: AreaUser, server: ActivepiecesServer
) -> None:
    connection = save(admin, "Mine")
    carol.links(server)

    assert carol.visits("/flows", uses=connection["id"]).status == 404


def test_a_connection_is_renamed(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")

    page = admin.presses(admin.visits(f"/connections/{connection['id']}"), "/rename", name="  The key of all ")

    assert "The connection was renamed." in page.text
    assert names_on(server) == ["The key of all"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter a name of one line."),
        ("a\nb", "Enter a name of one line."),
        ("n" * 101, "At most 100 characters."),
    ],
)
def test_an_invalid_name_is_rejected(admin: AreaUser, server: ActivepiecesServer, name: str, message: str) -> None:
    connection = save(admin, "Our key")

    page = admin.presses(admin.visits(f"/connections/{connection['id']}"), "/rename", name=name)

    assert page.status == 422
    assert message in page.text
    assert names_on(server) == ["Our key"]


# Deleting


def test_an_unused_connection_is_deleted(admin: AreaUser, server: ActivepiecesServer) -> None:
    question = admin.visits(f"/connections/{save(admin, 'Our key')['id']}/delete")

    assert "No flow uses it." in question.text
    assert "The connection was deleted." in admin.presses(question, "/delete").text
    assert names_on(server) == []


def test_the_flows_that_break_are_named_before(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")
    flow_with(server, connection)

    question = admin.visits(f"/connections/{connection['id']}/delete")

    assert "1 flow uses it, and will fail without it: A flow On" in question.text
    assert "The connection was deleted." in admin.presses(question, "/delete").text
    assert names_on(server) == []


def test_a_flow_that_was_added_meanwhile_is_shown_first(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")
    question = admin.visits(f"/connections/{connection['id']}/delete")
    flow_with(server, connection)

    again = admin.presses(question, "/delete")

    assert again.status == 409
    assert "1 flow uses it" in again.text
    assert names_on(server) == ["Our key"]


# Replacing


@pytest.fixture
def with_user(admin: AreaUser, server: ActivepiecesServer) -> AreaUser:
    """The admin, with a user of Activepieces among the credentials: a key cannot replace."""
    add_user(admin, server)
    return admin


def add_user(admin: AreaUser, server: ActivepiecesServer) -> None:
    form = admin.visits("/setup", change="1", **{"with": "password"}).form("password")
    picker = admin.submits(form, email=server.email, password=server.password)
    admin.submits(picker.form("sealed"))


def test_flows_move_to_another_connection(with_user: AreaUser, server: ActivepiecesServer) -> None:
    old, new = save(with_user, "Old"), save(with_user, "New")
    flow_with(server, old)

    form = with_user.visits(f"/connections/{old['id']}/replace")
    page = with_user.presses(form, "/replace", target=new["id"], delete="1")

    assert "These flows will use the other connection: A flow" in form.text
    assert "The flows use the other connection now." in page.text
    assert names_on(server) == ["New"]
    assert "A flow" in with_user.visits(f"/connections/{new['id']}").links


def test_of_many_connections_one_is_selected_in_a_list(with_user: AreaUser, server: ActivepiecesServer) -> None:
    old, *others = [save(with_user, f"Key {number}") for number in range(14)]
    form = with_user.visits(f"/connections/{old['id']}/replace")

    page = with_user.presses(form, "/replace", target=others[-1]["id"], delete="1")

    assert "Key 13 (Works)" in form.text
    assert ("option", {"value": others[0]["id"]}) in form.tags
    assert "The flows use the other connection now." in page.text


def test_an_older_server_changes_nothing_before_the_deletion_is_allowed(
    with_user: AreaUser, server: ActivepiecesServer
) -> None:
    old, new = save(with_user, "Old"), save(with_user, "New")
    question = with_user.visits(f"/connections/{old['id']}/replace")
    assert "Change flows that are on, and delete the old connection" in question.text
    assert "This version of Activepieces always does both." in question.text
    form = question.form("target")
    assert "only_drafts" not in form.names

    page = with_user.submits(form, target=new["id"])

    assert page.status == 422
    assert "deletes the old connection. Allow both." in page.text
    again = page.form("target").values
    assert (again["target"], again.get("delete")) == (new["id"], None)
    assert names_on(server) == ["Old", "New"]


def test_an_older_server_cannot_replace_what_other_projects_use(
    with_user: AreaUser, server: ActivepiecesServer
) -> None:
    old, _ = save(with_user, "Old", scope="PLATFORM"), save(with_user, "New")

    page = with_user.visits(f"/connections/{old['id']}/replace")

    assert "This connection cannot be replaced" in page.text
    assert "target" not in {name for form in page.forms for name in form.names}


@pytest.fixture
def newer_server(listening_acme: TokenEndpoint) -> Iterator[ActivepiecesServer]:
    """It can keep the old connection."""
    with ActivepiecesServer(pieces=acme_pieces(listening_acme.url), version="0.86") as server:
        yield server


@pytest.fixture
def admin_of_newer(make_app: MakeApp, newer_server: ActivepiecesServer) -> AreaUser:
    """The admin there, with a user of Activepieces."""
    admin = area_user(make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=newer_server.url), "alice")
    admin.links(newer_server)
    add_user(admin, newer_server)
    return admin


def test_the_old_connection_is_deleted_only_on_request(
    admin_of_newer: AreaUser, newer_server: ActivepiecesServer
) -> None:
    old, new = save(admin_of_newer, "Old"), save(admin_of_newer, "New")
    flow_with(newer_server, old)

    page = admin_of_newer.presses(
        admin_of_newer.visits(f"/connections/{old['id']}/replace"), "/replace", target=new["id"]
    )

    assert "The flows use the other connection now." in page.text
    assert "A flow" in admin_of_newer.visits(f"/connections/{new['id']}").links
    assert names_on(newer_server) == ["Old", "New"]


def test_an_old_connection_that_stays_is_mentioned(admin_of_newer: AreaUser) -> None:
    """That of several projects is not deleted for one of them."""
    old, new = save(admin_of_newer, "Old", scope="PLATFORM"), save(admin_of_newer, "New")
    question = admin_of_newer.visits(f"/connections/{old['id']}/replace")

    page = admin_of_newer.presses(question, "/replace", target=new["id"], delete="1")

    assert "The old one could not be deleted" in page.text
    assert {"Old", "New"} <= set(page.links)


def test_replacing_needs_a_choice(with_user: AreaUser, server: ActivepiecesServer) -> None:
    old, _ = save(with_user, "Old"), save(with_user, "New")

    page = with_user.presses(with_user.visits(f"/connections/{old['id']}/replace"), "/replace")

    assert page.status == 422
    assert "Choose the other connection." in page.text


def test_replacing_needs_another_connection_of_the_service(admin: AreaUser) -> None:
    page = admin.visits(f"/connections/{save(admin, 'Only one')['id']}/replace")

    assert "There is no other connection of this service" in page.text


def test_replacing_with_a_key_says_what_is_missing(admin: AreaUser, server: ActivepiecesServer) -> None:
    old, new = save(admin, "Old"), save(admin, "New")

    page = admin.presses(admin.visits(f"/connections/{old['id']}/replace"), "/replace", target=new["id"])

    assert page.status == 409
    assert "Activepieces allows this only to a user, not with the stored key." in page.text
    assert "api key" not in page.text.casefold().replace("not with the stored key", "")
    assert names_on(server) == ["Old", "New"]


# Permissions


class Editors(HostWithLabs):
    """Bob may edit, but is no admin; Eve of Globex may only look."""

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return super().allows(principal, permission) or permission in ("view", "edit")


def test_a_connection_of_the_platform_is_for_administrators(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(host=Editors(), ACTIVEPIECES_BASE_URL=server.url)
    alice = area_user(app, "alice")
    alice.links(server)
    shared = save(alice, "Shared", scope="PLATFORM")
    bob = area_user(app, "bob")

    page = bob.visits(f"/connections/{shared['id']}")

    assert "several projects of your Activepieces" in page.text
    assert "Delete…" not in page.links
    for path in ("/rename", "/delete", "/replace", "/reconnect"):
        assert bob.posts(f"/connections/{shared['id']}{path}", name="Mine").status_code == 403
    assert "Shared" in alice.visits("/connections").links


def test_a_viewer_is_offered_no_change(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url)
    alice = area_user(app, "alice")
    alice.links(server)
    connection = save(alice, "Our key")
    bob = area_user(app, "bob")

    listed, shown = bob.visits("/connections"), bob.visits(f"/connections/{connection['id']}")

    assert "Add a connection" not in listed.links
    assert not [form for page in (listed, shown) for form in page.forms if "page_token" in form.names]
    for path in ("/connections/services", f"/connections/{connection['id']}/delete"):
        assert bob.visits(path).status == 403


def test_an_outage_is_an_error_in_words(admin: AreaUser, server: ActivepiecesServer) -> None:
    server.faults.fail("GET", "/app-connections", 500, times=None)

    page = admin.visits("/connections")

    assert page.status == 502
    assert "Activepieces reported an error." in page.text
    assert "Connections" in page.links


def test_flows_of_a_shared_project_are_only_counted(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(
        host=HostWithLabs(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PROJECT_ID=server.project_id,
    )
    alice = area_user(app, "alice")
    alice.submits(alice.visits("/setup").form("with"))
    connection = save(alice, "Our key")
    flow_with(server, connection)

    page = alice.visits(f"/connections/{connection['id']}")

    assert "1 flow uses it." in page.text
    assert "A flow" not in page.links
