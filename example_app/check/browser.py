"""A minimal browser: it keeps cookies, submits forms, and calls the JSON API."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT = 60


class Browser:
    """A browser for one site."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._session = requests.Session()
        # A proxy in the environment must not be used for a local server.
        self._session.trust_env = urlsplit(site).hostname not in ("127.0.0.1", "localhost")

    def close(self) -> None:
        """Close the connections; the cookies are lost."""
        self._session.close()

    def open(self, path: str) -> requests.Response:
        """The page at this path, after all redirects."""
        return self._session.get(self.site + path, timeout=TIMEOUT)

    def submit(self, path: str, action_end: str, **values: Any) -> requests.Response:
        """Fill in and submit the form of this page whose action ends with ``action_end``."""
        return self._submit(path, action_end, values, follow=True)

    def decide(self, path: str, action_end: str, **values: Any) -> str:
        """Submit a form whose answer leads to another program; returns its address."""
        response = self._submit(path, action_end, values, follow=False)
        return response.headers.get("Location", response.url)

    def _submit(self, path: str, action_end: str, values: dict[str, Any], *, follow: bool) -> requests.Response:
        page = self.open(path)
        form = next((form for form in parse_forms(page.text) if form.action.endswith(action_end)), None)
        if form is None:
            raise LookupError(f"{page.url} has no form with an action that ends with {action_end}.")
        url, filled = urljoin(page.url, form.action), form.values | values
        return self._session.post(url, data=filled, timeout=TIMEOUT, allow_redirects=follow)

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the app's JSON API as a script on one of its pages would."""
        # The app requires these headers of a browser, and every browser sends them.
        headers = {"Origin": self.site, "Sec-Fetch-Site": "same-origin"}
        return self._session.request(method, self.site + path, json=body, headers=headers, timeout=TIMEOUT)


class Form:
    """The action and the values of an HTML form."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.values: dict[str, str] = {}


def parse_forms(html: str) -> list[Form]:
    """The forms of a page, in their order."""
    parser = _FormParser()
    parser.feed(html)
    return parser.forms


class _FormParser(HTMLParser):
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
