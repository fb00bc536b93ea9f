"""The addresses of the app: its public URL, its mount path, and the URL of Activepieces."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from ...config.settings import Settings
from ...config.urls import is_loopback
from ..findings import Findings, Kind

MISSING = Kind(
    "public-url-missing",
    "error",
    "The app answers OAuth requests on this machine only, and its piece cannot find it.",
)
LOOPBACK = Kind(
    "public-url-loopback", "error", "Other machines cannot reach that address: connections cannot be made or renewed."
)
MOUNT_PATH = Kind("mount-path", "error", "Clients receive URLs outside the app.")
PLAIN_HTTP = Kind("activepieces-http", "warning", "API keys and connection values cross the network unencrypted.")
_REMEDY = "Set ACTIVEPIECES_PUBLIC_URL to the address that others use, such as https://app.example.com."
#: Names that only a private network knows.
_PRIVATE_SUFFIXES = (".local", ".internal", ".lan", ".home.arpa", ".localhost")


def check_public_url(settings: Settings, servers: Collection[str], redirect_uris: Collection[str]) -> Findings:
    """``servers`` and ``redirect_uris``: who has to reach the app."""
    remote = [f"Activepieces at {url}" for url in servers if not _is_on_this_machine(url)]
    remote += [f"a client at {uri}" for uri in redirect_uris if not _is_on_this_machine(uri)]
    if not remote:
        return
    who = f"{remote[0]} and {len(remote) - 1} more use" if len(remote) > 1 else f"{remote[0]} uses"
    if settings.public_url is None:
        yield MISSING.found(f"ACTIVEPIECES_PUBLIC_URL is not set, and {who} the app.", _REMEDY)
    elif _is_on_this_machine(settings.public_url):
        yield LOOPBACK.found(f"ACTIVEPIECES_PUBLIC_URL is {settings.public_url}, and {who} the app.", _REMEDY)


def check_mount_path(settings: Settings, mounts: Collection[str]) -> Findings:
    """``mounts``: the paths at which the app is mounted, as the server and the configuration say."""
    if settings.public_url is None:
        return
    public = urlsplit(settings.public_url)
    for mount in sorted({path.rstrip("/") for path in mounts} - {""}):
        if not public.path.endswith(mount):
            yield MOUNT_PATH.found(
                f"The app is mounted at {mount}, but ACTIVEPIECES_PUBLIC_URL does not end with that path.",
                f"Set it to {public.scheme}://{public.netloc}{mount}.",
            )


def check_base_url(settings: Settings) -> Findings:
    """The URL of Activepieces should be https, unless it is in a private network."""
    parts = urlsplit(settings.base_url)
    if parts.scheme == "http" and not _is_private(parts.hostname or ""):
        yield PLAIN_HTTP.found(
            f"ACTIVEPIECES_BASE_URL is {settings.base_url}.", f"Use https://{parts.netloc}{parts.path}."
        )


def _is_on_this_machine(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _is_private(host: str) -> bool:
    if is_loopback(host):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        # A name without a dot is one of a container network.
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)
