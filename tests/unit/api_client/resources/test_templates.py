"""Templates, from the gallery or from a file."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.errors import UnexpectedResponse
from flask_activepieces.api_client.resources.templates import Templates, template_from_json
from tests.support.calls import says
from tests.support.recordings import recording

TEMPLATE = {**recording("flow template").body, "id": "t1", "type": "CUSTOM"}


def test_templates_are_searched() -> None:
    transport = says({"data": [TEMPLATE], "next": None, "previous": None})

    (template,) = Templates(transport).list(
        type="CUSTOM", search="flow", pieces=["@activepieces/piece-http"], category="SALES"
    )

    assert (template.id, template.name) == ("t1", "Renamed flow")
    assert transport.lines == ["GET /templates"]
    assert transport.last.query == {
        "type": "CUSTOM",
        "search": "flow",
        "pieces": ["@activepieces/piece-http"],
        "category": "SALES",
    }


def test_a_template_is_fetched_by_id() -> None:
    transport = says(TEMPLATE)

    assert Templates(transport).get("t1").id == "t1"
    assert transport.lines == ["GET /templates/t1"]


def test_an_exported_file_is_a_template() -> None:
    template = template_from_json(recording("flow template").body)

    assert [flow.display_name for flow in template.flows] == ["Renamed flow"]
    assert template.metadata == {"externalId": "SfMgNeUP7KBVjYWDb9dZy"}


@pytest.mark.parametrize("data", [None, [], "text", {}, {"name": "x", "type": "SHARED", "flows": [{}]}])
def test_another_file_is_not_a_template(data: object) -> None:
    with pytest.raises(UnexpectedResponse):
        template_from_json(data)
