"""The app over real HTTP on a loopback port, and a person with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from flask import Flask
from werkzeug import Request
from werkzeug.test import TestResponse

from flask_activepieces.testing.http_server import HttpServer

from .pages import Form, Page


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve the app while the block runs; yields its address."""
    with closing(HttpServer(app)) as server:
        yield f"http://127.0.0.1:{server.port}"


class Visitor:
    """A person with a signed-in browser, which does not follow redirects to other sites."""

    def __init__(self, site: str, name: str) -> None:
        self.site = site
        self.cookies = requests.Session()
        self.cookies.trust_env = False  # ignore proxies in the environment
        self._get(f"{site}/login?as={name}")

    def close(self) -> None:
        self.cookies.close()

    def sees(self, url: str) -> Page:
        """The page after all redirects."""
        return Page(_as_test_response(self._get(urljoin(self.site, url))))

    def sends(self, form: Form, **changes: Any) -> str:
        """Submit a form; return the URL of the redirect."""
        answer = self.cookies.post(urljoin(self.site, form.action), data=form.values | changes, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def allows(self, question: str, **choices: Any) -> str:
        """Approve the request; return the redirect URL, which contains the code."""
        return self.sends(self.sees(question).form("decision"), decision="approve", **choices)

    def brings_code(self, question: str) -> str:
        """Approve the request; return the code."""
        (code,) = parse_qs(urlsplit(self.allows(question)).query)["code"]
        return code

    def _get(self, url: str) -> requests.Response:
        answer = self.cookies.get(url, allow_redirects=False)
        while answer.is_redirect:
            url = urljoin(url, answer.headers["Location"])
            assert url.startswith(self.site), url
            answer = self.cookies.get(url, allow_redirects=False)
        return answer


def _as_test_response(answer: requests.Response) -> TestResponse:
    """Convert to a response of Werkzeug's test client, for `Page`."""
    headers = {"Content-Type": answer.headers["Content-Type"]}
    return TestResponse(
        iter([answer.content]),
        f"{answer.status_code} {answer.reason}",
        headers,  # type: ignore[arg-type]  # any mapping will do
        Request({}),
    )
