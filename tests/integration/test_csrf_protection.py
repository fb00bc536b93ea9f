"""An app with Flask-WTF's CSRFProtect, initialized before or after our extension."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView, View
from flask_wtf import CSRFProtect

from flask_activepieces import current_token, require_scope
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.problems import problem
from tests.support.storage import row_counts

SITE = "https://app.example.com"


@pytest.fixture(params=["before", "after"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    """The small host with CSRF protection for all views, and a form of its own."""
    protection = CSRFProtect()
    if request.param == "before":
        app = make_app(first=protection.init_app)
    else:
        app = make_app()
        protection.init_app(app)
    app.add_url_rule("/host-form", "host_form", lambda: "changed", methods=["POST"])
    return app


def test_a_client_can_connect_refresh_call_introspect_and_revoke(program: Program, bob: Person) -> None:
    pair = program.connects(bob)
    refreshed = answer_of(program.refreshes(pair["refresh_token"]))
    api_response = program.calls(refreshed["access_token"], "/api/tasks", "POST")
    active = answer_of(program.introspects(refreshed["access_token"]))["active"]
    revoked = program.revokes(refreshed["refresh_token"])

    assert api_response.status_code == 201
    assert active is True
    assert revoked.status_code == 200


def test_the_hosts_own_forms_stay_protected(app: Flask, bob: Person) -> None:
    bob.opens("/")

    assert bob.browser.post("/host-form").status_code == 400


def test_the_consent_form_without_the_hosts_token_changes_nothing(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")
    del form.values["csrf_token"]

    answer = bob.sends(form, decision="approve")

    assert answer.status_code == 400
    assert "grants" not in row_counts(app)


def test_disconnecting_an_app_needs_the_hosts_token(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")

    refused = bob.sends(form, csrf_token="")
    remaining = row_counts(app)["grants"]
    disconnected = bob.sends(form)

    assert (refused.status_code, remaining) == (400, 1)
    assert disconnected.status_code == 303
    assert "grants" not in row_counts(app)


def test_the_client_pages_need_the_hosts_token(app: Flask, alice: Person) -> None:
    form = alice.sees("/automation/clients/new").form("redirect_uris")
    form_values = {"name": "Mine", "redirect_uris": "https://mine.test/cb", "scope": "tasks:read"}

    refused = alice.sends(form, csrf_token="", **form_values)
    created = alice.sends(form, **form_values)

    assert (refused.status_code, created.status_code) == (400, 303)
    assert row_counts(app)["oauth_clients"] == 1


@pytest.mark.parametrize(("page", "action"), [("", "rotate"), ("/delete", "delete")])
def test_a_clients_buttons_need_the_hosts_token(app: Flask, alice: Person, page: str, action: str) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = alice.sees(f"/automation/clients/{program.client_id}{page}").form_to(f"/{action}")

    assert alice.sends(form, csrf_token="", confirm="yes").status_code == 400
    assert alice.sends(form, confirm="yes").status_code == 303


def test_the_json_api_takes_the_hosts_token_in_its_header(app: Flask, alice: Person) -> None:
    url = "/api/integration/activepieces/oauth-clients"
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}
    token = alice.sees("/automation/clients/new").form("redirect_uris").values["csrf_token"]

    refused = alice.browser.post(url, json=body)
    created = alice.browser.post(url, json=body, headers={"X-CSRFToken": token})

    assert created.status_code == 201
    assert "CSRF token" in problem(refused, 400, "Bad Request")["detail"]


def test_the_apps_pages_may_call_the_json_api_without_the_hosts_token(alice: Person) -> None:
    url = "/api/integration/activepieces/oauth-clients"
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}

    created = alice.browser.post(url, json=body, headers={"Sec-Fetch-Site": "same-origin"})
    foreign = alice.browser.post(url, json=body, headers={"Sec-Fetch-Site": "cross-site"})

    assert created.status_code == 201
    problem(foreign, 403, "Cross-site call")


@pytest.mark.parametrize("switch", ["WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT"])
def test_a_host_can_disable_csrf_protection(make_app: MakeApp, switch: str) -> None:
    app = make_app(first=CSRFProtect().init_app, **{switch: False})
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}

    created = Person(app, "alice").browser.post("/api/integration/activepieces/oauth-clients", json=body)

    assert created.status_code == 201


def test_forms_pass_the_strict_referrer_check_over_https(make_app: MakeApp) -> None:
    """Over https Flask-WTF checks the Referer, so our pages must let browsers send it."""
    app = make_app(
        first=CSRFProtect().init_app,
        ACTIVEPIECES_PUBLIC_URL=SITE,
        # The base URL of Werkzeug's test client.
        PREFERRED_URL_SCHEME="https",
        SERVER_NAME="app.example.com",
    )
    bob, program = Person(app, "bob"), Program.registered(app)
    page = bob.sees(program.question())
    form = page.form("decision")
    form.values["decision"] = "approve"

    without = bob.browser.post(form.action, data=form.values)
    foreign = bob.browser.post(form.action, data=form.values, headers={"Referer": "https://evil.test/"})
    valid = bob.browser.post(form.action, data=form.values, headers={"Referer": f"{SITE}/oauth/"})

    assert (without.status_code, foreign.status_code) == (400, 400)
    assert valid.status_code == 303
    assert page.response.headers["Referrer-Policy"] == "same-origin"


def test_client_requests_over_https_need_no_referrer(make_app: MakeApp) -> None:
    app = make_app(
        first=CSRFProtect().init_app,
        ACTIVEPIECES_PUBLIC_URL=SITE,
        PREFERRED_URL_SCHEME="https",
        SERVER_NAME="app.example.com",
    )
    client = Program.registered(app, "--client-credentials", "--tenant", "acme")

    token = answer_of(client.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert client.calls(token["access_token"], "/api/tasks", "POST").status_code == 201


class Notes(MethodView):
    decorators = [require_scope("tasks:write")]

    def post(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


def test_a_class_based_view_with_a_scope_is_exempt(app: Flask) -> None:
    app.add_url_rule("/api/notes", view_func=Notes.as_view("notes"))
    client = Program.registered(app, "--client-credentials", "--tenant", "acme")
    token = answer_of(client.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert client.calls(token["access_token"], "/api/notes", "POST").status_code == 201


class NotesToRead(MethodView):
    """Users read it in a browser, and only programs change it."""

    def get(self) -> ResponseReturnValue:
        return "notes"

    @require_scope("tasks:write")
    def post(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


class NotesToDelete(NotesToRead):
    """Users can also change something in a browser."""

    def delete(self) -> ResponseReturnValue:
        return "deleted"


class DispatchingView(View):
    methods = ("POST",)

    @require_scope("tasks:write")
    def dispatch_request(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


@pytest.mark.parametrize("view_class", [NotesToRead, DispatchingView])
def test_a_scope_on_every_method_that_changes_something_exempts_the_view(app: Flask, view_class: type[View]) -> None:
    app.add_url_rule("/api/notes", view_func=view_class.as_view("notes"))
    client = Program.registered(app, "--client-credentials", "--tenant", "acme")
    token = answer_of(client.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert client.calls(token["access_token"], "/api/notes", "POST").status_code == 201


def host_decorator(view: Callable[..., Any]) -> Callable[..., Any]:
    """A host's decorator that acts for the signed-in user and, like most, keeps the view's attributes."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if "token" in request.args else "changed"

    return wrapped


def act_for_user(view: Callable[..., Any]) -> Callable[..., Any]:
    """A host's decorator that acts for the signed-in user, without functools.wraps."""

    def decorated(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if "token" in request.args else "changed"

    return decorated


class DecoratedNotes(NotesToRead):
    decorators = [act_for_user]


class DecoratedDispatchingView(DispatchingView):
    decorators = [act_for_user]


def notes_for_programs() -> Callable[[], str]:
    @require_scope("tasks:write")
    def notes() -> str:
        return "for programs"

    return notes


@pytest.mark.parametrize(
    "view",
    [
        host_decorator(notes_for_programs()),
        host_decorator(Notes.as_view("notes")),
        host_decorator(NotesToRead.as_view("notes")),
        host_decorator(DispatchingView.as_view("notes")),
        DecoratedNotes.as_view("notes"),
        DecoratedDispatchingView.as_view("notes"),
    ],
    ids=[
        "a function",
        "a decorated class",
        "each method",
        "the dispatch",
        "decorators of a class",
        "decorators of a class that dispatches",
    ],
)
def test_a_view_with_an_outer_decorator_stays_protected(app: Flask, view: Callable[..., Any]) -> None:
    """functools.wraps copies the scope attribute, but the decorator may act before the scope is checked."""
    app.add_url_rule("/notes", view_func=view, methods=["POST"])
    bob = Person(app, "bob")
    bob.opens("/")

    assert bob.browser.post("/notes").status_code == 400


def test_a_view_with_a_method_for_browsers_stays_protected(app: Flask) -> None:
    """Flask-WTF can only exempt whole views."""
    app.add_url_rule("/api/notes", view_func=NotesToDelete.as_view("notes"))
    bob = Person(app, "bob")
    bob.opens("/")

    assert bob.browser.delete("/api/notes").status_code == 400


def test_a_workers_first_two_requests_may_run_at_the_same_time(make_app: MakeApp) -> None:
    """The second request must be handled only after all exemptions are registered."""

    class Slow(CSRFProtect):  # type: ignore[misc]  # Flask-WTF has no types
        second: int | None = None

        def exempt(self, view: Any) -> Any:
            if self.second is None and request:
                self.second = 0
                self.second = current_app.test_client().post("/oauth/introspect", data={"token": "x"}).status_code
            return super().exempt(view)

    protection = Slow()
    app = make_app(first=protection.init_app)

    app.test_client().get("/")

    assert protection.second == 401, "the second request was rejected as forged"


def test_an_exempt_view_does_not_exempt_another_view_of_the_same_name(make_app: MakeApp) -> None:
    """Flask-WTF exempts by module and name, which two functions may share."""
    app = make_app(first=CSRFProtect().init_app)
    app.add_url_rule("/api/notes", "api_notes", notes_for_programs(), methods=["POST"])
    app.add_url_rule("/notes", "notes", notes_for_people(), methods=["POST"])

    assert app.test_client().post("/notes").status_code == 400


def notes_for_people() -> Callable[[], str]:
    def notes() -> str:
        return "for people"

    return notes
