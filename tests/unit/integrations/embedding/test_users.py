"""Who a user of the app is in Activepieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flask_activepieces.api_client.embedding_token import EmbeddedUser
from flask_activepieces.errors import SetupError
from flask_activepieces.host.interface import Principal, Workspace
from flask_activepieces.integrations.embedding.users import embedded_user, workspace_name
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import WITHOUT_CREDENTIALS

ACME = WITHOUT_CREDENTIALS
LABS = replace(ACME, organization_id="labs")


def user(principal: Principal, integration: Integration = ACME, **more: Any) -> EmbeddedUser:
    options: dict[str, Any] = {"role": "Editor", "workspace_name": "Acme", "piece_set": None, "piece_tags": None}
    return embedded_user(integration, principal, **options | more)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace")),
        ("Ada King Lovelace", ("Ada", "King Lovelace")),
        ("  Ada   Lovelace ", ("Ada", "Lovelace")),
        ("ada@acme.test", ("ada@acme.test", "Acme")),
    ],
)
def test_a_name_is_split_into_two(name: str, expected: tuple[str, str]) -> None:
    made = user(Principal("7", "acme", name))

    assert (made.first_name, made.last_name) == expected


@pytest.mark.parametrize(("name", "workspace"), [("", "Acme"), ("  ", "Acme"), ("Ada", " ")])
def test_a_user_without_a_name_is_refused_with_the_remedy(name: str, workspace: str) -> None:
    with pytest.raises(SetupError, match="User '7' has no name.*return a Principal with a display_name"):
        user(Principal("7", "acme", name), workspace_name=workspace)


def test_a_user_is_another_one_in_each_project() -> None:
    """A session covers all projects of a user."""
    ids = {
        user(Principal("7", "acme", "Ada"), ACME).external_user_id,
        user(Principal("7", "acme", "Ada"), LABS).external_user_id,
        user(Principal("7", "globex", "Ada"), replace(ACME, tenant_id="globex")).external_user_id,
        # Not the user "labs/7" of the tenant as a whole.
        user(Principal("labs/7", "acme", "Ada"), ACME).external_user_id,
    }

    assert ids == {"acme/7", "acme/labs/7", "globex/7", "acme/labs%2F7"}


def test_the_project_is_that_of_the_integration() -> None:
    assert user(Principal("7", "acme", "Ada"), LABS).external_project_id == "acme/labs"


def test_tags_replace_the_piece_set() -> None:
    ada = Principal("7", "acme", "Ada")

    assert user(ada, piece_set="crm").piece_set == "crm"
    assert user(ada, piece_set="crm", piece_tags=["free"]).piece_set is None
    assert user(ada, piece_set="crm", piece_tags=["free"]).piece_tags == ("free",)


@pytest.mark.parametrize(
    ("integration", "expected"), [(ACME, "Acme"), (LABS, "The lab"), (replace(ACME, organization_id="x"), "x")]
)
def test_the_workspace_is_named_as_the_host_names_it(integration: Integration, expected: str) -> None:
    workspaces = [Workspace("globex", "Globex"), Workspace("acme", "Acme"), Workspace("acme", "The lab", "labs")]

    assert workspace_name(workspaces, integration) == expected
