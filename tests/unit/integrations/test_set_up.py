"""Setup: credentials are verified before they are saved, and saved encrypted."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from flask_activepieces.api_client.errors import CallTimedOut, ConnectionFailed, ServerError, UnexpectedResponse
from flask_activepieces.errors import InvalidInput, NotFound
from flask_activepieces.integrations import store
from flask_activepieces.testing import ActivepiecesServer
from tests.support.raw_server import raw_server
from tests.support.service_harness import ADMIN, ServiceHarness


def refused(harness: ServiceHarness, **given: str) -> dict[str, str]:
    """Assert that the setup is rejected and nothing is saved; return the invalid fields."""
    with pytest.raises(InvalidInput) as caught:
        harness.set_up(**given)
    assert harness.services.integrations.list_for_tenant(harness.tenant) == []
    assert harness.events == []
    return caught.value.fields


def test_a_tenant_is_linked_with_its_project(harness: ServiceHarness) -> None:
    given = harness.api_key_setup()

    made = harness.set_up(**given)

    assert (made.tenant_id, made.organization_id) == (harness.tenant, None)
    assert made.project_id == given["project_id"]
    assert made.has_credentials
    assert made.enabled
    assert made.base_url is None
    assert harness.reload(made) == made
    assert harness.event_names == ["integration.created"]
    assert harness.events[0].detail == {"integration_id": made.id, "project_id": made.project_id}


def test_a_key_is_encrypted_and_only_four_characters_are_shown(harness: ServiceHarness) -> None:
    made = harness.set_up()

    key = harness.upstream.api_key
    assert made.credential_hint == f"sk-…{key[-4:]}"
    assert key not in repr(made)
    assert key not in repr(harness.rows("integrations"))
    assert key not in repr(harness.rows("audit_events"))


def test_a_wrong_key_is_not_saved(harness: ServiceHarness) -> None:
    assert list(refused(harness, api_key="sk-" + "x" * 61)) == ["apiKey"]


def test_a_wrong_user_token_is_not_saved(harness: ServiceHarness) -> None:
    assert list(refused(harness, user_token="no.token.atall")) == ["userToken"]


def test_a_wrong_password_is_not_saved(harness: ServiceHarness) -> None:
    found = refused(harness, email=harness.upstream.email, password="not the password")

    assert list(found) == ["password"]


def test_both_of_two_credentials_are_verified(harness: ServiceHarness) -> None:
    found = refused(harness, **harness.api_key_setup(), user_token="no.token.atall")

    assert list(found) == ["userToken"]


def test_projects_are_compared_by_id_across_two_credentials(harness: ServiceHarness) -> None:
    given = harness.api_key_setup()
    seen = {"displayName": "Another name", "externalId": "another", "type": "TEAM"}
    rows = harness.upstream.state.store.all("project", id=given["project_id"])
    once = json.dumps({"data": [row | seen for row in rows], "next": None, "previous": None})
    harness.upstream.faults.invalid_json("GET", "/projects", body=once.encode())

    made = harness.set_up(**given, user_token=harness.upstream.user_token())

    assert made.project_id == given["project_id"]


def test_a_malformed_key_is_not_sent(harness: ServiceHarness) -> None:
    assert list(refused(harness, api_key="two words")) == ["apiKey"]
    assert harness.upstream.calls == []


def test_a_user_may_be_linked_by_e_mail_and_password(harness: ServiceHarness) -> None:
    """The Community Edition has no keys."""
    project = harness.new_project()

    made = harness.set_up(email=harness.upstream.email, password=harness.upstream.password, project_id=project)

    assert made.credential_hint == harness.upstream.email
    assert harness.upstream.password not in repr(harness.rows("integrations"))
    assert not harness.services.connections.list(made)


def test_the_error_for_an_inaccessible_project_names_the_accessible_ones(harness: ServiceHarness) -> None:
    found = refused(harness, api_key=harness.upstream.api_key, project_id="x" * 21)

    assert "Stand-in project" in found["projectId"]
    assert harness.upstream.project_id in found["projectId"]


def test_one_of_several_projects_must_be_chosen(harness: ServiceHarness) -> None:
    found = refused(harness, api_key=harness.upstream.api_key)

    assert "Choose" in found["projectId"]
    assert harness.upstream.project_id in found["projectId"]


def test_the_tenants_project_is_found_by_its_external_id(harness: ServiceHarness) -> None:
    own = harness.new_project(external_id=harness.tenant)

    assert harness.set_up(api_key=harness.upstream.api_key).project_id == own


def test_an_organization_has_an_integration_and_a_project_of_its_own(harness: ServiceHarness) -> None:
    whole = harness.set_up()
    own = harness.new_project(external_id=f"{harness.tenant}/labs")

    labs = harness.set_up(organization_id="labs", api_key=harness.upstream.api_key)

    assert labs.id != whole.id
    assert (labs.organization_id, labs.project_id) == ("labs", own)
    assert harness.services.integrations.list_for_tenant(harness.tenant) == [whole, labs]


def test_setting_up_again_changes_only_the_key(harness: ServiceHarness) -> None:
    first = harness.set_up()

    again = harness.set_up(api_key=harness.upstream.api_key)

    assert (again.id, again.project_id) == (first.id, first.project_id)
    assert harness.event_names == ["integration.created", "integration.key_rotated"]


def test_a_setup_without_a_key_keeps_the_stored_one(harness: ServiceHarness) -> None:
    first = harness.set_up()
    other = harness.new_project()

    again = harness.set_up(project_id=other)

    assert (again.id, again.project_id) == (first.id, other)
    assert again.credential_hint == first.credential_hint
    assert harness.event_names == ["integration.created", "integration.updated"]


def test_a_disabled_integration_stays_disabled(harness: ServiceHarness) -> None:
    made = harness.set_up()
    harness.services.integrations.update(made, enabled=False, user_id="alice")

    again = harness.set_up(api_key=harness.upstream.api_key)

    assert not again.enabled


def test_after_a_change_of_project_there_is_no_default_connection(harness: ServiceHarness) -> None:
    made = harness.set_up()
    harness.save(made, piece_name="@activepieces/piece-acme-secret")

    moved = harness.set_up(project_id=harness.new_project())

    assert (moved.default_connection_id, moved.failed_connection_ids) == (None, ())


def test_another_server_needs_its_own_key(harness: ServiceHarness) -> None:
    """The key of one server is never sent to another."""
    made = harness.set_up()
    with ActivepiecesServer() as other:
        there = harness.with_settings(allowed_base_urls=(other.url,))

        with pytest.raises(InvalidInput) as caught:
            there.set_up(base_url=other.url)

        assert list(caught.value.fields) == ["apiKey"]
        assert other.calls == []
        moved = there.set_up(base_url=other.url, api_key=other.api_key, project_id=other.project_id)
    assert (moved.id, moved.base_url, moved.project_id) == (made.id, other.url, other.project_id)
    assert there.event_names == ["integration.updated", "integration.key_rotated"]


def test_a_server_that_is_not_allowed_is_not_called(harness: ServiceHarness) -> None:
    with ActivepiecesServer() as other:
        found = refused(harness, base_url=other.url, api_key=other.api_key)

        assert list(found) == ["baseUrl"]
        assert other.calls == []


def test_a_server_that_is_not_activepieces_is_reported_as_an_invalid_base_url(harness: ServiceHarness) -> None:
    wrong = f"{harness.upstream.url}/nothing-here"
    there = harness.with_settings(allowed_base_urls=(wrong,))

    assert list(refused(there, base_url=wrong, api_key=harness.upstream.api_key)) == ["baseUrl"]


CREDENTIALS = [{"api_key": "sk-1"}, {"user_token": "ey.1"}, {"email": "ada@example.com", "password": "a-password"}]


@pytest.mark.parametrize("given", CREDENTIALS, ids=["key", "user token", "sign-in"])
@pytest.mark.parametrize("body", [{"detail": "Not Found"}, {"message": "Not Found"}, {}, None])
def test_another_json_service_is_reported_as_an_invalid_base_url(
    harness: ServiceHarness, given: dict[str, str], body: object
) -> None:
    with raw_server(lambda request: request.answer(404, body)) as server:
        there = harness.with_settings(allowed_base_urls=(server.url,))

        assert list(refused(there, base_url=server.url, **given)) == ["baseUrl"]


@pytest.mark.parametrize("given", [*CREDENTIALS, {}], ids=["key", "user token", "sign-in", "none"])
def test_another_json_service_at_the_configured_address_is_not_activepieces(
    harness: ServiceHarness, given: dict[str, str]
) -> None:
    """The operator configured the address, so it is not an input error of the tenant."""
    with raw_server(lambda request: request.answer(404, {"detail": "Not Found"})) as server:
        there = harness.with_settings(base_url=server.url, api_key="sk-app")

        with pytest.raises(UnexpectedResponse, match="Check the base URL"):
            there.set_up(tenant_id=there.tenant, **given)


def test_an_error_of_the_configured_server_is_not_invalid_input(harness: ServiceHarness) -> None:
    given = harness.api_key_setup()
    faults = harness.upstream.faults

    faults.invalid_json("GET", "/projects", times=None)
    with pytest.raises(UnexpectedResponse):
        harness.set_up(**given)
    faults.clear()
    faults.fail("GET", "/projects", 503, times=None)
    with pytest.raises(ServerError):
        harness.set_up(**given)

    assert harness.services.integrations.list_for_tenant(harness.tenant) == []


def test_a_slow_server_and_an_unreachable_one_are_different_errors(harness: ServiceHarness) -> None:
    given = harness.api_key_setup()
    harness.upstream.faults.delay("GET", "/projects", 5, times=None)

    with pytest.raises(CallTimedOut):
        harness.with_settings(timeout=0.1).set_up(**given)
    with pytest.raises(ConnectionFailed):
        harness.with_settings(base_url="http://127.0.0.1:9").set_up(**given)


def test_simultaneous_setups_create_one_integration(harness: ServiceHarness, connections_in_use: list[int]) -> None:
    given = harness.api_key_setup()

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: harness.set_up(**given), range(6)))

    connections_in_use.clear()  # ignore the connections of the other threads
    assert len({integration.id for integration in made}) == 1
    assert len(harness.services.integrations.list_for_tenant(harness.tenant)) == 1
    assert harness.event_names.count("integration.created") == 1


def test_a_foreign_integration_is_not_found(harness: ServiceHarness) -> None:
    made = harness.set_up()

    for tenant in ("globex", made.tenant_id.upper()):
        with pytest.raises(NotFound):
            harness.find(made.id, tenant)


def test_an_integration_with_another_tenants_id_cannot_be_read_or_changed(harness: ServiceHarness) -> None:
    """Every statement compares the id and the tenant."""
    made = harness.set_up()
    foreign = replace(made, tenant_id="globex")
    rows = harness.rows("integrations")

    with pytest.raises(NotFound):
        harness.database.read(lambda connection: store.get(connection, foreign.id, tenant_id=foreign.tenant_id))
    with pytest.raises(NotFound):
        harness.services.integrations.update(foreign, enabled=False, user_id=ADMIN)
    with pytest.raises(NotFound):
        harness.services.integrations.remove(foreign, user_id=ADMIN)
    assert harness.database.run_in_transaction(lambda work: store.remove(work, foreign)) is False

    assert harness.rows("integrations") == rows


@pytest.mark.parametrize("wrong", ["", "nonsense", "a' OR '1'='1", "x" * 1000, "\0"])
def test_an_invalid_id_is_not_found(harness: ServiceHarness, wrong: str) -> None:
    with pytest.raises(NotFound):
        harness.find(wrong, harness.tenant)
