"""Folders of a project."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.errors import AuthenticationFailed
from flask_activepieces.api_client.resources.flows import Folder, Folders
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from tests.support.calls import FakeTransport, answer, says

FOLDER = Folder(id="f1", project_id="p1", display_name="Sales", display_order=0, created="c", updated="u")
JSON = {
    "id": "f1",
    "projectId": "p1",
    "displayName": "Sales",
    "displayOrder": 0,
    "created": "c",
    "updated": "u",
    "numberOfFlows": 2,
}


def test_folders_are_listed_with_one_call() -> None:
    transport = says({"data": [JSON], "next": None, "previous": None})

    assert list(Folders(transport).list("p1")) == [FOLDER]
    assert transport.lines == ["GET /folders"]
    assert transport.last.query == {"projectId": "p1", "limit": NO_LIMIT}


def test_a_folder_is_fetched_created_renamed_and_deleted() -> None:
    transport = FakeTransport([answer(200, JSON), answer(200, JSON), answer(200, JSON), answer(200)])
    folders = Folders(transport)

    assert folders.get("f1") == FOLDER
    assert folders.create("p1", "Sales") == FOLDER
    assert folders.update("f1", "Sales") == FOLDER
    folders.delete("f1")

    assert transport.lines == ["GET /folders/f1", "POST /folders", "POST /folders/f1", "DELETE /folders/f1"]
    assert transport.calls[1].body == {"projectId": "p1", "displayName": "Sales"}
    assert transport.calls[2].body == {"displayName": "Sales"}


def test_an_invalid_key_is_recognized_by_the_status() -> None:
    """The body of this response describes another error."""
    with pytest.raises(AuthenticationFailed) as refused:
        Folders(says("bad api key: /api/v1/folders")).list("p1")

    assert refused.value.status == 401
