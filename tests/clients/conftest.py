"""The small host behind a real port, and a person whose browser is signed in there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.live import Visitor, serving


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """Where the small host answers."""
    with serving(app) as address:
        yield address


@pytest.fixture
def visitor(site: str) -> Iterator[Visitor]:
    """Bob, at his browser."""
    person = Visitor(site, "bob")
    yield person
    person.close()
