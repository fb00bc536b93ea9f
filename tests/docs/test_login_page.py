"""The example on the page about the host: a login page that names the client."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.conftest import MakeApp
from tests.support.actors import Program
from tests.support.documents import blocks, page

(SNIPPET,) = blocks(page("host"), "jinja")


def test_the_login_page_names_the_client(make_app: MakeApp) -> None:
    app = make_app()
    app.view_functions["login"] = lambda: app.jinja_env.from_string(SNIPPET).render()
    browser = app.test_client()

    login = browser.get(Program.registered(app).question()).location

    assert urlsplit(login).path == "/login"
    assert browser.get(login).text.strip() == "<p>Sign in to continue to Program.</p>"
    assert browser.get("/login").text.strip() == ""
