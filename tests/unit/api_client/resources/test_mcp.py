"""MCP servers of all kinds: fields that a server would ignore are not sent."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.errors import AuthenticationFailed, CallNotSupported, UnexpectedResponse
from flask_activepieces.api_client.resources.mcp import Mcp
from flask_activepieces.errors import InvalidInput
from tests.support.calls import FakeTransport, recorded, says

PROJECT = "H4SMHoAgJs8TNlXiaOIoV"
PATH = f"/projects/{PROJECT}/mcp-server"
NEW = "mcp: project mcp-server (current token)"
OLD = "[0.78.2] mcp-server get (user)"


def unknown_kind(**more: Any) -> dict[str, Any]:
    return {"id": "m", "token": "t" * 72, "created": "c", "updated": "u", **more}


def of_0_80(tools: list[str] | None = None) -> dict[str, Any]:
    """As the source of 0.80 to 0.82 has it: a switch, and a list that is null until someone chooses."""
    return unknown_kind(projectId=PROJECT, status="DISABLED", enabledTools=tools, flows=[])


def of_0_83(tools: list[str] | None = None) -> dict[str, Any]:
    """As the source of 0.83 has it: the same list, and no switch."""
    return unknown_kind(projectId=PROJECT, platformId=None, type="PROJECT", enabledTools=tools, flows=[])


def test_a_0_85_server_has_disabled_tools() -> None:
    transport = says("mcp: rotate")

    server = Mcp(transport).get(PROJECT)

    assert (server.dialect, server.disabled_tools) == ("0.85", ("nope",))
    assert (server.enabled, server.status) == (None, None)
    assert server.project_id == PROJECT
    assert transport.lines == [f"GET {PATH}"]


def test_a_0_78_server_can_be_enabled_and_disabled() -> None:
    server = Mcp(says(OLD)).get("h3kUN4bpL90lVEmp9h414")

    assert (server.dialect, server.enabled, server.disabled_tools) == ("0.78", False, None)


@pytest.mark.parametrize(("body", "enabled"), [(of_0_80(), False), (of_0_83(), None)])
def test_a_0_80_server_has_enabled_tools_or_all(body: dict[str, Any], enabled: bool | None) -> None:
    untouched = Mcp(says(body)).get(PROJECT)
    chosen = Mcp(says(body | {"enabledTools": ["ap_create_flow"]})).get(PROJECT)

    assert (untouched.dialect, untouched.enabled_tools, untouched.enabled) == ("0.80", None, enabled)
    assert (chosen.dialect, chosen.enabled_tools, chosen.disabled_tools) == ("0.80", ("ap_create_flow",), None)


def test_a_0_85_server_whose_list_is_null_has_no_disabled_tool() -> None:
    server = Mcp(says(unknown_kind(disabledTools=None))).get(PROJECT)

    assert (server.dialect, server.disabled_tools) == ("0.85", ())


def test_the_kind_of_a_server_is_not_what_it_says() -> None:
    assert Mcp(says(unknown_kind(dialect="0.85"))).get(PROJECT).dialect is None


def test_a_server_of_an_unknown_kind_is_returned() -> None:
    server = Mcp(says(unknown_kind())).get(PROJECT)

    assert (server.dialect, server.enabled, server.disabled_tools) == (None, None, None)


def test_the_server_of_the_platform_belongs_to_no_project() -> None:
    transport = says("mcp: platform (user)")

    server = Mcp(transport).get_platform()

    assert (server.project_id, server.platform_id) == (None, "qQnsmKagCnxENqoYPvJCq")
    assert transport.lines == ["GET /mcp-server"]


def test_a_masked_token_shows_only_its_last_characters() -> None:
    server = Mcp(says("mcp: rotate")).get(PROJECT)

    assert server.token.startswith("U7WcjgpJkYci")
    assert server.masked_token == f"…{server.token[-4:]}"
    assert server.token not in repr(server)


def test_tools_are_disabled() -> None:
    transport = says(NEW, "mcp: project mcp-server update")

    server = Mcp(transport).update(PROJECT, disabled_tools=["ap_delete_flow"])

    assert server.disabled_tools == ("ap_delete_flow",)
    assert transport.lines == [f"GET {PATH}", f"POST {PATH}"]
    assert transport.last.body == {"disabledTools": ["ap_delete_flow"]}


def test_all_tools_are_enabled_again() -> None:
    transport = says(NEW, NEW)

    assert Mcp(transport).update(PROJECT, disabled_tools=()).disabled_tools == ()
    assert transport.last.body == {"disabledTools": []}


@pytest.mark.parametrize("body", [of_0_80(), of_0_83()])
def test_enabled_tools_are_chosen(body: dict[str, Any]) -> None:
    transport = says(body, body | {"enabledTools": ["ap_create_flow"]})

    server = Mcp(transport).update(PROJECT, enabled_tools=("ap_create_flow",))

    assert server.enabled_tools == ("ap_create_flow",)
    assert transport.lines == [f"GET {PATH}", f"POST {PATH}"]
    assert transport.last.body == {"enabledTools": ["ap_create_flow"]}


def test_a_0_80_server_can_be_enabled_too() -> None:
    transport = says(of_0_80(), of_0_80() | {"status": "ENABLED"})

    assert Mcp(transport).update(PROJECT, enabled=True).enabled is True
    assert transport.last.body == {"status": "ENABLED"}


@pytest.mark.parametrize(("enabled", "status"), [(True, "ENABLED"), (False, "DISABLED")])
def test_an_old_server_is_enabled_or_disabled(enabled: bool, status: str) -> None:
    transport = says(OLD, "[0.78.2] mcp-server enable {status}")

    Mcp(transport).update(PROJECT, enabled=enabled)

    assert transport.last.body == {"status": status}


@pytest.mark.parametrize(
    ("server", "change"),
    [
        (NEW, {"enabled": True}),
        (NEW, {"enabled_tools": ["ap_delete_flow"]}),
        (OLD, {"disabled_tools": ["ap_delete_flow"]}),
        (OLD, {"enabled_tools": ["ap_delete_flow"]}),
        (of_0_80(), {"disabled_tools": ["ap_delete_flow"]}),
        (of_0_83(), {"disabled_tools": ["ap_delete_flow"]}),
        (of_0_83(), {"enabled": True}),
        (unknown_kind(), {"enabled": True}),
        (unknown_kind(), {"disabled_tools": []}),
    ],
)
def test_a_change_that_a_server_would_ignore_is_refused(server: str | dict[str, Any], change: dict[str, Any]) -> None:
    """A 0.85.2 server answers 200 to the fields of 0.78 and ignores them."""
    transport = says(server)

    with pytest.raises(CallNotSupported) as refused:
        Mcp(transport).update(PROJECT, **change)

    assert refused.value.operation == "mcp.update"
    assert refused.value.remedy
    assert transport.lines == [f"GET {PATH}"]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"enabled": True, "disabled_tools": []},
        {"enabled": False, "enabled_tools": []},
        {"enabled_tools": [], "disabled_tools": []},
    ],
)
def test_only_one_field_is_changed_at_a_time(change: dict[str, Any]) -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Mcp(transport).update(PROJECT, **change)

    assert transport.calls == []


@pytest.mark.parametrize("name", ["mcp: rotate", "[0.78.2] mcp-server rotate"])
def test_a_rotation_returns_a_new_token(name: str) -> None:
    transport = says(name)

    server = Mcp(transport).rotate_token(PROJECT)

    assert len(server.token) == 72
    assert transport.lines == [f"POST {PATH}/rotate"]
    assert transport.last.body is None
    assert not transport.last.is_repeatable


def test_the_server_of_the_platform_is_changed_and_rotated() -> None:
    transport = says("mcp: platform (user)", "mcp: platform (user)", "mcp: platform (user)")

    Mcp(transport).update_platform(disabled_tools=["ap_delete_flow"])
    Mcp(transport).rotate_platform_token()

    assert transport.lines == ["GET /mcp-server", "POST /mcp-server", "POST /mcp-server/rotate"]


def test_an_api_key_is_refused_by_activepieces_too() -> None:
    transport = FakeTransport([recorded("mcp: project mcp-server (api key)")])

    with pytest.raises(AuthenticationFailed):
        Mcp(transport).get(PROJECT)


def test_a_response_without_a_token_is_unexpected() -> None:
    with pytest.raises(UnexpectedResponse):
        Mcp(says({"id": "m", "created": "c", "updated": "u", "status": "ENABLED"})).get(PROJECT)
