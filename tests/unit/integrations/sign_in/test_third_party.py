"""Signing in at a third party: the state that comes back opens nothing for anybody else, and nothing twice."""

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
from flask_activepieces.integrations.setup.credentials import Credentials
from flask_activepieces.integrations.sign_in.authorization import AuthorizationRedirect, AuthorizationStart
from flask_activepieces.integrations.sign_in.pending import LIFETIME, MAX_STATE_LENGTH, PURPOSE
from flask_activepieces.integrations.sign_in.piece_auth import s256_challenge
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import SECRET_PIECE, ServiceHarness
from tests.support.standin import standin
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint
from tests.unit.integrations.conftest import CHAT_PIECE

CALLBACK = "https://registered.example.com/api/integration/activepieces/oauth2/callback"
SECRET = "the-secret-of-our-app-at-the-chat-service"


@pytest.fixture
def chat() -> Iterator[TokenEndpoint]:
    """Where the chat service sells its tokens."""
    with token_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def registered(harness: ServiceHarness) -> ServiceHarness:
    """An app that is registered at the chat service, and whose tenants are on its own Activepieces."""
    return harness.with_app_key(third_party_apps={CHAT_PIECE: ThirdPartyApp("our-client", SECRET)})


@pytest.fixture
def integration(registered: ServiceHarness) -> Integration:
    return registered.set_up(organization_id=None)


def alice(registered: ServiceHarness) -> Principal:
    return Principal("alice", registered.tenant, "Alice")


def started(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint | None = None, **wanted: Any
) -> AuthorizationRedirect:
    """An authorization that has begun."""
    port = {"port": chat.url.rpartition(":")[2]} if chat else {"port": "1"}
    said = {"piece_name": CHAT_PIECE, "display_name": "Our chat", "props": port} | wanted
    return registered.services.third_party.start(
        integration, AuthorizationStart(**said), user_id="alice", redirect_url=CALLBACK
    )


def asked(begun: AuthorizationRedirect) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(begun.url).query).items()}


def finished(registered: ServiceHarness, begun: AuthorizationRedirect, **changed: Any) -> Connection:
    said: dict[str, Any] = {"nonce": begun.nonce, "code": "a-code", "principal": alice(registered)}
    state = asked(begun)["state"]
    return registered.services.third_party.finish(state, **said | changed).connection


def test_the_user_is_sent_to_the_third_party_and_comes_back_with_a_connection(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    begun = started(registered, integration, chat)
    sent = asked(begun)
    assert begun.url.startswith("https://chat.example/authorize?")
    assert (sent["client_id"], sent["redirect_uri"]) == ("our-client", CALLBACK)
    assert sent["scope"] == "chat:write users:read"

    made = finished(registered, begun)

    assert (made.type, made.status, made.display_name) == ("OAUTH2", "ACTIVE", "Our chat")
    assert made.metadata["tenantId"] == registered.tenant
    (heard,) = chat.received
    form = {name: value for name, (value,) in parse_qs(heard.body).items()}
    assert (form["code"], form["redirect_uri"]) == ("a-code", CALLBACK)
    assert s256_challenge(form["code_verifier"]) == sent["code_challenge"]
    # As the piece wants it: the secret in the header.
    assert "client_secret" not in form
    assert any(name.lower() == "authorization" for name, _ in heard.headers)


def test_the_state_reveals_nothing(registered: ServiceHarness, integration: Integration) -> None:
    begun = started(registered, integration)

    for said in (SECRET, begun.nonce, registered.tenant, "alice", CHAT_PIECE, integration.id):
        assert said not in asked(begun)["state"]
    assert begun.nonce not in begun.url
    assert begun.url not in repr(begun)
    assert begun.nonce not in repr(begun)


def test_a_state_works_once(registered: ServiceHarness, integration: Integration, chat: TokenEndpoint) -> None:
    begun = started(registered, integration, chat)
    finished(registered, begun)

    with pytest.raises(SignatureError, match="before"):
        finished(registered, begun, code="another-code")

    assert len(chat.received) == 1


@pytest.mark.parametrize("nonce", [None, "", "another browser's"])
def test_a_state_works_in_the_browser_that_began(
    registered: ServiceHarness, integration: Integration, nonce: str | None
) -> None:
    """Else somebody could make a victim connect the attacker's account (RFC 6749 §10.12)."""
    with pytest.raises(SignatureError, match="browser"):
        finished(registered, started(registered, integration), nonce=nonce)


def test_a_state_is_valid_for_the_user_who_started(registered: ServiceHarness, integration: Integration) -> None:
    begun = started(registered, integration)

    for other in (replace(alice(registered), user_id="bob"), replace(alice(registered), tenant_id="globex")):
        with pytest.raises(SignatureError, match="another user"):
            finished(registered, begun, principal=other)


def test_a_user_who_left_the_organization_cannot_finish(registered: ServiceHarness, chat: TokenEndpoint) -> None:
    labs = registered.set_up(organization_id="labs")
    begun = started(registered, labs, chat)

    with pytest.raises(NotFound):
        finished(registered, begun)

    assert chat.received == []
    member = replace(alice(registered), organization_id="labs")
    assert finished(registered, begun, principal=member).status == "ACTIVE"


def test_a_state_works_for_ten_minutes(registered: ServiceHarness, integration: Integration) -> None:
    begun = started(registered, integration)

    registered.clock.advance(LIFETIME)

    with pytest.raises(SignatureExpired):
        finished(registered, begun)


@pytest.mark.parametrize("state", ["", "nonsense", "gAAAAABh"])
def test_a_foreign_state_is_refused(registered: ServiceHarness, state: str) -> None:
    with pytest.raises(SignatureError):
        registered.services.third_party.finish(state, nonce="a", code="b", principal=alice(registered))


def test_a_refusal_at_the_third_party_is_reported(registered: ServiceHarness, integration: Integration) -> None:
    registered.upstream.calls.clear()
    begun = started(registered, integration)

    with pytest.raises(AuthorizationDeclined) as caught:
        finished(registered, begun, code=None, error="access_denied", error_description="She said no.")

    assert (caught.value.error, str(caught.value)) == ("access_denied", "She said no.")
    assert all(call.method == "GET" for call in registered.upstream.calls)


def test_a_no_is_a_no_whatever_comes_with_it(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    with pytest.raises(AuthorizationDeclined, match="access_denied"):
        finished(registered, started(registered, integration, chat), error="access_denied")

    assert chat.received == []


def test_neither_code_nor_error_counts_as_declined(registered: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(AuthorizationDeclined):
        finished(registered, started(registered, integration), code=None)


def test_a_code_that_the_third_party_refuses_makes_no_connection(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    chat.reply_with(Reply({"error": "invalid_grant", "error_description": "Too late."}, 400))

    with pytest.raises(CodeExchangeFailed, match="Too late") as caught:
        finished(registered, started(registered, integration, chat))

    assert not registered.services.connections.list(integration)
    assert SECRET not in str(caught.value)
    assert "a-code" not in str(caught.value)


def test_an_authorization_cannot_finish_after_the_integration_is_removed(
    registered: ServiceHarness, integration: Integration
) -> None:
    begun = started(registered, integration)
    registered.services.integrations.remove(integration, user_id="alice")

    with pytest.raises(NotFound):
        finished(registered, begun)


def test_after_the_registration_was_changed_the_code_goes_nowhere(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    begun = started(registered, integration, chat)
    changed = registered.with_settings(third_party_apps={CHAT_PIECE: ThirdPartyApp("another-client", SECRET)})

    with pytest.raises(SignatureError, match="OAuth client was changed"):
        finished(changed, begun)

    assert chat.received == []


def test_a_broken_connection_is_renewed_in_its_place(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    made = finished(registered, started(registered, integration, chat))

    begun = started(registered, integration, chat, piece_name=None, connection_id=made.id)
    renewed = finished(registered, begun)

    assert (renewed.id, renewed.display_name) == (made.id, "Our chat")


def test_a_connection_that_was_made_in_activepieces_is_renewed_in_its_place(
    registered: ServiceHarness, chat: TokenEndpoint
) -> None:
    """Whatever external id it has."""
    integration = registered.set_up()
    has_an_app_of_its_own(registered)
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

    begun = started(
        registered,
        integration,
        chat,
        piece_name=None,
        connection_id=by_hand.id,
        type="PLATFORM_OAUTH2",
        client_id="the-platforms-client",
    )
    renewed = finished(registered, begun)

    assert (renewed.id, renewed.external_id) == (by_hand.id, "Made by hand")
    assert len(registered.services.connections.list(integration)) == 1


def test_a_connection_deleted_meanwhile_is_not_created_again(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    made = finished(registered, started(registered, integration, chat))
    begun = started(registered, integration, chat, piece_name=None, connection_id=made.id)
    registered.services.connections.delete(integration, made.id, user_id="bob")

    with pytest.raises(NotFound):
        finished(registered, begun)

    assert len(chat.received) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"scope": "PLATFORM"}, "scope PLATFORM"), ({"metadata": {"userId": "bob"}}, "one click")],
    ids=["of the platform", "of a user"],
)
def test_the_error_names_the_other_way_to_renew(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint, changed: dict[str, Any], words: str
) -> None:
    made = finished(registered, started(registered, integration, chat))
    metadata = dict(made.metadata) | changed.get("metadata", {})
    now_it_is = changed | {"metadata": metadata}
    registered.upstream.state.store.change("app_connection", made.id, **now_it_is)

    with pytest.raises(InvalidInput, match=words):
        started(registered, integration, chat, piece_name=None, connection_id=made.id)


def test_a_foreign_connection_is_not_renewed(registered: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(NotFound):
        started(registered, integration, piece_name=None, connection_id="x" * 21)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"piece_name": None}, "pieceName"),
        ({"piece_name": SECRET_PIECE}, "pieceName"),
        ({"piece_name": "@activepieces/piece-acme-oauth"}, "pieceName"),
        ({"type": "PLATFORM_OAUTH2"}, "clientId"),
        ({"type": "CLOUD_OAUTH2"}, "clientId"),
        ({"props": {"port": "1@evil.example/"}}, "props"),
    ],
    ids=["none", "no sign-in", "no app of ours", "platform", "cloud", "another address"],
)
def test_the_error_says_why_an_authorization_cannot_start(
    registered: ServiceHarness, integration: Integration, wanted: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        started(registered, integration, **wanted)

    assert list(caught.value.fields) == [field]


def test_the_apps_client_secret_is_not_sent_to_a_tenants_platform(
    registered: ServiceHarness, chat: TokenEndpoint
) -> None:
    """Who writes flows there could print its secret, and a piece of theirs says where it is sent."""
    theirs = registered.set_up()

    with pytest.raises(InvalidInput) as caught:
        started(registered, theirs, chat)

    assert "PLATFORM_OAUTH2" in caught.value.fields["type"]
    assert SECRET not in str(caught.value)


def test_the_apps_registration_does_not_follow_to_a_platform_of_a_tenant(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    """The tenant brings a key of its own while its user is away to sign in."""
    begun = started(registered, integration, chat)
    registered.services.integrations.update(
        integration,
        credentials=Credentials(api_key=registered.upstream.api_key),
        project_id=registered.new_project(),
        user_id="alice",
    )

    with pytest.raises(SignatureError, match="OAuth client was changed"):
        finished(registered, begun)

    assert chat.received == []


def test_a_tenants_platform_uses_its_own_registration(registered: ServiceHarness, chat: TokenEndpoint) -> None:
    has_an_app_of_its_own(registered)
    begun = started(registered, registered.set_up(), chat, type="PLATFORM_OAUTH2", client_id="the-platforms-client")

    assert finished(registered, begun).type == "PLATFORM_OAUTH2"


def test_a_state_of_another_version_of_the_app_is_refused(registered: ServiceHarness) -> None:
    state = Encryptor(registered.settings.secret_keys, PURPOSE).encrypt({"id": "1"}, context="")

    with pytest.raises(SignatureError, match="another version"):
        registered.services.third_party.finish(state, nonce="a", code="b", principal=alice(registered))


def test_props_that_make_the_url_too_long_are_refused_at_the_start(
    registered: ServiceHarness, integration: Integration
) -> None:
    with pytest.raises(InvalidInput, match="Too long"):
        started(registered, integration, props={"port": "1", "x": "y" * MAX_STATE_LENGTH})


def test_an_app_may_ask_for_less_than_the_piece(registered: ServiceHarness, integration: Integration) -> None:
    modest = registered.with_settings(
        third_party_apps={CHAT_PIECE: ThirdPartyApp("our-client", SECRET, ("users:read",))}
    )

    assert asked(started(modest, integration))["scope"] == "users:read"


def test_the_platforms_own_registration_needs_no_secret_of_ours(
    registered: ServiceHarness, integration: Integration, chat: TokenEndpoint
) -> None:
    has_an_app_of_its_own(registered)
    begun = started(registered, integration, chat, type="PLATFORM_OAUTH2", client_id="the-platforms-client")

    made = finished(registered, begun)

    assert made.type == "PLATFORM_OAUTH2"
    assert asked(begun)["client_id"] == "the-platforms-client"


def has_an_app_of_its_own(registered: ServiceHarness) -> None:
    """The platform's administrator registers an OAuth app for the piece."""
    standin(registered.upstream).by_admin().post(
        "/oauth-apps",
        {"pieceName": CHAT_PIECE, "clientId": "the-platforms-client", "clientSecret": "the-platforms-secret"},
    )
