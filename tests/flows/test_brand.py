"""The app's name, logo, home, support address and colors on our pages."""

from __future__ import annotations

from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.pages import Page

STYLES = "/oauth/static/activepieces.css"


def images(page: Page) -> list[str | None]:
    return [attributes["src"] for tag, attributes in page.tags if tag == "img"]


def test_the_header_leads_home(make_app: MakeApp) -> None:
    app = make_app(
        ACTIVEPIECES_APP_NAME="Tasklane",
        ACTIVEPIECES_APP_LOGO="/static/tasklane.svg",
        ACTIVEPIECES_APP_URL="/dashboard",
    )

    for path in ("/oauth/connected-apps", "/automation/clients"):
        page = Person(app, "alice").sees(path)
        assert page.links["Tasklane"] == "/dashboard"
        assert images(page)[0] == "/static/tasklane.svg"


def test_without_a_brand_there_is_no_header(alice: Person) -> None:
    page = alice.sees("/oauth/connected-apps")

    assert "ap-header" not in [attributes.get("class") for _, attributes in page.tags]


def test_the_consent_page_and_the_automation_area_say_where_to_ask(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SUPPORT="help@tasklane.example")
    alice = Person(app, "alice")

    for path in (Program.registered(app).question(), "/automation/clients"):
        assert alice.sees(path).links["help@tasklane.example"] == "mailto:help@tasklane.example"


def test_an_error_page_leads_home_and_to_support(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_APP_URL="https://tasklane.example/app", ACTIVEPIECES_SUPPORT="/help")

    page = Person(app, "alice").sees("/oauth/authorize?client_id=unknown")

    assert page.status == 400
    assert page.links["/help"] == "/help"


def test_paths_begin_where_the_app_is_mounted(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_APP_NAME="Tasklane", ACTIVEPIECES_APP_LOGO="/static/logo.svg")
    alice = Person(app, "alice")

    response = alice.browser.get("/oauth/connected-apps", base_url="http://localhost/tasks", follow_redirects=False)

    page = Page(response)
    assert page.links["Tasklane"] == "/tasks/"
    assert images(page) == ["/tasks/static/logo.svg"]


def test_a_logo_of_another_origin_is_allowed_by_the_policy(make_app: MakeApp, alice: Person) -> None:
    app = make_app(ACTIVEPIECES_APP_NAME="T", ACTIVEPIECES_APP_LOGO="https://cdn.tasklane.example/logo.svg")

    with_logo = Person(app, "alice").opens("/oauth/connected-apps").headers["Content-Security-Policy"]
    without = alice.opens("/oauth/connected-apps").headers["Content-Security-Policy"]

    assert "img-src 'self' data: https://cdn.tasklane.example;" in with_logo
    assert "img-src 'self' data:;" in without


def styles_of(app: Flask) -> str:
    with app.test_client().get(STYLES) as response:
        assert response.mimetype == "text/css"
        return response.get_data(as_text=True)


def test_the_colors_come_with_the_style_sheet(make_app: MakeApp, app: Flask) -> None:
    branded = make_app(ACTIVEPIECES_ACCENT="#7a3e9d", ACTIVEPIECES_COLOR_SCHEME="light")

    ours, theirs = styles_of(app), styles_of(branded)

    assert theirs.startswith(ours)
    rules = theirs.removeprefix(ours)
    assert "color-scheme: light;" in rules
    assert "--ap-accent: light-dark(#7a3e9d," in rules


def test_a_browser_loads_the_style_sheet_once(make_app: MakeApp) -> None:
    browser = make_app(ACTIVEPIECES_ACCENT="#7a3e9d").test_client()

    first = browser.get(STYLES)
    again = browser.get(STYLES, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.data) == (304, b"")


def test_the_style_sheet_may_be_cached_as_long_as_other_static_files(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_ACCENT="#7a3e9d", SEND_FILE_MAX_AGE_DEFAULT=3600)

    assert app.test_client().get(STYLES).headers["Cache-Control"] == "max-age=3600"
