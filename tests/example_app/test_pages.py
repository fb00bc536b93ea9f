"""The pages of Tasklane: login, access, and tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import delete, select, update

from example_app.models import Membership, Task, User, db
from tests.example_app.actors import Person


def test_home_shows_the_logins_to_visitors(visitor: Person) -> None:
    page = visitor.get_page("/")

    assert "admin@acme.test" in page.text
    assert "member@acme.test" in page.text
    assert "admin@globex.test" in page.text


def test_login_leads_to_the_tasks_of_the_first_company(visitor: Person) -> None:
    response = visitor.sign_in("Admin@Acme.test ")

    assert response.location == "/"
    assert "Tasks of Acme" in visitor.get_page("/").text


def test_session_cookie_is_same_site_and_http_only(visitor: Person) -> None:
    cookie = visitor.sign_in("admin@acme.test").headers["Set-Cookie"]

    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize(
    ("email", "password"),
    [("admin@acme.test", "wrong"), ("unknown@acme.test", "demo"), ("admin@acme.test\0", "demo"), ("", "")],
)
def test_wrong_login_is_rejected(visitor: Person, email: str, password: str) -> None:
    response = visitor.sign_in(email, password)

    assert response.status_code == 400
    assert "Wrong e-mail address or password." in response.text
    assert "Sign in to the demo" in visitor.get_page("/").text


def test_disabled_user_is_signed_out_and_cannot_sign_in(tasklane: Flask, milo: Person) -> None:
    with tasklane.app_context():
        db.session.execute(update(User).where(User.email == "member@acme.test").values(is_active=False))
        db.session.commit()

    assert "Sign in to the demo" in milo.get_page("/").text
    assert milo.sign_in("member@acme.test").status_code == 400


def test_user_without_a_company_is_signed_out_and_cannot_sign_in(tasklane: Flask, milo: Person) -> None:
    with tasklane.app_context():
        milos = select(User.id).filter_by(email="member@acme.test").scalar_subquery()
        db.session.execute(delete(Membership).where(Membership.user_id == milos))
        db.session.commit()

    assert "Sign in to the demo" in milo.get_page("/").text
    assert "Sign in" in milo.get_page("/oauth/connected-apps").text
    assert milo.sign_in("member@acme.test").status_code == 400


def test_login_returns_to_the_requested_page(visitor: Person) -> None:
    form = visitor.get_page("/login?next=/oauth/connected-apps").form("password")

    response = visitor.submit(form, email="admin@acme.test", password="demo")

    assert response.location == "/oauth/connected-apps"


@pytest.mark.parametrize(
    "next_url", ["https://evil.test/", "//evil.test/", "/\\evil.test/", "/\t/evil.test/", "evil", ""]
)
def test_login_never_leads_to_another_site(visitor: Person, next_url: str) -> None:
    assert visitor.sign_in("admin@acme.test", next=next_url).location == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("url", ["/login", "/logout", "/tasks", "/tasks/1"])
def test_form_from_another_site_is_rejected(ada: Person, url: str, headers: dict[str, str]) -> None:
    response = ada.browser.post(url, headers=headers, data={"title": "Forged", "done": "1"})

    assert response.status_code == 403
    assert "Forged" not in ada.get_page("/").text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_form_from_this_site_is_accepted(ada: Person, headers: dict[str, str]) -> None:
    response = ada.browser.post("/tasks", headers=headers, data={"title": "Sweep"})

    assert response.status_code == 302


def test_logout_ends_the_session(ada: Person) -> None:
    ada.submit(ada.get_page("/").form_to("/logout"))

    assert "Sign in to the demo" in ada.get_page("/").text


def test_task_can_be_added_and_marked_as_done(ada: Person) -> None:
    ada.submit(ada.get_page("/").form("title"), title="  Paint the tunnel  ")
    newest = next(form for form in ada.get_page("/").forms if "done" in form.names)
    ada.submit(newest, done="1")

    to_do, _, done = ada.get_page("/").text.partition(" Done ")
    assert "Paint the tunnel" in done
    assert "Paint the tunnel" not in to_do


def test_task_is_added_to_the_workspace_of_its_page(ada: Person) -> None:
    labs = ada.get_page("/").links["Acme Labs"]

    ada.submit(ada.get_page(labs).form("title"), title="Calibrate")

    assert "Calibrate" in ada.get_page(labs).text
    assert "Calibrate" not in ada.get_page("/").text


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "two\nlines", "nul\0"])
def test_page_shows_an_error_for_an_invalid_title(ada: Person, title: str) -> None:
    response = ada.submit(ada.get_page("/").form("title"), title=title)

    assert response.status_code == 422
    assert 'role="alert"' in response.text


def test_markup_in_a_title_is_escaped(ada: Person) -> None:
    ada.submit(ada.get_page("/").form("title"), title="<b>bold</b>")

    assert "<b>bold</b>" in ada.get_page("/").text


def test_tasks_of_other_companies_are_not_found(tasklane: Flask, ada: Person) -> None:
    with tasklane.app_context():
        foreign = db.session.scalars(select(Task.id).filter_by(company_id="globex")).first()

    assert ada.get_page("/?workspace=globex").status == 404
    assert ada.browser.post("/tasks", data={"workspace": "globex", "title": "x"}).status_code == 404
    assert ada.browser.post(f"/tasks/{foreign}", data={"done": "1"}).status_code == 404


def test_visitor_must_sign_in_before_changing_anything(visitor: Person) -> None:
    response = visitor.browser.post("/tasks", data={"title": "Sneak in"})

    assert response.location == "/login"


def test_only_admins_see_the_link_to_the_automation_area(ada: Person, milo: Person) -> None:
    assert ada.get_page("/").links["Automation"] == "/automation"
    assert "Automation" not in milo.get_page("/").links
    assert "Connected apps" in milo.get_page("/").links


@pytest.mark.parametrize("url", ["/oauth/connected-apps", "/automation/clients", "/automation/clients/new"])
def test_pages_of_the_extension_use_the_layout_of_the_app(ada: Person, url: str) -> None:
    page = ada.get_page(url)

    assert page.status == 200
    assert page.links["Tasklane"] == "/"
    styles = [
        attributes["href"] for tag, attributes in page.tags if tag == "link" and attributes["rel"] == "stylesheet"
    ]
    assert styles[:2] == ["/oauth/static/activepieces.css", "/static/tasklane.css"]
    for style in styles:
        with ada.browser.get(style or "") as response:
            assert response.mimetype == "text/css"


@pytest.mark.parametrize("url", ["/", "/login", "/nope", "/oauth/connected-apps", "/automation/clients"])
def test_pages_have_no_inline_script_and_no_inline_style(ada: Person, url: str) -> None:
    page = ada.get_page(url)

    assert "default-src 'none'" in page.response.headers["Content-Security-Policy"]
    scripts = [attributes.get("src") for tag, attributes in page.tags if tag == "script"]
    assert set(scripts) <= {"/oauth/static/automation.js", "/oauth/static/copy.js"}
    assert "style" not in [tag for tag, _ in page.tags]
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


@pytest.mark.parametrize(
    "url", ["/", "/login", "/nope", "/oauth/connected-apps", "/automation/clients", "/automation/clients/new"]
)
def test_templates_use_no_undefined_variable(tasklane: Flask, ada: Person, url: str) -> None:
    tasklane.jinja_env.undefined = StrictUndefined

    assert ada.get_page(url).status < 500


def test_every_field_has_a_label(ada: Person) -> None:
    for url in ("/", "/login", "/automation/clients/new"):
        page = ada.get_page(url)
        labelled = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
        for tag, attributes in page.tags:
            # Hidden fields do not need a label, and checkboxes are inside theirs.
            requires_label = attributes.get("type") in (None, "email", "password")
            if tag in ("input", "select", "textarea") and requires_label:
                assert attributes.get("id") in labelled, (url, attributes)


def test_error_for_a_missing_page_is_html(visitor: Person) -> None:
    page = visitor.get_page("/nope")

    assert page.status == 404
    assert page.response.mimetype == "text/html"


@pytest.mark.parametrize("url", ["/", "/oauth/connected-apps"])
def test_error_for_an_unavailable_database_is_html(ada: Person, lose_database: Callable[[], None], url: str) -> None:
    lose_database()

    page = ada.get_page(url)

    assert page.status == 503
    assert page.response.headers["Retry-After"]
    assert page.response.mimetype == "text/html"
