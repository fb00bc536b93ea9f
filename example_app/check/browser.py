"""A person's browser, as far as the check needs one: it keeps cookies, sends forms, and calls the JSON API."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

SECONDS = 60


class Browser:
    """A browser that has been to one site only."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._session = requests.Session()
        # A proxy of this machine has no business on its own loopback.
        self._session.trust_env = urlsplit(site).hostname not in ("127.0.0.1", "localhost")

    def close(self) -> None:
        """Forget the cookies and hang up."""
        self._session.close()

    def open(self, path: str) -> requests.Response:
        """The page at the end of all redirects."""
        return self._session.get(self.site + path, timeout=SECONDS)

    def send(self, path: str, ends_with: str, **typed: str) -> requests.Response:
        """Fill in the form of this page whose address ends like that, send it, and follow the redirects."""
        page = self.open(path)
        form = next((one for one in forms_of(page.text) if one.action.endswith(ends_with)), None)
        if form is None:
            raise LookupError(f"{page.url} has no form that goes to …{ends_with}")
        return self._session.post(
            urljoin(page.url, form.action), data=form.values | typed, timeout=SECONDS
        )

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the app's JSON API as a script on one of its pages would."""
        # Without these two the app would take it for a program; every browser sends them.
        headers = {"Origin": self.site, "Sec-Fetch-Site": "same-origin"}
        return self._session.request(
            method, self.site + path, json=body, headers=headers, timeout=SECONDS
        )


class Form:
    """Where a form goes, and what stands in its fields."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.values: dict[str, str] = {}


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in their order."""
    reader = _FormReader()
    reader.feed(html)
    return reader.forms


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name")
        if tag == "form":
            self.forms.append(Form(attributes.get("action") or ""))
        elif tag == "input" and name and self.forms:
            self.forms[-1].values[name] = attributes.get("value") or ""
