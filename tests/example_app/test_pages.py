"""The pages of Tasklane itself: who gets in, what they see, what they may change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import delete, select, update

from example_app.models import Membership, Task, User, db
from tests.example_app.actors import Person


def test_home_tells_strangers_the_logins(stranger: Person) -> None:
    page = stranger.sees("/")

    assert "admin@acme.test" in page.text
    assert "member@acme.test" in page.text
    assert "admin@globex.test" in page.text


def test_sign_in_leads_to_the_tasks_of_the_first_company(stranger: Person) -> None:
    answer = stranger.sign_in("Admin@Acme.test ")

    assert answer.location == "/"
    assert "Tasks of Acme" in stranger.sees("/").text


def test_session_cookie_is_not_sent_along_from_other_sites(stranger: Person) -> None:
    cookie = stranger.sign_in("admin@acme.test").headers["Set-Cookie"]

    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("admin@acme.test", "wrong"),
        ("nobody@acme.test", "demo"),
        ("admin@acme.test\0", "demo"),
        ("", ""),
    ],
)
def test_wrong_login_is_refused(stranger: Person, email: str, password: str) -> None:
    answer = stranger.sign_in(email, password)

    assert answer.status_code == 400
    assert "do not belong together" in answer.text
    assert "Sign in to the demo" in stranger.sees("/").text


def test_disabled_user_cannot_sign_in_nor_go_on(tasklane: Flask, milo: Person) -> None:
    with tasklane.app_context():
        db.session.execute(
            update(User).where(User.email == "member@acme.test").values(is_active=False)
        )
        db.session.commit()

    assert "Sign in to the demo" in milo.sees("/").text
    assert milo.sign_in("member@acme.test").status_code == 400


def test_user_without_a_company_cannot_go_on(tasklane: Flask, milo: Person) -> None:
    with tasklane.app_context():
        milos = select(User.id).filter_by(email="member@acme.test").scalar_subquery()
        db.session.execute(delete(Membership).where(Membership.user_id == milos))
        db.session.commit()

    assert "Sign in to the demo" in milo.sees("/").text
    assert "Sign in" in milo.sees("/oauth/connected-apps").text
    assert milo.sign_in("member@acme.test").status_code == 400


def test_login_goes_on_where_the_visitor_wanted_to_go(stranger: Person) -> None:
    form = stranger.sees("/login?next=/oauth/connected-apps").form("password")

    answer = stranger.sends(form, email="admin@acme.test", password="demo")

    assert answer.location == "/oauth/connected-apps"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/", "//evil.test/", "/\\evil.test/", "/\t/evil.test/", "evil", ""],
)
def test_login_sends_nobody_to_another_site(stranger: Person, elsewhere: str) -> None:
    assert stranger.sign_in("admin@acme.test", next=elsewhere).location == "/"


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
def test_form_of_another_site_is_refused(ada: Person, url: str, headers: dict[str, str]) -> None:
    answer = ada.browser.post(url, headers=headers, data={"title": "Forged", "done": "1"})

    assert answer.status_code == 403
    assert "Forged" not in ada.sees("/").text


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}]
)
def test_form_of_this_site_is_taken(ada: Person, headers: dict[str, str]) -> None:
    answer = ada.browser.post("/tasks", headers=headers, data={"title": "Sweep"})

    assert answer.status_code == 302


def test_logout_ends_the_session(ada: Person) -> None:
    ada.sends(ada.sees("/").form_to("/logout"))

    assert "Sign in to the demo" in ada.sees("/").text


def test_task_is_added_and_ticked_off(ada: Person) -> None:
    ada.sends(ada.sees("/").form("title"), title="  Paint the tunnel  ")
    newest = next(form for form in ada.sees("/").forms if "done" in form.names)
    ada.sends(newest, done="1")

    to_do, _, done = ada.sees("/").text.partition(" Done ")
    assert "Paint the tunnel" in done
    assert "Paint the tunnel" not in to_do


def test_task_goes_to_the_workspace_of_its_page(ada: Person) -> None:
    labs = ada.sees("/").links["Acme Labs"]

    ada.sends(ada.sees(labs).form("title"), title="Calibrate")

    assert "Calibrate" in ada.sees(labs).text
    assert "Calibrate" not in ada.sees("/").text


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "two\nlines", "nul\0"])
def test_page_says_what_is_wrong_with_a_title(ada: Person, title: str) -> None:
    answer = ada.sends(ada.sees("/").form("title"), title=title)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_markup_in_a_title_stays_text(ada: Person) -> None:
    ada.sends(ada.sees("/").form("title"), title="<b>bold</b>")

    assert "<b>bold</b>" in ada.sees("/").text


def test_other_companies_are_not_there(tasklane: Flask, ada: Person) -> None:
    with tasklane.app_context():
        foreign = db.session.scalars(select(Task.id).filter_by(company_id="globex")).first()

    assert ada.sees("/?workspace=globex").status == 404
    assert ada.browser.post("/tasks", data={"workspace": "globex", "title": "x"}).status_code == 404
    assert ada.browser.post(f"/tasks/{foreign}", data={"done": "1"}).status_code == 404


def test_stranger_is_asked_to_sign_in_before_changing_anything(stranger: Person) -> None:
    answer = stranger.browser.post("/tasks", data={"title": "Sneak in"})

    assert answer.location == "/login"


def test_only_admins_are_shown_the_clients_page(ada: Person, milo: Person) -> None:
    assert "OAuth clients" in ada.sees("/").links
    assert "OAuth clients" not in milo.sees("/").links
    assert "Connected apps" in milo.sees("/").links


@pytest.mark.parametrize("url", ["/oauth/connected-apps", "/oauth/clients", "/oauth/clients/new"])
def test_pages_of_the_extension_stand_in_the_frame_of_the_app(ada: Person, url: str) -> None:
    page = ada.sees(url)

    assert page.status == 200
    assert page.links["Tasklane"] == "/"
    styles = [one["href"] for tag, one in page.tags if tag == "link" and one["rel"] == "stylesheet"]
    assert len(styles) == 2
    for style in styles:
        with ada.browser.get(style or "") as answer:
            assert answer.mimetype == "text/css"


@pytest.mark.parametrize("url", ["/", "/login", "/nope", "/oauth/connected-apps", "/oauth/clients"])
def test_pages_need_no_script_and_no_inline_style(ada: Person, url: str) -> None:
    page = ada.sees(url)

    assert "default-src 'none'" in page.response.headers["Content-Security-Policy"]
    assert not [tag for tag, _ in page.tags if tag in ("script", "style")]
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


@pytest.mark.parametrize(
    "url", ["/", "/login", "/nope", "/oauth/connected-apps", "/oauth/clients", "/oauth/clients/new"]
)
def test_pages_use_no_value_that_they_were_not_given(
    tasklane: Flask, ada: Person, url: str
) -> None:
    tasklane.jinja_env.undefined = StrictUndefined

    assert ada.sees(url).status < 500


def test_every_field_has_a_label(ada: Person) -> None:
    for url in ("/", "/login", "/oauth/clients/new"):
        page = ada.sees(url)
        labelled = {one.get("for") for tag, one in page.tags if tag == "label"}
        for tag, one in page.tags:
            # Hidden fields need none, and tick boxes stand inside theirs.
            wants_label = one.get("type") in (None, "email", "password")
            if tag in ("input", "select", "textarea") and wants_label:
                assert one.get("id") in labelled, (url, one)


def test_missing_page_is_told_to_people_as_a_page(stranger: Person) -> None:
    page = stranger.sees("/nope")

    assert page.status == 404
    assert page.response.mimetype == "text/html"


@pytest.mark.parametrize("url", ["/", "/oauth/connected-apps"])
def test_absent_database_is_told_as_a_page(
    ada: Person, lose_database: Callable[[], None], url: str
) -> None:
    lose_database()

    page = ada.sees(url)

    assert page.status == 503
    assert page.response.headers["Retry-After"]
    assert page.response.mimetype == "text/html"
