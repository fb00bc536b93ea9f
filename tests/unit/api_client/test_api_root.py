"""Addresses of Activepieces as people write them, and the URL of the API."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.wire import api_root


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://ap.example.com", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api/", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api/v1", "https://ap.example.com/api/v1"),
        ("  http://127.0.0.1:8080\n", "http://127.0.0.1:8080/api/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/api/v1"),
        ("https://example.com/automation", "https://example.com/automation/api/v1"),
        # A 0.78 server without the nginx of its image.
        ("http://127.0.0.1:3000/v1", "http://127.0.0.1:3000/v1"),
    ],
)
def test_every_form_of_address_leads_to_the_api(address: str, root: str) -> None:
    assert api_root(address) == root


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ap.example.com",
        "ftp://ap.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@ap.example.com",
        "https://user@ap.example.com",
        "https://ap.example.com?key=secret",
        "https://ap.example.com/#top",
        "https://ap.example.com:port",
        "https://[::1",
    ],
)
def test_an_invalid_address_is_rejected_without_quoting_it(address: str) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        api_root(address)

    assert "secret" not in str(refused.value)
