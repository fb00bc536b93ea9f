"""A person on the pages of the automation area."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces import Principal
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer

from .actors import Person
from .hosts import HostWithLabs
from .pages import Form, Page

AREA = "/automation"


class HostWithViewers(HostWithLabs):
    """The small host, in which everyone may look, and only admins may do more."""

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return permission == "view" or super().allows(principal, permission)


class AreaUser(Person):
    """A signed-in user of the small host on these pages."""

    #: The app's base URL; a live one if Activepieces must reach the app.
    site = "http://localhost"

    def visits(self, path: str = "", **query: Any) -> Page:
        """A page of the area, without following redirects."""
        return Page(self.browser.get(AREA + path, query_string=query, base_url=self.site))

    def submits(self, form: Form, **changes: Any) -> Page:
        """The page after a form was sent and all redirects were followed."""
        return Page(
            self.browser.post(form.action, data=form.values | changes, follow_redirects=True, base_url=self.site)
        )

    def presses(self, page: Page, action: str, **changes: Any) -> Page:
        """Press the only button of a form with this action; the page after all redirects."""
        return self.submits(page.form_to(action), **changes)

    def posts(self, path: str, **form: Any) -> TestResponse:
        """Send a form that is on no page, with a valid page token."""
        token = self.visits("/workspace").form_to("/workspace").values["page_token"]
        return self.browser.post(AREA + path, data={"page_token": token, **form}, base_url=self.site)

    def links(self, server: ActivepiecesServer) -> Page:
        """Link the workspace with the key of the server and its first project."""
        form = self.visits("/setup", **{"with": "key"}).form("api_key")
        picker = self.submits(form, api_key=server.api_key)
        return self.submits(picker.form("sealed"), project=server.project_id)


def area_user(app: Flask, name: str) -> AreaUser:
    """A signed-in user."""
    return AreaUser(app, name)
