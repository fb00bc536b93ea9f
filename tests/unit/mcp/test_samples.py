"""The addresses of the samples of triggers."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import Schema, fields

from flask_activepieces.mcp.samples import describe_template, needs_fields, parse_uri, uri_of
from flask_activepieces.pieces.declarations import Trigger


class Filter(Schema):
    project = fields.String(required=True)
    size = fields.Integer(data_key="maxSize")


def trigger(form: Schema | None = None) -> Trigger:
    store: Any = None
    return Trigger(
        name="task_done",
        scopes=frozenset(),
        payload=Schema(),
        samples=list,
        input=form,
        title="Task done",
        description="When",
        store=store,
    )


def test_an_address_leads_back_to_its_trigger() -> None:
    assert parse_uri(uri_of(trigger())) == ("task_done", {})
    assert parse_uri("trigger://task_done/samples?project=a%20b&maxSize=") == (
        "task_done",
        {"project": "a b", "maxSize": ""},
    )


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "trigger://task_done",
        "trigger://task_done/other",
        "trigger://task_done/samples#x",
        "https://task_done/samples",
        "file:///etc/passwd",
        "trigger://[/samples",
    ],
)
def test_other_addresses_lead_nowhere(uri: str) -> None:
    assert parse_uri(uri) is None


def test_a_form_makes_a_template() -> None:
    assert describe_template(trigger(Filter()))["uriTemplate"] == "trigger://task_done/samples{?project,maxSize}"
    assert needs_fields(trigger(Filter()))
    assert not needs_fields(trigger())
