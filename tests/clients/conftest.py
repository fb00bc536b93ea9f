"""The small host on a real port, and a browser with a signed-in user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.live import Visitor, serving


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The base URL of the small host."""
    with serving(app) as url:
        yield url


@pytest.fixture
def visitor(site: str) -> Iterator[Visitor]:
    """The browser of Bob, who is signed in."""
    person = Visitor(site, "bob")
    yield person
    person.close()
