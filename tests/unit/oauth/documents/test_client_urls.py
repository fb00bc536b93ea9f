"""Which URLs can be the id of a client: one spelling, which every reader of URLs understands in the same way."""

from __future__ import annotations

import pytest

from flask_activepieces.crypto.keyring import looks_like_id
from flask_activepieces.oauth.documents.client_urls import (
    MAX_LENGTH,
    DocumentError,
    looks_like_client_url,
    parse_client_url,
    stored_id,
)

GOOD = [
    "https://claude.ai/oauth/claude-code-client-metadata",
    "https://chatgpt.com/oauth/codex/client.json",
    "https://vscode.dev/oauth/client-metadata.json",
    "https://client.example/a/",
    "https://client.example/a%20b",
    "https://xn--e1afmkfd.example/client.json",
    "https://a.b.c-d.example/~x;v=1/@y",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_https_url_with_a_path_is_a_client(url: str) -> None:
    parsed = parse_client_url(url, allow_loopback=False)

    assert (parsed.scheme, parsed.port, parsed.is_loopback) == ("https", 443, False)
    assert parsed.url == url == f"https://{parsed.host}{parsed.path}"
    assert parsed.authority == parsed.host


EVASIONS = [
    # not https, or not a URL
    "",
    "client",
    "http://client.example/x",
    "HTTPS://client.example/x",
    "https:client.example/x",
    "https:/client.example/x",
    "//client.example/x",
    "ftp://client.example/x",
    "file:///etc/passwd",
    "gopher://client.example/x",
    # no path
    "https://client.example",
    "https://client.example/",
    # user names and passwords
    "https://user@client.example/x",
    "https://user:password@client.example/x",
    "https://@client.example/x",
    "https://client.example:443@internal.example/x",
    "https://client.example%40internal.example/x",
    # ports
    "https://client.example:443/x",
    "https://client.example:22/x",
    "https://client.example:8443/x",
    "https://client.example:0/x",
    "https://client.example:/x",
    "https://client.example:99999/x",
    # queries and fragments
    "https://client.example/x?y",
    "https://client.example/x?",
    "https://client.example/x#y",
    "https://client.example/x#",
    # dot segments, also in disguise
    "https://client.example/../x",
    "https://client.example/a/./x",
    "https://client.example/a/..",
    "https://client.example/%2e%2e/x",
    "https://client.example/a/%2E/x",
    "https://client.example/a/.%2e/x",
    "https://client.example/a%2fb",
    "https://client.example/a%5Cb",
    "https://client.example/a\\b",
    "https://client.example//x",
    "https://client.example/a//x",
    # escapes
    "https://client.example/%",
    "https://client.example/%0d%0aHost:%20internal",
    "https://client.example/%00",
    "https://client.example/%zz",
    # addresses, in every spelling that a resolver may know
    "https://127.0.0.1/x",
    "https://10.0.0.1/x",
    "https://93.184.216.34/x",
    "https://127.1/x",
    "https://0/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.0x0.0x0.0x1/x",
    "https://0177.0.0.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[2606:2800:220:1::1]/x",
    # host names
    "https://localhost/x",
    "https://metadata/x",
    "https://client.example./x",
    "https://.client.example/x",
    "https://client..example/x",
    "https://-client.example/x",
    "https://client-.example/x",
    "https://client_x.example/x",
    "https://Client.example/x",
    "https://clıent.example/x",
    "https://client.example。internal.example/x",
    f"https://{'a' * 64}.example/x",
    # characters
    "https://client.example/a b",
    "https://client.example/a\nb",
    "https://client.example/x\n",
    " https://client.example/x",
    "https://client.example/x\x00",
    "https://client.example/é",
    'https://client.example/"',
    "https://client.example/<x>",
    "https://client.example/" + "a" * MAX_LENGTH,
]


def is_refused(url: str, *, allow_loopback: bool) -> bool:
    try:
        parse_client_url(url, allow_loopback=allow_loopback)
    except DocumentError as error:
        return "must be like" in str(error)
    return False


@pytest.mark.parametrize("allow_loopback", [False, True])
def test_a_url_that_readers_understand_differently_is_refused(allow_loopback: bool) -> None:
    accepted = {url for url in EVASIONS if not is_refused(url, allow_loopback=allow_loopback)}

    of_the_setting = {"https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x"}
    assert accepted <= (of_the_setting if allow_loopback else set())


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://localhost:8000/client.json", "localhost", 8000),
        ("http://127.0.0.1:8000/client.json", "127.0.0.1", 8000),
        ("http://[::1]:8000/client.json", "::1", 8000),
        ("http://localhost/client.json", "localhost", 80),
        ("https://localhost/client.json", "localhost", 443),
    ],
)
def test_a_url_of_this_machine_is_for_developers_only(url: str, host: str, port: int) -> None:
    parsed = parse_client_url(url, allow_loopback=True)

    assert (parsed.host, parsed.port, parsed.is_loopback) == (host, port, True)
    assert f"//{parsed.authority}/" in url
    with pytest.raises(DocumentError):
        parse_client_url(url, allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.example:8000/x",
        "http://127.0.0.2/x",
        "http://127.0.0.1.example/x",
        "http://0.0.0.0:8000/x",
        "http://localhost:8000@client.example/x",
        "http://localhost:08000/x",
        "http://LOCALHOST/x",
    ],
)
def test_only_three_names_of_this_machine_are_allowed(url: str) -> None:
    with pytest.raises(DocumentError):
        parse_client_url(url, allow_loopback=True)


def test_the_stored_id_is_different_for_each_url_and_fits_into_a_column() -> None:
    ids = {stored_id(url) for url in (*GOOD, *EVASIONS)}

    assert len(ids) == len({*GOOD, *EVASIONS})
    assert all(looks_like_id(each) and len(each) <= 64 for each in ids)


@pytest.mark.parametrize(
    ("client_id", "is_url"), [(GOOD[0], True), ("http://localhost/x", True), ("5d1b8c0f", False)]
)
def test_an_id_is_a_url_or_one_of_ours(client_id: str, is_url: bool) -> None:
    assert looks_like_client_url(client_id) is is_url
