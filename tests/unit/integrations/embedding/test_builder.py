"""Tokens for the embedded builder: claim by claim, and for nothing but the project of the integration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import UserToken
from flask_activepieces.api_client.errors import CallNotSupported
from flask_activepieces.api_client.resources.embedding import EmbeddedSession
from flask_activepieces.errors import IntegrationDisabled, InvalidInput, NotFound, SetupError
from flask_activepieces.host.interface import Permission, Principal
from flask_activepieces.integrations.embedding.builder import EmbeddedBuilder
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import ServiceHarness


def opened(harness: ServiceHarness, builder: EmbeddedBuilder) -> jwt.Token:
    """The token, whose signature was verified with the key that the platform has."""
    row = harness.upstream.state.store.get("signing_key", harness.settings.signing_key_id)
    assert row is not None
    return jwt.decode(builder.token, RSAKey.import_key(row["publicKey"]), algorithms=["RS256"])


def exchange(harness: ServiceHarness, builder: EmbeddedBuilder) -> EmbeddedSession:
    return harness.platform_client().embedding.exchange(builder.token)


def client_of(harness: ServiceHarness, session: EmbeddedSession) -> ActivepiecesClient:
    return ActivepiecesClient(harness.upstream.url, credential=UserToken(session.token))


def builder_of(
    harness: ServiceHarness, integration: Integration, principal: Principal, **options: Any
) -> EmbeddedBuilder:
    return harness.services.embedding.builder(integration, principal, **options)


# The token


def test_the_token_is_the_contract_claim_by_claim(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    token = opened(signing, builder_of(signing, integration, ada))

    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": signing.settings.signing_key_id}
    assert token.claims == {
        "version": "v4",
        "externalUserId": f"{signing.tenant}/7",
        "externalProjectId": signing.tenant,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "role": "Editor",
        "iat": signing.now,
        "exp": signing.now + 300,
    }


def test_a_piece_set_is_a_claim_of_version_4(signing: ServiceHarness, ada: Principal) -> None:
    with_set = signing.with_settings(piece_set="crm-only")
    integration = with_set.set_up(tenant_id=with_set.tenant)

    claims = opened(with_set, builder_of(with_set, integration, ada)).claims

    assert (claims["version"], claims["pieceSet"]) == ("v4", "crm-only")
    assert not {"piecesFilterType", "piecesTags"} & claims.keys()


def test_tags_are_claims_of_version_3(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    claims = opened(signing, builder_of(signing, integration, ada, piece_tags=["crm", "free"])).claims

    assert claims["version"] == "v3"
    assert (claims["piecesFilterType"], claims["piecesTags"]) == ("ALLOWED", ["crm", "free"])
    assert "pieceSet" not in claims


def test_the_token_is_not_shown(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    builder = builder_of(signing, integration, ada)

    assert builder.token not in repr(builder)


def test_the_builder_has_the_addresses_for_a_page(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    builder = builder_of(signing, integration, ada)

    assert (builder.instance_url, builder.frame_origin) == (signing.upstream.url, signing.upstream.url)
    assert builder.sdk_url == "https://cdn.activepieces.com/sdk/embed/0.8.1.js"
    assert builder.script_origin == "https://cdn.activepieces.com"
    assert builder.expires_at == signing.now + 300


# The session


@pytest.fixture
def real_time(signing: ServiceHarness) -> None:
    """The stand-in has its own clock."""
    signing.clock.now = signing.upstream.state.clock()


@pytest.mark.usefixtures("real_time")
def test_the_session_is_in_the_project_of_the_integration(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    session = exchange(signing, builder_of(signing, integration, ada))

    assert session.project_id == integration.project_id
    assert (session.first_name, session.last_name) == ("Ada", "Lovelace")
    assert [project.id for project in client_of(signing, session).projects.list()] == [integration.project_id]


@pytest.mark.usefixtures("real_time")
def test_attack_a_user_of_two_tenants_sees_one_tenant_in_each_session(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    other = signing.set_up(tenant_id=f"{signing.tenant}-other")
    exchange(signing, builder_of(signing, integration, ada))

    session = exchange(signing, builder_of(signing, other, replace(ada, tenant_id=other.tenant_id)))

    assert [project.id for project in client_of(signing, session).projects.list()] == [other.project_id]


@pytest.mark.usefixtures("real_time")
def test_an_organization_has_a_project_of_its_own(signing: ServiceHarness, ada: Principal) -> None:
    labs = signing.set_up(tenant_id=signing.tenant, organization_id="labs")

    assert exchange(signing, builder_of(signing, labs, ada)).project_id == labs.project_id


# Roles


@pytest.mark.parametrize(("permissions", "role"), [(("view",), "Viewer"), (("view", "edit", "admin"), "Editor")])
def test_the_role_follows_from_what_the_host_allows(
    signing: ServiceHarness, integration: Integration, ada: Principal, permissions: tuple[Permission, ...], role: str
) -> None:
    signing.host.permissions = permissions

    assert opened(signing, builder_of(signing, integration, ada)).claims["role"] == role


def test_a_user_without_permission_is_refused(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.host.permissions = ()

    with pytest.raises(NotFound):
        builder_of(signing, integration, ada)

    assert signing.services.embedding.provisioning.list(tenant_id=signing.tenant) == []


def test_the_app_may_choose_the_role(signing: ServiceHarness, integration: Integration, ada: Principal) -> None:
    assert opened(signing, builder_of(signing, integration, ada, role="Admin")).claims["role"] == "Admin"


def test_attack_a_user_of_another_tenant_is_refused(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    with pytest.raises(NotFound):
        builder_of(signing, integration, replace(ada, tenant_id="another"))


# What cannot be embedded


def test_without_a_signing_key_the_remedy_is_named(signing: ServiceHarness, ada: Principal) -> None:
    without = signing.with_settings(signing_key=None)
    integration = without.set_up(tenant_id=without.tenant)

    with pytest.raises(CallNotSupported, match="set up a signing key"):
        builder_of(without, integration, ada)


def test_attack_a_project_that_tenants_share_is_not_embedded(signing: ServiceHarness, ada: Principal) -> None:
    shared = signing.with_settings(project_id=signing.new_project())
    integration = shared.set_up(tenant_id=shared.tenant)

    with pytest.raises(CallNotSupported, match="would see the flows of others"):
        builder_of(shared, integration, ada)


def test_without_the_apps_own_key_no_one_is_let_in(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    """Because no one could be removed again."""
    without = signing.with_settings(api_key=None)

    with pytest.raises(IntegrationDisabled):
        builder_of(without, integration, ada)


def test_a_disabled_integration_is_not_embedded(
    signing: ServiceHarness, integration: Integration, ada: Principal
) -> None:
    signing.services.integrations.update(integration, enabled=False, user_id="alice")

    with pytest.raises(IntegrationDisabled):
        builder_of(signing, integration, ada)


def test_a_project_on_a_platform_of_the_tenant_is_not_embedded(signing: ServiceHarness, ada: Principal) -> None:
    theirs = signing.set_up(**signing.api_key_setup())

    with pytest.raises(CallNotSupported, match="does not belong to the platform with the signing key"):
        builder_of(signing, theirs, ada)


def test_a_key_of_the_tenant_for_the_projects_of_the_app_is_no_obstacle(
    signing: ServiceHarness, ada: Principal
) -> None:
    project_id = signing.new_project(external_id=signing.tenant)
    own_key = signing.set_up(api_key=signing.upstream.api_key, project_id=project_id)

    claims = opened(signing, builder_of(signing, own_key, ada)).claims

    assert claims["externalProjectId"] == signing.tenant


def test_another_server_is_not_embedded(signing: ServiceHarness, ada: Principal) -> None:
    other = signing.upstream.url.replace("127.0.0.1", "localhost")
    there = signing.with_settings(allowed_base_urls=(other,))
    integration = there.set_up(base_url=other, **there.api_key_setup())

    with pytest.raises(CallNotSupported, match="server is not the one with the signing key"):
        builder_of(there, integration, ada)


# Origins


def test_the_sites_of_the_public_url_may_embed_the_builder(signing: ServiceHarness) -> None:
    assert "https://app.example.com" in signing.services.embedding.allow_origins()


def test_other_sites_may_be_added(signing: ServiceHarness) -> None:
    allowed = signing.services.embedding.allow_origins(["https://one.example.com", "http://localhost:5000"])

    assert {"https://one.example.com", "http://localhost:5000"} <= set(allowed)


@pytest.mark.parametrize("url", ["https://app.example.com/", "https://app.example.com/crm", "app.example.com", ""])
def test_what_activepieces_would_ignore_is_refused(signing: ServiceHarness, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        signing.services.embedding.allow_origins([url])

    assert "is not an origin" in caught.value.fields["origins"]


def test_without_a_public_url_an_origin_must_be_named(signing: ServiceHarness) -> None:
    with pytest.raises(SetupError, match="ACTIVEPIECES_PUBLIC_URL"):
        signing.with_settings(public_url=None).services.embedding.allow_origins()
