"""Sign-in at a third party: a state works once, and only for the user and browser that start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flask_activepieces.api_client.errors import CodeExchangeFailed
from flask_activepieces.api_client.resources.connection_values import OAuth2
from flask_activepieces.api_client.resources.connections import Connection, ConnectionDraft
from flask_activepieces.config.settings import ThirdPartyApp
from flask_activepieces.crypto.keyring import Encryptor
from flask_activepieces.errors import AuthorizationDeclined, InvalidInput, NotFound, SignatureError, SignatureExpired
from flask_activepieces.host.interface import Principal
from flask_activepieces.integrations.credentials import Credentials
from flask_activepieces.integrations.sign_in.pending import LIFETIME, MAX_STATE_LENGTH, PURPOSE
from flask_activepieces.integrations.sign_in.piece_auth import s256_challenge
from flask_activepieces.integrations.sign_in.third_party import AuthorizationRedirect, AuthorizationStart
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import SECRET_PIECE, ServiceHarness
from tests.support.standin import standin
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint
from tests.unit.integrations.conftest import CHAT_PIECE

CALLBACK = "https://registered.example.com/api/integration/activepieces/oauth2/callback"
SECRET = "the-secret-of-our-app-at-the-chat-service"


@pytest.fixture
def chat() -> Iterator[TokenEndpoint]:
    """The token endpoint of the chat service."""
    with token_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def registered(harness: ServiceHarness) -> ServiceHarness:
    """An app with a third-party app at the chat service; its tenants use the app's key."""
    return harness.with_app_key(third_party_apps={CHAT_PIECE: ThirdPartyApp("our-client", SECRET)})


@pytest.fixture
def integration(registered: ServiceHarness) -> Integration:
    return registered.set_up(organization_id=None)


def alice(registered: ServiceHarness) -> Principal:
    return Principal("alice", registered.tenant, "Alice")


def start(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint | None = None, **options: Any
) -> AuthorizationRedirect:
    """Start an authorization."""
    port = {"port": chat.url.rpartition(":")[2]} if chat else {"port": "1"}
    arguments = {"piece_name": CHAT_PIECE, "display_name": "Our chat", "props": port} | options
    return registered.services.third_party.start(
        integration, AuthorizationStart(**arguments), user_id="alice", redirect_url=CALLBACK
    )


def query_of(redirect: AuthorizationRedirect) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(redirect.url).query).items()}


def finish(registered: ServiceHarness, redirect: AuthorizationRedirect, **changed: Any) -> Connection:
    arguments: dict[str, Any] = {"nonce": redirect.nonce, "code": "a-code", "principal": alice(registered)}
    state = query_of(redirect)["state"]
    return registered.services.third_party.finish(state, **arguments | changed).connection


def test_a_sign_in_at_the_third_party_creates_a_connection(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    redirect = start(registered, integration, chat)
    sent = query_of(redirect)
    assert redirect.url.startswith("https://chat.example/authorize?")
    assert (sent["client_id"], sent["redirect_uri"]) == ("our-client", CALLBACK)
    assert sent["scope"] == "chat:write users:read"

    made = finish(registered, redirect)

    assert (made.type, made.status, made.display_name) == ("OAUTH2", "ACTIVE", "Our chat")
    assert made.metadata["tenantId"] == registered.tenant
    (request,) = chat.received
    form = {name: value for name, (value,) in parse_qs(request.body).items()}
    assert (form["code"], form["redirect_uri"]) == ("a-code", CALLBACK)
    assert s256_challenge(form["code_verifier"]) == sent["code_challenge"]
    # The piece sends the secret in the header.
    assert "client_secret" not in form
    assert any(name.lower() == "authorization" for name, _ in request.headers)


def test_the_state_reveals_nothing(registered: ServiceHarness, integration: Integration) -> None:
    redirect = start(registered, integration)

    for secret in (SECRET, redirect.nonce, registered.tenant, "alice", CHAT_PIECE, integration.id):
        assert secret not in query_of(redirect)["state"]
    assert redirect.nonce not in redirect.url
    assert redirect.url not in repr(redirect)
    assert redirect.nonce not in repr(redirect)


def test_a_state_works_once(registered: ServiceHarness, integration: Integration, chat: TokenEndpoint) -> None:
    redirect = start(registered, integration, chat)
    finish(registered, redirect)

    with pytest.raises(SignatureError, match="before"):
        finish(registered, redirect, code="another-code")

    assert len(chat.received) == 1


@pytest.mark.parametrize("nonce", [None, "", "another browser's"])
def test_a_state_works_only_in_the_browser_that_started(
    registered: ServiceHarness, integration: Integration, nonce: str | None
) -> None:
    """Otherwise a victim could be made to connect the attacker's account (RFC 6749 §10.12)."""
    with pytest.raises(SignatureError, match="browser"):
        finish(registered, start(registered, integration), nonce=nonce)


def test_a_state_works_only_for_the_user_who_started(registered: ServiceHarness, integration: Integration) -> None:
    redirect = start(registered, integration)

    for other in (replace(alice(registered), user_id="bob"), replace(alice(registered), tenant_id="globex")):
        with pytest.raises(SignatureError, match="another user"):
            finish(registered, redirect, principal=other)


def test_a_user_who_left_the_organization_cannot_finish(registered: ServiceHarness, chat: TokenEndpoint) -> None:
    labs = registered.set_up(organization_id="labs")
    redirect = start(registered, labs, chat)

    with pytest.raises(NotFound):
        finish(registered, redirect)

    assert chat.received == []
    member = replace(alice(registered), organization_id="labs")
    assert finish(registered, redirect, principal=member).status == "ACTIVE"


def test_a_state_works_for_ten_minutes(registered: ServiceHarness, integration: Integration) -> None:
    redirect = start(registered, integration)

    registered.clock.advance(LIFETIME)

    with pytest.raises(SignatureExpired):
        finish(registered, redirect)


@pytest.mark.parametrize("state", ["", "nonsense", "gAAAAABh"])
def test_an_invalid_state_is_rejected(registered: ServiceHarness, state: str) -> None:
    with pytest.raises(SignatureError):
        registered.services.third_party.finish(state, nonce="a", code="b", principal=alice(registered))


def test_declining_at_the_third_party_is_reported(registered: ServiceHarness, integration: Integration) -> None:
    registered.upstream.calls.clear()
    redirect = start(registered, integration)

    with pytest.raises(AuthorizationDeclined) as caught:
        finish(registered, redirect, code=None, error="access_denied", error_description="The user declined.")

    assert (caught.value.error, str(caught.value)) == ("access_denied", "The user declined.")
    assert all(call.method == "GET" for call in registered.upstream.calls)


def test_an_error_together_with_a_code_counts_as_declined(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    with pytest.raises(AuthorizationDeclined, match="access_denied"):
        finish(registered, start(registered, integration, chat), error="access_denied")

    assert chat.received == []


def test_neither_code_nor_error_counts_as_declined(registered: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(AuthorizationDeclined):
        finish(registered, start(registered, integration), code=None)


def test_a_code_that_the_third_party_rejects_creates_no_connection(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    chat.reply_with(Reply({"error": "invalid_grant", "error_description": "Too late."}, 400))

    with pytest.raises(CodeExchangeFailed, match="Too late") as caught:
        finish(registered, start(registered, integration, chat))

    assert not registered.services.connections.list(integration)
    assert SECRET not in str(caught.value)
    assert "a-code" not in str(caught.value)


def test_an_authorization_cannot_finish_after_the_integration_is_removed(
    registered: ServiceHarness, integration: Integration
) -> None:
    redirect = start(registered, integration)
    registered.services.integrations.remove(integration, user_id="alice")

    with pytest.raises(NotFound):
        finish(registered, redirect)


def test_after_a_change_of_the_third_party_app_the_code_is_not_sent(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    redirect = start(registered, integration, chat)
    changed = registered.with_settings(third_party_apps={CHAT_PIECE: ThirdPartyApp("another-client", SECRET)})

    with pytest.raises(SignatureError, match="OAuth client was changed"):
        finish(changed, redirect)

    assert chat.received == []


def test_a_broken_connection_is_renewed(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    made = finish(registered, start(registered, integration, chat))

    redirect = start(registered, integration, chat, piece_name=None, connection_id=made.id)
    renewed = finish(registered, redirect)

    assert (renewed.id, renewed.display_name) == (made.id, "Our chat")


def test_a_connection_created_in_activepieces_is_renewed(registered: ServiceHarness, chat: TokenEndpoint) -> None:
    """It can have any external id."""
    integration = registered.set_up()
    register_platform_app(registered)
    value = OAuth2(client_id="x", client_secret="y", code="c", redirect_url="https://a.example/")
    props = {"port": chat.url.rpartition(":")[2]}
    by_hand = registered.platform_client().connections.upsert(
        ConnectionDraft(
            project_id=integration.project_id,
            external_id="Made by hand",
            display_name="By hand",
            piece_name=CHAT_PIECE,
            value=replace(value, props=props),
        )
    )

    redirect = start(
        registered,
        integration,
        chat,
        piece_name=None,
        connection_id=by_hand.id,
        type="PLATFORM_OAUTH2",
        client_id="the-platforms-client",
    )
    renewed = finish(registered, redirect)

    assert (renewed.id, renewed.external_id) == (by_hand.id, "Made by hand")
    assert len(registered.services.connections.list(integration)) == 1


def test_a_connection_deleted_meanwhile_is_not_created_again(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    made = finish(registered, start(registered, integration, chat))
    redirect = start(registered, integration, chat, piece_name=None, connection_id=made.id)
    registered.services.connections.delete(integration, made.id, user_id="bob")

    with pytest.raises(NotFound):
        finish(registered, redirect)

    assert len(chat.received) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"scope": "PLATFORM"}, "scope PLATFORM"), ({"metadata": {"userId": "bob"}}, "one click")],
    ids=["of the platform", "of a user"],
)
def test_the_error_for_other_connections_names_how_to_renew_them(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint, changed: dict[str, Any], message: str
) -> None:
    made = finish(registered, start(registered, integration, chat))
    metadata = dict(made.metadata) | changed.get("metadata", {})
    fields = changed | {"metadata": metadata}
    registered.upstream.state.store.change("app_connection", made.id, **fields)

    with pytest.raises(InvalidInput, match=message):
        start(registered, integration, chat, piece_name=None, connection_id=made.id)


def test_a_foreign_connection_is_not_renewed(registered: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(NotFound):
        start(registered, integration, piece_name=None, connection_id="x" * 21)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"piece_name": None}, "pieceName"),
        ({"piece_name": SECRET_PIECE}, "pieceName"),
        ({"piece_name": "@activepieces/piece-acme-oauth"}, "pieceName"),
        ({"type": "PLATFORM_OAUTH2"}, "clientId"),
        ({"type": "CLOUD_OAUTH2"}, "clientId"),
        ({"props": {"port": "1@evil.example/"}}, "props"),
    ],
    ids=["none", "no sign-in", "no third-party app", "platform", "cloud", "another host"],
)
def test_the_error_names_the_invalid_field(
    registered: ServiceHarness, integration: Integration, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        start(registered, integration, **options)

    assert list(caught.value.fields) == [field]


def test_the_apps_client_secret_is_not_sent_to_a_tenants_platform(
    registered: ServiceHarness, chat: TokenEndpoint
) -> None:
    """Flow authors there could read the secret, and their pieces could send it anywhere."""
    theirs = registered.set_up()

    with pytest.raises(InvalidInput) as caught:
        start(registered, theirs, chat)

    assert "PLATFORM_OAUTH2" in caught.value.fields["type"]
    assert SECRET not in str(caught.value)


def test_the_third_party_app_is_not_used_after_a_move_to_the_tenants_platform(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    """The tenant sets its own key while its user signs in at the third party."""
    redirect = start(registered, integration, chat)
    registered.services.integrations.update(
        integration,
        credentials=Credentials(api_key=registered.upstream.api_key),
        project_id=registered.new_project(),
        user_id="alice",
    )

    with pytest.raises(SignatureError, match="OAuth client was changed"):
        finish(registered, redirect)

    assert chat.received == []


def test_a_tenants_platform_uses_its_own_oauth_app(registered: ServiceHarness, chat: TokenEndpoint) -> None:
    register_platform_app(registered)
    redirect = start(registered, registered.set_up(), chat, type="PLATFORM_OAUTH2", client_id="the-platforms-client")

    assert finish(registered, redirect).type == "PLATFORM_OAUTH2"


def test_a_state_of_another_version_of_the_app_is_rejected(registered: ServiceHarness) -> None:
    state = Encryptor(registered.settings.secret_keys, PURPOSE).encrypt({"id": "1"}, context="")

    with pytest.raises(SignatureError, match="another version"):
        registered.services.third_party.finish(state, nonce="a", code="b", principal=alice(registered))


def test_props_that_make_the_url_too_long_are_rejected(registered: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(InvalidInput, match="Too long"):
        start(registered, integration, props={"port": "1", "x": "y" * MAX_STATE_LENGTH})


def test_a_third_party_app_may_request_fewer_scopes_than_the_piece(
    registered: ServiceHarness, integration: Integration
) -> None:
    modest = registered.with_settings(
        third_party_apps={CHAT_PIECE: ThirdPartyApp("our-client", SECRET, ("users:read",))}
    )

    assert query_of(start(modest, integration))["scope"] == "users:read"


def test_an_oauth_app_of_the_platform_needs_no_secret_of_ours(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    register_platform_app(registered)
    redirect = start(registered, integration, chat, type="PLATFORM_OAUTH2", client_id="the-platforms-client")

    made = finish(registered, redirect)

    assert made.type == "PLATFORM_OAUTH2"
    assert query_of(redirect)["client_id"] == "the-platforms-client"


def register_platform_app(registered: ServiceHarness) -> None:
    """The platform's administrator registers an OAuth app for the piece."""
    standin(registered.upstream).by_admin().post(
        "/oauth-apps",
        {"pieceName": CHAT_PIECE, "clientId": "the-platforms-client", "clientSecret": "the-platforms-secret"},
    )
