"""Pages during a database outage, in a host whose templates all load the signed-in user."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError

from flask_activepieces import Principal, Workspace
from flask_activepieces.errors import Locked
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.hosts import SmallHost
from tests.support.storage import database_away

PAGES = ["/oauth/connected-apps", "/automation/clients", "authorize"]


@pytest.mark.parametrize("url", PAGES)
def test_a_host_whose_templates_need_the_database_still_gets_a_page(make_app: MakeApp, url: str) -> None:
    app = make_app(first=lambda app: app.context_processor(signed_in_user))
    alice, program = Person(app, "alice"), Program.registered(app)

    with database_away(app):
        response = alice.opens(program.question() if url == "authorize" else url)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "Please try again in a moment" in response.text


def signed_in_user() -> dict[str, object]:
    """Raise an error as Flask-Login would, which adds the user to every template."""
    raise OperationalError("SELECT ...", {}, Exception("connection refused"))


def test_a_locked_resource_is_reported_with_its_retry_time(make_app: MakeApp) -> None:
    class BusyHost(SmallHost):
        def workspaces(self, principal: Principal) -> Sequence[Workspace]:
            raise Locked("connection", retry_after=7)

    alice = Person(make_app(host=BusyHost()), "alice")

    response = alice.opens("/oauth/connected-apps")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert "Another request is changing this at the moment." in response.text
