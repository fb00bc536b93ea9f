"""Users become members of a project with their first token, and are removed when their access ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import UserToken
from flask_activepieces.api_client.errors import ApiError, AuthenticationFailed
from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.host.interface import Principal
from flask_activepieces.integrations.embedding.provisioning import AT_ONCE
from flask_activepieces.integrations.embedding.store import ProvisionedUser
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import ServiceHarness

LOGGER = "flask_activepieces.integrations.embedding.provisioning"


@pytest.fixture(autouse=True)
def real_time(signing: ServiceHarness) -> None:
    """The stand-in has its own clock."""
    signing.clock.now = signing.upstream.state.clock()


def sign_in(harness: ServiceHarness, integration: Integration, principal: Principal) -> ActivepiecesClient:
    """The user opens the builder; returns a client with their session."""
    token = harness.services.embedding.builder(integration, principal).token
    session = harness.platform_client().embedding.exchange(token)
    return ActivepiecesClient(harness.upstream.url, credential=UserToken(session.token))


def members(harness: ServiceHarness, integration: Integration) -> set[str | None]:
    """The external ids of the members of the project."""
    return {member.user.external_id for member in harness.platform_client().members.list(integration.project_id)}


def recorded(harness: ServiceHarness, tenant_id: str | None = None) -> Sequence[ProvisionedUser]:
    return harness.services.embedding.provisioning.list(tenant_id=tenant_id or harness.tenant)


def forget_expired_tokens(harness: ServiceHarness) -> None:
    harness.clock.advance(300 + CLOCK_SKEW)
    assert harness.services.embedding.provisioning.deprovision_due() == ()


# Provisioning


def test_the_first_token_is_recorded_and_later_ones_are_not(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.embedding.builder(integration, ada)
    signing.clock.advance(60)
    signing.services.embedding.builder(integration, ada)

    (user,) = recorded(signing)
    assert (user.user_id, user.project_id, user.removal_due_at) == ("7", integration.project_id, None)
    assert user.token_expires_at == signing.now + 300
    assert signing.event_names == ["user.provisioned"]


def test_a_token_makes_its_user_a_member(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    sign_in(signing, integration, ada)

    assert members(signing, integration) == {f"{signing.tenant}/7"}


# Deprovisioning


def test_removing_a_user_from_a_tenant_removes_the_member_upstream(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    bob = replace(ada, user_id="8")
    session, other = sign_in(signing, integration, ada), sign_in(signing, integration, bob)
    signing.events.clear()

    assert signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant) == 1

    assert members(signing, integration) == {f"{signing.tenant}/8"}
    with pytest.raises(AuthenticationFailed):
        session.projects.list()
    assert len(other.projects.list()) == 1
    (event,) = signing.events
    assert (event.name, event.tenant_id, event.user_id) == ("user.deprovisioned", signing.tenant, "7")


def test_a_user_can_be_removed_from_one_tenant_or_from_all(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    other = signing.set_up(tenant_id=f"{signing.tenant}-other")
    sign_in(signing, integration, ada)
    sign_in(signing, other, replace(ada, tenant_id=other.tenant_id))

    signing.services.embedding.end_access(user_id="7", tenant_id=other.tenant_id)
    assert (len(members(signing, integration)), len(members(signing, other))) == (1, 0)

    signing.services.embedding.end_access(user_id="7")
    assert members(signing, integration) == set()


def test_all_users_of_a_tenant_are_removed(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    for user_id in ("7", "8"):
        sign_in(signing, integration, replace(ada, user_id=user_id))

    assert signing.services.embedding.end_access(tenant_id=signing.tenant) == 2

    assert members(signing, integration) == set()


def test_a_user_who_never_used_the_token_is_forgotten(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.embedding.builder(integration, ada)

    signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant)
    forget_expired_tokens(signing)

    assert recorded(signing) == []
    assert signing.event_names == ["user.provisioned"]


def test_attack_a_token_from_before_the_removal_opens_nothing(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    token = signing.services.embedding.builder(integration, ada).token
    signing.platform_client().embedding.exchange(token)
    signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant)

    late = signing.platform_client().embedding.exchange(token)

    client = ActivepiecesClient(signing.upstream.url, credential=UserToken(late.token))
    with pytest.raises(AuthenticationFailed):
        client.flows.list(integration.project_id)
    forget_expired_tokens(signing)
    assert members(signing, integration) == set()
    assert recorded(signing) == []


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_user_may_come_back(
    signing: ServiceHarness, integration: Integration, ada: Principal, is_forgotten: bool
) -> None:
    sign_in(signing, integration, ada)
    signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant)
    if is_forgotten:
        forget_expired_tokens(signing)

    session = sign_in(signing, integration, ada)

    assert [project.id for project in session.projects.list()] == [integration.project_id]
    assert [user.removal_due_at for user in recorded(signing)] == [None]
    forget_expired_tokens(signing)
    assert members(signing, integration) == {f"{signing.tenant}/7"}


def test_a_second_removal_does_nothing(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    sign_in(signing, integration, ada)
    signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant)
    signing.upstream.calls.clear()

    assert signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant) == 0

    assert signing.upstream.calls == []


# Removal of what the users belong to


def test_a_removed_integration_has_no_members(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    sign_in(signing, integration, ada)

    signing.services.integrations.remove(integration, user_id="alice")

    assert members(signing, integration) == set()


def test_the_user_of_the_apps_own_calls_is_removed_with_the_integration(
    signing: ServiceHarness, integration: Integration
) -> None:
    signing.services.mcp.get(integration)
    assert members(signing, integration) == {f"flask-activepieces-{integration.id}"}

    signing.services.integrations.remove(integration, user_id="alice")

    assert members(signing, integration) == set()
    forget_expired_tokens(signing)
    assert recorded(signing) == []


def test_a_disabled_integration_has_no_members_until_it_is_enabled(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    sign_in(signing, integration, ada)

    signing.services.integrations.update(integration, enabled=False, user_id="alice")
    assert members(signing, integration) == set()

    signing.services.integrations.update(integration, enabled=True, user_id="alice")
    assert len(sign_in(signing, integration, ada).projects.list()) == 1


def test_another_project_has_other_members(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    sign_in(signing, integration, ada)
    moved = signing.api_key_setup()

    signing.set_up(**moved)

    assert members(signing, integration) == set()


def test_a_removed_tenant_has_no_members(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    sign_in(signing, integration, ada)

    signing.services.tenant_removal.remove(signing.tenant)

    assert members(signing, integration) == set()


def test_a_project_that_was_deleted_is_no_obstacle(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    sign_in(signing, integration, ada)
    signing.platform_client().projects.delete(integration.project_id)

    signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant)
    forget_expired_tokens(signing)

    assert recorded(signing) == []


# Trouble


def test_an_unreachable_activepieces_delays_the_removal(
    signing: ServiceHarness, integration: Integration, ada: Principal, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(signing, integration, ada)
    signing.upstream.faults.fail("GET", "/users", 503, times=None)

    assert signing.services.embedding.end_access(user_id="7", tenant_id=signing.tenant) == 1

    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.getMessage().startswith("1 user of the embedded builder could not be removed")
    assert members(signing, integration) == {f"{signing.tenant}/7"}
    signing.upstream.faults.clear()
    assert signing.services.embedding.provisioning.deprovision_due() == ()
    assert members(signing, integration) == set()


def test_if_no_call_succeeds_the_others_wait(
    signing: ServiceHarness, integration: Integration, ada: Principal, caplog: pytest.LogCaptureFixture
) -> None:
    for user_id in ("7", "8", "9"):
        sign_in(signing, integration, replace(ada, user_id=user_id))
    signing.upstream.faults.fail("GET", "/users", 401, times=None)

    signing.services.embedding.end_access(tenant_id=signing.tenant)

    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.getMessage().startswith("3 users of the embedded builder could not be removed")
    assert len(signing.services.embedding.provisioning.deprovision_due()) == 3
    signing.upstream.faults.clear()
    assert signing.services.embedding.provisioning.deprovision_due() == ()
    assert members(signing, integration) == set()


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_user_who_cannot_be_removed_does_not_keep_the_others(
    signing: ServiceHarness, integration: Integration, ada: Principal, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    for user_id in ("7", "8", "9"):
        sign_in(signing, integration, replace(ada, user_id=user_id))
    signing.upstream.faults.fail("GET", "/users", status)  # once

    signing.services.embedding.end_access(tenant_id=signing.tenant)

    (left,) = members(signing, integration)
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.getMessage().startswith("1 user of the embedded builder could not be removed")
    assert [user.external_id for user in recorded(signing) if user.removal_due_at == signing.now] == [left]
    assert signing.services.embedding.provisioning.deprovision_due() == ()
    assert members(signing, integration) == set()


def test_a_backlog_does_not_delay_the_user_who_is_removed_now(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    for number in range(AT_ONCE):
        sign_in(signing, integration, replace(ada, user_id=str(number)))
    late = replace(ada, user_id="late")
    sign_in(signing, integration, late)
    signing.upstream.faults.fail("GET", "/users", 503, times=None)
    for number in range(AT_ONCE):
        signing.services.embedding.end_access(user_id=str(number), tenant_id=signing.tenant)
    signing.upstream.faults.clear()
    signing.clock.advance(60)

    signing.services.embedding.end_access(user_id="late", tenant_id=signing.tenant)

    assert f"{signing.tenant}/late" not in members(signing, integration)


def test_a_user_who_is_let_in_while_activepieces_fails_gets_no_token(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    """Otherwise the token would open the session of an inactive user."""
    signing.upstream.faults.fail("GET", "/users", 500, times=None)

    with pytest.raises(ApiError):
        signing.services.embedding.builder(integration, ada)

    assert recorded(signing) == []


def test_a_request_removes_a_few_users_and_the_job_the_others(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.embedding.provisioning.deprovision_due()  # whom other tests left
    for number in range(AT_ONCE + 2):
        sign_in(signing, integration, replace(ada, user_id=str(number)))

    signing.services.embedding.end_access(tenant_id=signing.tenant)
    assert len(members(signing, integration)) == 2

    signing.services.embedding.provisioning.deprovision_due()
    assert members(signing, integration) == set()


# The job


def ended(harness: ServiceHarness) -> list[str | None]:
    """The users of the tenant whose access the job ends; it also removes them."""
    users = harness.services.embedding.provisioning.end_lost_access()
    assert harness.services.embedding.provisioning.deprovision_due() == ()
    return [user.user_id for user in users if user.tenant_id == harness.tenant]


def test_users_whom_the_app_no_longer_has_are_found(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    sign_in(signing, integration, ada)
    sign_in(signing, integration, replace(ada, user_id="gone"))
    signing.host.removed = {"gone"}

    assert ended(signing) == ["gone"]

    assert members(signing, integration) == {f"{signing.tenant}/7"}
    assert ended(signing) == []


def test_users_without_permission_lose_their_access(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    session = sign_in(signing, integration, ada)
    signing.host.permissions = ()

    assert ended(signing) == ["7"]

    assert members(signing, integration) == set()
    with pytest.raises(AuthenticationFailed):
        session.projects.list()


def test_users_who_may_only_look_lose_the_session_of_an_editor(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    session = sign_in(signing, integration, ada)
    signing.host.permissions = ("view",)

    assert ended(signing) == ["7"]
    with pytest.raises(AuthenticationFailed):
        session.projects.list()

    sign_in(signing, integration, ada)
    (member,) = signing.platform_client().members.list(integration.project_id)
    assert member.project_role.name == "Viewer"
    assert ended(signing) == []


def test_more_permissions_end_nothing(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    signing.host.permissions = ("view",)
    sign_in(signing, integration, ada)
    signing.host.permissions = ("view", "edit")

    assert ended(signing) == []


def test_users_who_became_editors_lose_the_session_with_the_permission(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.host.permissions = ("view",)
    sign_in(signing, integration, ada)
    signing.host.permissions = ("view", "edit")
    session = sign_in(signing, integration, ada)
    signing.host.permissions = ("view",)

    assert ended(signing) == ["7"]

    assert members(signing, integration) == set()
    with pytest.raises(AuthenticationFailed):
        session.projects.list()


def test_attack_a_token_of_a_viewer_that_is_not_used_does_not_keep_an_editor(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    session = sign_in(signing, integration, ada)
    signing.host.permissions = ("view",)
    signing.services.embedding.builder(integration, ada)

    assert ended(signing) == ["7"]
    with pytest.raises(AuthenticationFailed):
        session.projects.list()


def test_a_role_that_the_app_chooses_later_does_not_hide_the_permission(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    sign_in(signing, integration, ada)
    signing.services.embedding.builder(integration, ada, role="Viewer")
    signing.host.permissions = ()

    assert ended(signing) == ["7"]


def test_a_permission_counts_after_a_role_that_the_app_chose(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.embedding.builder(integration, ada, role="Viewer")
    sign_in(signing, integration, ada)
    signing.host.permissions = ("view",)

    assert ended(signing) == ["7"]


def test_a_role_that_the_app_chose_does_not_depend_on_permissions(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.embedding.builder(integration, ada, role="Viewer")
    signing.host.permissions = ()

    assert ended(signing) == []


def test_the_user_of_the_apps_own_calls_keeps_access(signing: ServiceHarness, integration: Integration) -> None:
    signing.services.mcp.get(integration)
    signing.host.permissions = ()

    assert ended(signing) == []
    assert members(signing, integration) == {f"flask-activepieces-{integration.id}"}
