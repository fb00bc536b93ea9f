"""Which resource of the app a URL names (RFC 8707)."""

from __future__ import annotations

import pytest

from flask_activepieces.oauth.resources import API, InvalidTarget, Resource, Resources

MCP = Resource("mcp", "/mcp")
ISSUER = "https://app.example.com"


def resources(issuer: str = ISSUER, *, serves_mcp: bool = True) -> Resources:
    return Resources(issuer=issuer, mcp=MCP, serves_mcp=lambda: serves_mcp)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com/mcp",
        "https://app.example.com/mcp/",
        "HTTPS://App.Example.COM/mcp",
        "https://app.example.com:443/mcp",
    ],
)
def test_the_url_of_the_endpoint_names_the_endpoint(url: str) -> None:
    assert resources().find(url) == MCP


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "HTTPS://App.Example.COM/",
        "https://app.example.com:443",
    ],
)
def test_the_issuer_names_the_api(url: str) -> None:
    assert resources().find(url) == API


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/mcp",
        "mcp",
        "//app.example.com/mcp",
        "http://app.example.com/mcp",
        "https://app.example.com:8443/mcp",
        "https://app.example.com:0/mcp",
        "https://app.example.com:x/mcp",
        "https://app.example.com.evil.test/mcp",
        "https://evil.test/https://app.example.com/mcp",
        "https://app.example.com@evil.test/mcp",
        "https://evil.test@app.example.com/mcp",
        "https://:@app.example.com/mcp",
        "https://app.example.com#mcp",
        "https://app.example.com?x",
        "https://app.example.com?",
        "https://app.example.com//",
        "https://app.example.com/no-such-thing",
        "https://app.example.com/api/tasks",
        "https://app.example.com/other-app/mcp",
        "https://app.example.com/mcp/other",
        "https://app.example.com/mcp//",
        "https://app.example.com//mcp",
        "https://app.example.com/mcp?session=1",
        "https://app.example.com/mcp2",
        "https://app.example.com/MCP",
        "https://app.example.com/%6dcp",
        "https://app.example.com/a/../mcp",
        "https://app.example.com/mcp/..",
        "https://app.example.com/mcp#",
        "https://[app.example.com/mcp",
        "https://app.example.com\\@evil.test/mcp",
        "urn:app",
    ],
)
def test_every_other_url_names_nothing(url: str) -> None:
    assert resources().find(url) is None
    with pytest.raises(InvalidTarget):
        resources().requested(url, default=API)
    with pytest.raises(InvalidTarget):
        resources().confirmed(url, granted="api")


def test_a_mounted_app_has_its_path_in_its_identifiers() -> None:
    mounted = resources("https://example.com/crm")

    assert mounted.find("https://example.com/crm") == mounted.find("https://example.com/crm/") == API
    assert mounted.find("https://example.com/crm/mcp") == mounted.find("https://example.com/crm/mcp/") == MCP
    for path in ("", "/", "/mcp", "/crm/api", "/crm2", "/crm2/mcp", "/crmmcp", "/shop/crm/mcp", "/crm/mcp/other"):
        assert mounted.find(f"https://example.com{path}") is None


def test_all_names_of_loopback_are_one_app() -> None:
    local = resources("http://localhost:5000")

    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert local.find(f"http://{host}:5000/mcp") == MCP
    for url in ("http://localhost:5001/mcp", "http://localhost/mcp", "https://localhost:5000/mcp"):
        assert local.find(url) is None


def test_without_an_endpoint_its_url_names_nothing() -> None:
    assert resources(serves_mcp=False).find(f"{ISSUER}/mcp") is None


def test_a_request_without_a_resource_gets_the_default() -> None:
    assert resources().requested(None, default=API) == API
    assert resources().requested(None, default=MCP) == MCP
    assert resources().requested(f"{ISSUER}/mcp", default=API) == MCP


def test_a_later_request_names_the_granted_resource_or_none() -> None:
    assert resources().confirmed(None, granted="mcp") == MCP
    assert resources().confirmed(f"{ISSUER}/mcp", granted="mcp") == MCP
    assert resources().confirmed(ISSUER, granted="api") == API
    for url, granted in ((ISSUER, "mcp"), (f"{ISSUER}/mcp", "api")):
        with pytest.raises(InvalidTarget):
            resources().confirmed(url, granted=granted)


def test_a_grant_for_the_endpoint_outlives_its_switch() -> None:
    """So that the tokens work again when the endpoint is switched on again."""
    assert resources(serves_mcp=False).confirmed(None, granted="mcp") == MCP
