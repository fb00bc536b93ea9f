"""The examples on the page about consent: required scopes, and the JSON API."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import MakeApp
from tests.docs.conftest import RunPage
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.documents import DOCS, blocks, page

CONSENT = DOCS / "consent.md"


def test_the_scopes_example_is_a_valid_setting(make_app: MakeApp, run_page: RunPage) -> None:
    app = make_app(ACTIVEPIECES_SCOPES=run_page(CONSENT)["ACTIVEPIECES_SCOPES"])
    program = Program.registered(app, scope="profile:read tasks:read")

    consent_page = Person(app, "bob").sees(program.question(scope="profile:read tasks:read"))

    boxes = [attributes["value"] for tag, attributes in consent_page.tags if attributes.get("type") == "checkbox"]
    assert boxes == ["tasks:read"]


def shape_of(value: Any) -> Any:
    """The keys and types of a JSON value, without its contents."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) else type(value)


def test_the_consent_request_matches_the_documented_example(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_CONSENT_URL="/consent")
    bob = Person(app, "bob")
    sent = bob.opens(Program.registered(app).question())
    request_id = brought_back(sent)["request_id"]

    question = answer_of(bob.opens(f"/oauth/authorize/request/{request_id}"))

    (example,) = blocks(page("consent"), "json")
    assert shape_of(question) == shape_of(json.loads(example))
