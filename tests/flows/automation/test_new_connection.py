"""Adding and reconnecting connections: the form follows the piece, or the user signs in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import request
from flask_babel import Babel

from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from tests.conftest import MakeApp
from tests.flows.automation.test_connections import names_on, save
from tests.support.acme import acme_pieces
from tests.support.api_user import OWN_PIECE, PIECE
from tests.support.automation import AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.live import serving
from tests.support.pages import Page
from tests.support.standin import standin
from tests.support.storage import row_counts, rows_of
from tests.support.token_endpoint import Reply, TokenEndpoint

ADD = "/connections/add"
BASIC = "@activepieces/piece-acme-basic"
SLACK = "@activepieces/piece-acme-oauth"
TENANT_OAUTH = "@activepieces/piece-acme-oauth-tenant"
EVERY_FIELD = "@acme/piece-every-field"
CREDENTIALS_ONLY = "@acme/piece-client-credentials"
DEFAULTS = "@acme/piece-defaults"

INSTRUCTIONS = """
### Where to find it

1. Go to [Settings](https://acme.test/settings?tab=api&new=1).
2. Click on **Create key**, and enter this as the address:
   ```text
   {{redirectUrl}}
   ```
3. Copy the *key*. It begins with `sk_`.

**Note:** keys end after a year. [Run](javascript:alert(1)) <b>no</b> HTML.
"""


def every_field() -> StandinPiece:
    """A piece with a field of each kind that a form can show."""

    def prop(kind: str, title: str, *, required: bool = True, **more: object) -> dict[str, object]:
        return {"type": kind, "displayName": title, "required": required, **more}

    sizes = [{"label": "Small", "value": 1}, {"label": "Large", "value": {"x": 2}}]
    return StandinPiece(
        EVERY_FIELD,
        display_name="Every field",
        auth={
            "type": "CUSTOM_AUTH",
            "displayName": "Every field",
            "required": True,
            "description": INSTRUCTIONS,
            "props": {
                "text": prop("SHORT_TEXT", "Text"),
                "long": prop("LONG_TEXT", "Long text", required=False),
                "secret": prop("SECRET_TEXT", "Secret"),
                "number": prop("NUMBER", "Number", required=False, description="At most `100`."),
                "flag": prop(
                    "CHECKBOX", "Flag", required=False, description="See the [manual](https://acme.test/flag)."
                ),
                "note": prop(
                    "MARKDOWN", "Note", required=False, description="**Read** [this](https://acme.test/note)"
                ),
                "size": prop("STATIC_DROPDOWN", "Size", options={"disabled": False, "options": sizes}),
                "colors": prop(
                    "STATIC_MULTI_SELECT_DROPDOWN",
                    "Colors",
                    required=False,
                    options={"options": [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}]},
                ),
            },
        },
    )


def with_defaults() -> StandinPiece:
    """A piece that suggests values."""

    def prop(kind: str, default: object, **more: object) -> dict[str, object]:
        return {"type": kind, "displayName": kind, "required": False, "defaultValue": default, **more}

    options = {"options": [{"label": name, "value": {"id": name}} for name in ("Red", "Green", "Blue")]}
    props = {
        "text": prop("SHORT_TEXT", "https://acme.test"),
        "number": prop("NUMBER", 0),
        "flag": prop("CHECKBOX", True),
        "color": prop("STATIC_DROPDOWN", {"id": "Green"}, options=options),
        "colors": prop("STATIC_MULTI_SELECT_DROPDOWN", [{"id": "Red"}, {"id": "Blue"}], options=options),
        "secret": prop("SECRET_TEXT", "a-known-secret"),
    }
    auth = {"type": "CUSTOM_AUTH", "displayName": "Defaults", "required": True, "props": props}
    return StandinPiece(DEFAULTS, display_name="Defaults", auth=auth)


def client_credentials(site: str) -> StandinPiece:
    """A piece that signs in with a client of its own, without a user."""
    auth = {
        "type": "OAUTH2",
        "displayName": "Client",
        "required": True,
        "authUrl": f"{site}/authorize",
        "tokenUrl": f"{site}/oauth/token",
        "scope": ["read"],
        "grantType": "client_credentials",
    }
    return StandinPiece(CREDENTIALS_ONLY, display_name="Machines", auth=auth)


@pytest.fixture(scope="module")
def listening_server(listening_acme: TokenEndpoint) -> Iterator[ActivepiecesServer]:
    pieces = [
        *acme_pieces(listening_acme.url),
        OWN_PIECE,
        every_field(),
        with_defaults(),
        client_credentials(listening_acme.url),
    ]
    with ActivepiecesServer(pieces=pieces, validates_values=True) as server:
        yield server


def value_of(server: ActivepiecesServer, name: str) -> dict[str, Any]:
    """The value of a connection as its piece gets it."""
    path = f"/app-connections?projectId={server.project_id}&limit=1000"
    (found,) = [each for each in standin(server).get(path)["data"] if each["displayName"] == name]
    value: dict[str, Any] = server.read_connection_as_piece(found["externalId"])["value"]
    return value


def form_page(person: AreaUser, piece: str) -> Page:
    return person.visits(ADD, piece=piece)


# Choosing a service


def test_services_that_need_a_connection_are_offered(admin: AreaUser) -> None:
    page = admin.visits("/connections/services")

    assert "Acme Secret" in page.links
    assert "Acme None" not in page.links


def test_services_are_searched(admin: AreaUser) -> None:
    page = admin.visits("/connections/services", search="basic")

    assert "Acme Basic" in page.links
    assert "Acme Secret" not in page.links
    assert "Nothing found" in admin.visits("/connections/services", search="zzz").text


def test_an_unknown_service_is_not_found(admin: AreaUser) -> None:
    page = admin.visits(ADD, piece="@activepieces/piece-unknown")

    assert page.status == 404
    assert "Activepieces does not have this any more." in page.text


# The form


def test_a_secret_is_saved(admin: AreaUser, server: ActivepiecesServer) -> None:
    form = form_page(admin, PIECE).form("external_id")

    page = admin.submits(form, **{"name": "Our key", "field-0": "ok-secret"})

    assert "The connection was saved, and works." in page.text
    assert value_of(server, "Our key")["secret_text"] == "ok-secret"
    assert "ok-secret" not in page.response.text


def test_the_description_of_the_piece_is_shown_to_its_last_character(admin: AreaUser) -> None:
    assert "starts with ok- Name" in form_page(admin, PIECE).text


def test_the_words_of_the_piece_say_what_is_wrong(admin: AreaUser, server: ActivepiecesServer) -> None:
    form = form_page(admin, PIECE).form("external_id")

    page = admin.submits(form, **{"name": "Our key", "field-0": "bad-secret"})

    assert page.status == 422
    assert "The service does not accept this: API key must start with ok-" in page.text
    assert "bad-secret" not in page.response.text
    assert page.form("external_id").values["name"] == "Our key"
    assert names_on(server) == []


def test_user_name_and_password_are_saved(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = form_page(admin, BASIC)
    assert "User name Password" in page.text

    admin.submits(page.form("external_id"), **{"name": "Basic", "field-0": "ada", "field-1": " pass word "})

    value = value_of(server, "Basic")
    assert (value["username"], value["password"]) == ("ada", " pass word ")


def test_every_kind_of_field_is_sent_as_its_piece_expects(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = form_page(admin, EVERY_FIELD)
    assert "Read this" in page.text
    entered = {"0": "a text", "1": "two\r\nlines", "2": "hush", "3": "2.5", "4": "1", "6": "1", "7": ["0", "1"]}

    admin.submits(page.form("external_id"), name="Every", **{f"field-{key}": each for key, each in entered.items()})

    assert value_of(server, "Every")["props"] == {
        "text": "a text",
        "long": "two\r\nlines",
        "secret": "hush",
        "number": 2.5,
        "flag": True,
        "size": {"x": 2},
        "colors": ["r", "b"],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"field-0": ""}, "Text: This is required."),
        ({"field-2": ""}, "Secret: This is required."),
        ({"field-6": ""}, "Size: This is required."),
        ({"field-6": "2"}, "Size: Choose one of the options."),
        ({"field-6": "x"}, "Size: Choose one of the options."),
        ({"field-3": "many"}, "Number: Enter a number."),
        ({"field-3": "nan"}, "Number: Enter a number."),
        ({"field-3": "1e999"}, "Number: Enter a number."),
        ({"field-3": "9" * 5000}, "Number: Enter a number."),
        ({"field-6": "9" * 5000}, "Size: Choose one of the options."),
        ({"name": ""}, "Name: Enter a name of one line."),
    ],
)
def test_a_field_that_is_wrong_is_named(
    admin: AreaUser, server: ActivepiecesServer, changes: dict[str, str], message: str
) -> None:
    entered = {"name": "Every", "field-0": "a text", "field-2": "hush-hush", "field-6": "0"}

    page = admin.submits(form_page(admin, EVERY_FIELD).form("external_id"), **(entered | changes))

    assert page.status == 422
    assert message in page.text
    assert "hush-hush" not in page.response.text
    assert names_on(server) == []


def test_pages_call_the_service_as_its_piece_does(admin: AreaUser, server: ActivepiecesServer) -> None:
    entered = {"name": "Ours", "field-0": "a text", "field-2": "hush", "field-6": "0"}
    admin.submits(form_page(admin, EVERY_FIELD).form("external_id"), **entered)
    # It was made in Activepieces, which stores no title with it.
    theirs = server.add_connection(EVERY_FIELD, {"type": "CUSTOM_AUTH", "props": {}})
    save(admin, "Our key")
    server.calls.clear()

    listed = admin.visits("/connections")

    assert len(server.calls) == 1
    assert "Ours Works Every field" in listed.text
    assert f"{theirs} Works Every field" in listed.text
    assert "Every Field" not in listed.text
    assert ("option", {"value": EVERY_FIELD}) in listed.tags
    assert "Service Every field" in admin.sees(listed.links["Ours"]).text


def test_a_form_that_is_sent_twice_makes_one_connection(admin: AreaUser, server: ActivepiecesServer) -> None:
    form = form_page(admin, PIECE).form("external_id")

    for _ in range(2):
        admin.submits(form, **{"name": "Our key", "field-0": "ok-secret"})

    assert names_on(server) == ["Our key"]


def test_a_second_connection_of_the_same_name_replaces_nothing(admin: AreaUser, server: ActivepiecesServer) -> None:
    for secret in ("ok-one", "ok-two"):
        admin.submits(form_page(admin, PIECE).form("external_id"), **{"name": "Our key", "field-0": secret})

    assert names_on(server) == ["Our key", "Our key"]


def test_a_piece_for_machines_asks_for_a_client(
    admin: AreaUser, server: ActivepiecesServer, acme: TokenEndpoint
) -> None:
    acme.reply_with(Reply({"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600}))
    page = form_page(admin, CREDENTIALS_ONLY)
    assert "Client ID" in page.text

    page = admin.submits(page.form("external_id"), **{"name": "Robot", "field-0": "our-id", "field-1": "our-secret"})

    assert "The connection was saved, and works." in page.text
    assert "grant_type=client_credentials" in acme.received[-1].body


def test_a_sign_in_that_only_activepieces_can_do_leads_there(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = form_page(admin, SLACK)

    assert page.links["Open Activepieces"] == f"{server.url}/projects/{server.project_id}/connections"
    assert "external_id" not in {name for form in page.forms for name in form.names}


@pytest.mark.parametrize(("answer", "status"), [(500, 502), (503, 502)])
def test_what_was_entered_outlives_an_outage(
    admin: AreaUser, server: ActivepiecesServer, answer: int, status: int
) -> None:
    form = form_page(admin, EVERY_FIELD).form("external_id")
    entered = {"name": "Every", "field-0": "a text", "field-2": "hush-hush", "field-4": "1", "field-6": "1"}
    server.faults.fail("POST", "/app-connections", answer)

    page = admin.submits(form, **entered)

    assert page.status == status
    assert "Activepieces reported an error. Nothing is lost." in page.text
    assert "Passwords and keys are not shown again." in page.text
    assert "connections.upsert" not in page.text
    assert "hush-hush" not in page.response.text
    again = page.form("external_id")
    assert again.values == form.values | entered | {"field-2": "", "field-4": ["1"]}
    assert "The connection was saved" in admin.submits(again, **{"field-2": "hush-hush"}).text
    assert names_on(server) == ["Every"]


def test_the_instructions_of_a_piece_can_be_followed(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = form_page(admin, EVERY_FIELD)

    assert page.links["Settings"] == "https://acme.test/settings?tab=api&new=1"
    assert "2. " not in page.text
    assert "**" not in page.text
    assert f"{server.url}/redirect" in page.text
    assert "<code>sk_</code>" in page.response.text
    assert page.links["this"] == "https://acme.test/note"
    assert page.links["manual"] == "https://acme.test/flag"
    assert "At most <code>100</code>." in page.response.text


def test_the_instructions_of_a_piece_cannot_run_scripts(admin: AreaUser) -> None:
    page = form_page(admin, EVERY_FIELD)

    assert "[Run](javascript:alert(1)) <b>no</b> HTML." in page.text
    assert not [href for href in page.links.values() if href.startswith("javascript:")]


def test_the_form_begins_with_what_the_piece_suggests(admin: AreaUser) -> None:
    page = form_page(admin, DEFAULTS)

    values = page.form("external_id").values
    assert (values["field-0"], values["field-1"], values["field-2"]) == ("https://acme.test", "0", ["1"])
    assert (values["field-3"], values["field-4"]) == ("1", ["0", "2"])
    assert "a-known-secret" not in page.response.text


def test_other_choices_than_those_of_the_piece_outlive_an_error(admin: AreaUser) -> None:
    form = form_page(admin, DEFAULTS).form("external_id")
    del form.values["field-2"]

    page = admin.submits(form, **{"name": "", "field-0": "", "field-3": "", "field-4": ["1", "2"]})

    values = page.form("external_id").values
    assert page.status == 422
    assert (values["field-0"], values.get("field-2")) == ("", None)
    assert (values["field-3"], values["field-4"]) == ("", ["1", "2"])


# Reconnecting


def test_a_broken_connection_gets_another_value(admin: AreaUser, server: ActivepiecesServer) -> None:
    connection = save(admin, "Our key")
    server.break_connection(connection["externalId"])
    page = admin.visits(f"/connections/{connection['id']}/reconnect")
    assert "name" not in page.form("external_id").names

    page = admin.submits(page.form("external_id"), **{"field-0": "ok-new"})

    assert "The connection was saved, and works." in page.text
    assert "Our key" in page.text
    assert value_of(server, "Our key")["secret_text"] == "ok-new"
    assert names_on(server) == ["Our key"]


# One click, and sign-in at a third party


@pytest.fixture
def live_alice(make_app: MakeApp, server: ActivepiecesServer) -> Iterator[AreaUser]:
    """The admin of Acme on the app's own key; Activepieces can reach the app."""
    app = make_app(
        host=HostWithLabs(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name,
        ACTIVEPIECES_THIRD_PARTY_APPS={
            SLACK: {"client_id": "our-app", "client_secret": "our-secret"},
            TENANT_OAUTH: {"client_id": "our-app", "client_secret": "our-secret"},
        },
    )
    Babel(app, locale_selector=lambda: request.cookies.get("language", "en"))
    with serving(app) as site:
        alice = area_user(app, "alice")
        alice.site = site.replace("127.0.0.1", "localhost")
        alice.submits(alice.visits("/setup").form("with"))
        yield alice


def test_one_click_connects_the_user(live_alice: AreaUser) -> None:
    page = live_alice.presses(live_alice.visits("/connections"), "/one-click")

    assert "The connection was saved, and works." in page.text
    assert "Connected by Alice" in page.text
    assert row_counts(live_alice.browser.application)["grants"] == 1
    events = {row["name"]: row["user_id"] for row in rows_of(live_alice.browser.application, "audit_events")}
    assert events["client.created"] == events["connection.saved"] == "alice"


def test_the_client_of_the_workspace_is_described_in_the_users_language(live_alice: AreaUser) -> None:
    live_alice.presses(live_alice.visits("/connections"), "/one-click")
    live_alice.browser.set_cookie("language", "de", domain="localhost")

    clients = live_alice.visits("/clients")
    pages = [clients, live_alice.sees(clients.links["Activepieces"]), live_alice.sees("/oauth/connected-apps")]

    for page in pages:
        assert "Für die Verbindungen eines Arbeitsbereichs angelegt." in page.text


def test_one_click_is_offered_until_the_user_has_a_connection_that_works(
    live_alice: AreaUser, server: ActivepiecesServer
) -> None:
    assert "Connect in your name" in live_alice.visits("/connections").text
    live_alice.presses(live_alice.visits("/connections"), "/one-click")
    assert "Connect in your name" not in live_alice.visits("/connections").text

    (connection,) = server.state.store.all("app_connection")
    server.state.store.change("app_connection", connection["id"], status="ERROR")

    assert "Connect in your name" in live_alice.visits("/connections").text


def test_the_apps_own_piece_is_connected_with_one_click(live_alice: AreaUser) -> None:
    page = form_page(live_alice, OWN_PIECE.name)

    assert "The connection was saved" in live_alice.presses(page, "/one-click").text


def test_only_its_owner_reconnects_a_one_click_connection(live_alice: AreaUser) -> None:
    shown = live_alice.presses(live_alice.visits("/connections"), "/one-click")
    path = next(form.action for form in shown.forms if form.action.endswith("/rename")).removesuffix("/rename")
    connection = path.removeprefix("/automation")
    assert live_alice.visits(f"{connection}/reconnect").form_to("/one-click")

    host = live_alice.browser.application.extensions["activepieces"].host
    eve = area_user(live_alice.browser.application, "bob")
    host.allows = lambda principal, permission: True
    page = eve.visits(f"{connection}/reconnect")

    assert "Only they can reconnect it" in page.text


def test_a_user_signs_in_at_a_third_party(
    live_alice: AreaUser, server: ActivepiecesServer, acme: TokenEndpoint
) -> None:
    page = form_page(live_alice, SLACK)
    assert "form-action" not in page.response.headers["Content-Security-Policy"]

    form = page.form("external_id")
    sent = live_alice.browser.post(form.action, data=form.values | {"name": "Our Slack"}, base_url=live_alice.site)
    query = parse_qs(urlsplit(sent.location).query)
    back = live_alice.browser.get(
        "/api/integration/activepieces/oauth2/callback",
        query_string={"state": query["state"][0], "code": "a-code"},
        base_url=live_alice.site,
        headers={"Sec-Fetch-Mode": "navigate"},
    )
    listed = live_alice.sees(back.location)

    assert sent.status_code == 303
    assert sent.location.startswith(f"{acme.url}/oauth/authorize?")
    assert query["client_id"] == ["our-app"]
    assert "You signed in, and the connection works." in listed.text
    assert "You signed in" not in live_alice.visits("/flows", connection="any").text
    assert "Our Slack" in listed.links
    assert "Our Slack Works Acme OAuth" in listed.text


def test_a_sign_in_in_another_workspace_ends_there(
    live_alice: AreaUser, server: ActivepiecesServer, acme: TokenEndpoint
) -> None:
    live_alice.submits(live_alice.visits("/workspace").form_to("/workspace"), workspace="acme-labs")
    live_alice.submits(live_alice.visits("/setup").form("with"))
    form = form_page(live_alice, SLACK).form("external_id")
    sent = live_alice.browser.post(form.action, data=form.values | {"name": "Labs"}, base_url=live_alice.site)
    state = parse_qs(urlsplit(sent.location).query)["state"][0]

    back = live_alice.browser.get(
        "/api/integration/activepieces/oauth2/callback",
        query_string={"state": state, "code": "a-code"},
        base_url=live_alice.site,
        headers={"Sec-Fetch-Mode": "navigate"},
    )

    assert "Labs" in live_alice.sees(back.location).links
    live_alice.submits(live_alice.visits("/workspace").form_to("/workspace"), workspace="acme")
    assert "Labs" not in live_alice.visits("/connections").links


def test_a_declined_sign_in_changes_nothing(live_alice: AreaUser, server: ActivepiecesServer) -> None:
    form = form_page(live_alice, SLACK).form("external_id")
    sent = live_alice.browser.post(form.action, data=form.values | {"name": "Our Slack"}, base_url=live_alice.site)
    state = parse_qs(urlsplit(sent.location).query)["state"][0]

    back = live_alice.browser.get(
        "/api/integration/activepieces/oauth2/callback",
        query_string={"state": state, "error": "access_denied"},
        base_url=live_alice.site,
        headers={"Sec-Fetch-Mode": "navigate"},
    )

    assert "Nothing was changed: the sign-in was not completed." in live_alice.sees(back.location).text


def test_a_sign_in_asks_first_for_what_the_service_needs(live_alice: AreaUser) -> None:
    page = form_page(live_alice, TENANT_OAUTH)
    assert "Base URL" in page.text

    missing = live_alice.submits(page.form("external_id"), name="Tenant")
    refused = live_alice.submits(missing.form("external_id"), **{"field-0": "https://evil.test"})

    assert missing.status == refused.status == 422
    assert "Base URL: This is required." in missing.text
    assert "Enter no whole address." in refused.text
    assert "base_url" not in refused.text
    # What was entered stays.
    values = refused.form("external_id").values
    assert (values["name"], values["field-0"]) == ("Tenant", "https://evil.test")


def test_a_sign_in_needs_a_name(live_alice: AreaUser) -> None:
    page = live_alice.submits(form_page(live_alice, SLACK).form("external_id"), name="")

    assert page.status == 422
    assert "Name: Enter a name of one line." in page.text
