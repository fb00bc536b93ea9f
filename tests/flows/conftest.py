"""Who is attacked."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.actors import Person, Program


@pytest.fixture(params=["a stranger", "a user", "a user who said yes before"])
def victim(request: pytest.FixtureRequest, app: Flask, program: Program) -> Person:
    """Who is lured to the address; the last one would be answered without being asked."""
    person = Person(app, None if request.param == "a stranger" else "bob")
    if request.param == "a user who said yes before":
        person.answers(program.question())
    return person
