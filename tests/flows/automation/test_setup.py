"""The setup wizard, and the settings of a linked workspace."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.automation import AreaUser, area_user
from tests.support.clock import StoppedClock
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.storage import row_counts, rows_of


def key_form(person: AreaUser) -> Page:
    return person.visits("/setup", **{"with": "key"})


def test_a_key_and_a_project_link_the_workspace(app: Flask, alice: AreaUser, server: ActivepiecesServer) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)
    linked = alice.submits(picker.form("sealed"), project=server.project_id)

    assert "Stand-in project" in picker.text
    assert "Your workspace is connected to Activepieces." in linked.text
    assert "No problems found" in linked.text
    (row,) = rows_of(app, "integrations")
    assert (row["tenant_id"], row["project_id"]) == ("acme", server.project_id)


def test_email_and_password_link_the_workspace(app: Flask, alice: AreaUser, server: ActivepiecesServer) -> None:
    form = alice.visits("/setup", **{"with": "password"}).form("password")

    picker = alice.submits(form, email=server.email, password=server.password)
    alice.submits(picker.form("sealed"), project=server.project_id)

    (row,) = rows_of(app, "integrations")
    assert row["credential_hint"] == server.email


def test_the_only_project_needs_no_choice(
    app: Flask, alice: AreaUser, server: ActivepiecesServer, carol: AreaUser
) -> None:
    store = server.state.store
    for project in store.all("project"):
        if project["id"] != server.project_id:
            store.drop("project", project["id"])

    linked = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)

    assert "Your workspace is connected to Activepieces." in linked.text


@pytest.mark.parametrize(
    ("way", "entered", "message"),
    [
        ("key", {}, "Enter the API key."),
        ("key", {"api_key": "sk-unknown"}, "Activepieces does not accept it."),
        ("key", {"api_key": "not ascii é"}, "Must be printable ASCII without spaces."),
        ("password", {}, "Enter the e-mail address of an Activepieces user."),
        ("password", {"email": "ada@example.com"}, "Email and password must be set together."),
        ("password", {"email": "ada@example.com", "password": "wrong"}, "Activepieces does not accept it."),
    ],
)
def test_an_error_is_shown_beside_its_field(
    app: Flask, alice: AreaUser, way: str, entered: dict[str, str], message: str
) -> None:
    form = alice.visits("/setup", **{"with": way}).form("with")

    page = alice.submits(form, **entered)

    assert page.status == 422
    assert message in page.text
    assert "integrations" not in row_counts(app)
    assert entered.get("email", "") in page.response.text
    for secret in ("sk-unknown", "wrong"):
        assert f'value="{secret}"' not in page.response.text


def test_an_unreachable_server_is_explained(alice: AreaUser, server: ActivepiecesServer) -> None:
    form = key_form(alice).form("api_key")
    server.faults.reset_connection("*", "*", times=None)

    page = alice.submits(form, api_key=server.api_key)

    assert page.status == 502
    assert "Activepieces cannot be reached." in page.text
    assert "projects.list" not in page.text


def test_the_verified_key_is_not_readable_in_the_second_step(alice: AreaUser, server: ActivepiecesServer) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)

    assert server.api_key not in picker.response.text
    assert picker.response.headers["Cache-Control"] == "no-store"


def test_the_second_step_is_for_the_user_of_the_first(
    alice: AreaUser, carol: AreaUser, server: ActivepiecesServer, app: Flask
) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)
    sealed = picker.form("sealed").values["sealed"]

    response = carol.posts("/setup/project", sealed=sealed, project=server.project_id)

    assert response.status_code == 400
    assert "integrations" not in row_counts(app)


@pytest.mark.parametrize(("seconds", "status"), [(599, 303), (600, 400)])
def test_the_second_step_is_open_for_ten_minutes(
    alice: AreaUser, server: ActivepiecesServer, clock: StoppedClock, seconds: int, status: int
) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)
    clock.advance(seconds)

    assert alice.sends(picker.form("sealed"), project=server.project_id).status_code == status


def test_the_second_step_asks_again_without_a_choice(alice: AreaUser, server: ActivepiecesServer) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)

    again = alice.submits(picker.form("sealed"))

    assert again.status == 422
    assert "Choose a project." in again.text
    assert "linked" in alice.sends(again.form("sealed"), project=server.project_id).location


def test_a_project_of_others_is_not_accepted(app: Flask, alice: AreaUser, server: ActivepiecesServer) -> None:
    picker = alice.submits(key_form(alice).form("api_key"), api_key=server.api_key)

    page = alice.submits(picker.form("sealed"), project="another-project")

    assert page.status == 422
    assert "integrations" not in row_counts(app)


def test_a_workspace_on_the_apps_key_needs_no_input(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)
    alice = area_user(app, "alice")

    wizard = alice.visits("/setup")
    linked = alice.submits(wizard.form("with"))

    assert "There is nothing to enter" in wizard.text
    assert "Your workspace is connected" in linked.text
    assert "Signs in with our key" in alice.visits("/setup").text


def test_a_workspace_can_go_back_to_the_apps_key(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)
    alice = area_user(app, "alice")
    alice.links(server)
    assert "Signs in with sk-" in alice.visits("/setup").text

    alice.submits(alice.visits("/setup", change="1", **{"with": "app"}).form("with"))

    assert "Signs in with our key" in alice.visits("/setup").text


# The settings


def test_the_settings_name_the_project_and_show_no_secret(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = admin.visits("/setup")

    assert "Project Stand-in project" in page.text
    assert f"sk-…{server.api_key[-4:]}" in page.text
    assert server.api_key not in page.response.text


def test_the_sign_in_can_be_changed(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> None:
    form = admin.visits("/setup", change="1", **{"with": "password"}).form("password")

    picker = admin.submits(form, email=server.email, password=server.password)
    admin.submits(picker.form("sealed"))

    (row,) = rows_of(app, "integrations")
    assert server.email in row["credential_hint"]
    assert "sk-" in row["credential_hint"]


def test_another_project_can_be_chosen(app: Flask, admin: AreaUser) -> None:
    form = admin.visits("/setup").form("project")
    (other,) = {value for value in _options(admin.visits("/setup")) if value != form.values["project"]}

    page = admin.submits(form, project=other)

    assert "The settings were saved." in page.text
    (row,) = rows_of(app, "integrations")
    assert row["project_id"] == other


def _options(page: Page) -> list[str]:
    return [attributes["value"] or "" for tag, attributes in page.tags if tag == "option"]


def test_automation_can_be_switched_off_and_on(admin: AreaUser, server: ActivepiecesServer) -> None:
    off = admin.presses(admin.visits("/setup"), "/setup/switch")
    server.calls.clear()
    overview = admin.visits()
    on = admin.presses(admin.visits("/setup"), "/setup/switch")

    assert "Automation is off." in off.text
    assert "An administrator switched automation off for this workspace." in overview.text
    assert server.calls == [] or "Automation is on." in on.text
    assert "No problems found" in admin.visits().text


def test_removing_the_link_asks_first_and_says_what_stops_working(app: Flask, admin: AreaUser) -> None:
    question = admin.visits("/setup/unlink")
    assert "lose their access" in question.text
    assert "integrations" in row_counts(app)

    removed = admin.presses(question, "/setup/unlink")

    assert "The connection to Activepieces was removed." in removed.text
    assert "integrations" not in row_counts(app)


def test_a_revoked_key_is_explained(admin: AreaUser, server: ActivepiecesServer) -> None:
    for key in server.state.store.all("api_key"):
        server.state.store.drop("api_key", key["id"])

    page = admin.visits()

    assert "Activepieces no longer accepts the stored sign-in." in page.text
    assert "under Settings" in page.text
