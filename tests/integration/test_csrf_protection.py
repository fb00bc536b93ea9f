"""Flask-WTF's CSRFProtect around the whole app, set up before us or after us."""

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


@pytest.fixture(params=["before us", "after us"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    """The small host with protection for all of its views, and one unprotected form of its own."""
    protection = CSRFProtect()
    if request.param == "before us":
        app = make_app(first=protection.init_app)
    else:
        app = make_app()
        protection.init_app(app)
    app.add_url_rule("/own-form", "own_form", lambda: "changed", methods=["POST"])
    return app


def test_a_connection_is_made_used_refreshed_looked_at_and_given_up(
    program: Program, bob: Person
) -> None:
    pair = program.connects(bob)
    refreshed = answer_of(program.refreshes(pair["refresh_token"]))
    called = program.calls(refreshed["access_token"], "/api/tasks", "POST")
    active = answer_of(program.introspects(refreshed["access_token"]))["active"]
    given_up = program.revokes(refreshed["refresh_token"])

    assert called.status_code == 201
    assert active is True
    assert given_up.status_code == 200


def test_the_hosts_own_forms_stay_protected(app: Flask, bob: Person) -> None:
    bob.opens("/")

    assert bob.browser.post("/own-form").status_code == 400


def test_the_consent_form_without_the_hosts_token_changes_nothing(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")
    del form.values["csrf_token"]

    answer = bob.sends(form, decision="approve")

    assert answer.status_code == 400
    assert "grants" not in row_counts(app)


def test_an_app_is_disconnected_with_the_hosts_token_only(
    app: Flask, program: Program, bob: Person
) -> None:
    program.connects(bob)
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")

    refused = bob.sends(form, csrf_token="")
    left = row_counts(app)["grants"]
    done = bob.sends(form)

    assert (refused.status_code, left) == (400, 1)
    assert done.status_code == 303
    assert "grants" not in row_counts(app)


def test_the_client_pages_need_the_hosts_token(app: Flask, alice: Person) -> None:
    form = alice.sees("/oauth/clients/new").form("redirect_uris")
    typed = {"name": "Mine", "redirect_uris": "https://mine.test/cb", "scope": "tasks:read"}

    refused = alice.sends(form, csrf_token="", **typed)
    made = alice.sends(form, **typed)

    assert (refused.status_code, made.status_code) == (400, 303)
    assert row_counts(app)["oauth_clients"] == 1


@pytest.mark.parametrize("action", ["rotate", "delete"])
def test_a_clients_buttons_need_the_hosts_token(app: Flask, alice: Person, action: str) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = alice.sees(f"/oauth/clients/{program.client_id}").form_to(f"/{action}")

    assert alice.sends(form, csrf_token="", confirm="yes").status_code == 400
    assert alice.sends(form, confirm="yes").status_code == 303


def test_the_json_api_takes_the_hosts_token_in_its_header(app: Flask, alice: Person) -> None:
    url = "/api/integration/activepieces/oauth-clients"
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}
    token = alice.sees("/oauth/clients/new").form("redirect_uris").values["csrf_token"]

    refused = alice.browser.post(url, json=body)
    made = alice.browser.post(url, json=body, headers={"X-CSRFToken": token})

    assert made.status_code == 201
    assert "CSRF token" in problem(refused, 400, "Bad Request")["detail"]


def test_a_page_of_the_app_itself_calls_the_json_api_without_the_hosts_token(alice: Person) -> None:
    url = "/api/integration/activepieces/oauth-clients"
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}

    made = alice.browser.post(url, json=body, headers={"Sec-Fetch-Site": "same-origin"})
    foreign = alice.browser.post(url, json=body, headers={"Sec-Fetch-Site": "cross-site"})

    assert made.status_code == 201
    problem(foreign, 403, "Cross-site call")


@pytest.mark.parametrize("switch", ["WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT"])
def test_a_host_that_switched_its_protection_off_is_not_asked(
    make_app: MakeApp, switch: str
) -> None:
    app = make_app(first=CSRFProtect().init_app, **{switch: False})
    body = {"name": "Mine", "redirect_uris": ["https://mine.test/cb"], "scope": "tasks:read"}

    made = Person(app, "alice").browser.post(
        "/api/integration/activepieces/oauth-clients", json=body
    )

    assert made.status_code == 201


def test_over_https_forms_pass_the_strict_check_of_the_referrer(make_app: MakeApp) -> None:
    """Flask-WTF wants the Referer there, so our pages must let browsers send it."""
    app = make_app(
        first=CSRFProtect().init_app,
        ACTIVEPIECES_PUBLIC_URL=SITE,
        # What Werkzeug's test client asks for by default.
        PREFERRED_URL_SCHEME="https",
        SERVER_NAME="app.example.com",
    )
    bob, program = Person(app, "bob"), Program.registered(app)
    page = bob.sees(program.question())
    form = page.form("decision")
    form.values["decision"] = "approve"

    without = bob.browser.post(form.action, data=form.values)
    elsewhere = bob.browser.post(
        form.action, data=form.values, headers={"Referer": "https://evil.test/"}
    )
    right = bob.browser.post(form.action, data=form.values, headers={"Referer": f"{SITE}/oauth/"})

    assert (without.status_code, elsewhere.status_code) == (400, 400)
    assert right.status_code == 303
    assert page.response.headers["Referrer-Policy"] == "same-origin"


def test_machine_requests_over_https_need_no_referrer(make_app: MakeApp) -> None:
    app = make_app(
        first=CSRFProtect().init_app,
        ACTIVEPIECES_PUBLIC_URL=SITE,
        PREFERRED_URL_SCHEME="https",
        SERVER_NAME="app.example.com",
    )
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")

    token = answer_of(own.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert own.calls(token["access_token"], "/api/tasks", "POST").status_code == 201


class Notes(MethodView):
    decorators = [require_scope("tasks:write")]

    def post(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


def test_a_class_based_view_with_a_scope_is_exempt(app: Flask) -> None:
    app.add_url_rule("/api/notes", view_func=Notes.as_view("notes"))
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")
    token = answer_of(own.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert own.calls(token["access_token"], "/api/notes", "POST").status_code == 201


class NotesToRead(MethodView):
    """A page for people, to which programs add."""

    def get(self) -> ResponseReturnValue:
        return "notes"

    @require_scope("tasks:write")
    def post(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


class NotesToDelete(NotesToRead):
    """People may do something as well."""

    def delete(self) -> ResponseReturnValue:
        return "deleted"


class Dispatched(View):
    methods = ("POST",)

    @require_scope("tasks:write")
    def dispatch_request(self) -> ResponseReturnValue:
        return {"by": current_token.client_id}, 201


@pytest.mark.parametrize("kind", [NotesToRead, Dispatched])
def test_a_scope_on_every_method_that_changes_something_exempts_the_view(
    app: Flask, kind: type[View]
) -> None:
    app.add_url_rule("/api/notes", view_func=kind.as_view("notes"))
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")
    token = answer_of(own.posts("/oauth/token", {"grant_type": "client_credentials"}))

    assert own.calls(token["access_token"], "/api/notes", "POST").status_code == 201


def by_cookie(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of the host's that acts for the signed-in user; like most it keeps the view's attributes."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if "token" in request.args else "changed"

    return wrapped


def notes_for_programs() -> Callable[[], str]:
    @require_scope("tasks:write")
    def notes() -> str:
        return "for programs"

    return notes


@pytest.mark.parametrize(
    "view",
    [
        by_cookie(notes_for_programs()),
        by_cookie(Notes.as_view("notes")),
        by_cookie(NotesToRead.as_view("notes")),
        by_cookie(Dispatched.as_view("notes")),
    ],
    ids=["a function", "a decorated class", "each method", "the dispatch"],
)
def test_a_decorator_outside_the_scope_keeps_its_view_protected(
    app: Flask, view: Callable[..., Any]
) -> None:
    """functools.wraps copies the marks of what it wraps, and the decorator may act before the scope is checked."""
    app.add_url_rule("/notes", view_func=view, methods=["POST"])
    bob = Person(app, "bob")
    bob.opens("/")

    assert bob.browser.post("/notes").status_code == 400


def test_a_method_that_a_cookie_opens_keeps_its_view_protected(app: Flask) -> None:
    """Flask-WTF exempts views, and not methods of them."""
    app.add_url_rule("/api/notes", view_func=NotesToDelete.as_view("notes"))
    bob = Person(app, "bob")
    bob.opens("/")

    assert bob.browser.delete("/api/notes").status_code == 400


def test_the_first_two_requests_of_a_worker_may_come_together(make_app: MakeApp) -> None:
    """Whoever is second must not pass the protection before all exemptions are known to it."""

    class Slow(CSRFProtect):  # type: ignore[misc]  # Flask-WTF has no types
        second: int | None = None

        def exempt(self, view: Any) -> Any:
            if self.second is None and request:
                self.second = 0
                self.second = (
                    current_app.test_client()
                    .post("/oauth/introspect", data={"token": "x"})
                    .status_code
                )
            return super().exempt(view)

    protection = Slow()
    app = make_app(first=protection.init_app)

    app.test_client().get("/")

    assert protection.second == 401, "the second request was held for a forged one"


def test_a_view_for_tokens_opens_no_view_of_the_same_name_for_cookies(make_app: MakeApp) -> None:
    """Flask-WTF exempts by module and name, and two functions may share both."""
    app = make_app(first=CSRFProtect().init_app)
    app.add_url_rule("/api/notes", "api_notes", notes_for_programs(), methods=["POST"])
    app.add_url_rule("/notes", "notes", notes_for_people(), methods=["POST"])

    assert app.test_client().post("/notes").status_code == 400


def notes_for_people() -> Callable[[], str]:
    def notes() -> str:
        return "for people"

    return notes
