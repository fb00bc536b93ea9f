"""The only reader of ``ACTIVEPIECES_*`` settings: once per app, into one frozen object.

All problems are reported together. Every value may also be a string, so that environment variables can be passed as
they are: lists as JSON or comma-separated, mappings as JSON. Nothing that would weaken security (plain PKCE, http off
loopback) is a setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ..crypto.jwt_keys import JwtKeys, configured_keys, derived_keys
from ..crypto.keyring import KeyRing
from ..errors import ConfigError
from .brand import color, page_url, support_address
from .parsers import (
    ascii_token,
    boolean,
    json_mapping,
    key_list,
    one_line,
    one_of,
    rsa_private_key,
    seconds_between,
    string_list,
    subset_of,
    weakness,
    whole_number,
)
from .scopes import Scope, scopes
from .urls import consent_url, is_loopback, path_prefix, public_url, redis_url, script_url, server_url, web_origin

log = logging.getLogger(__name__)

PREFIX = "ACTIVEPIECES_"
#: What is shorter is no key anywhere, not even on loopback.
MINIMUM_KEY_LENGTH = 16
MAKE_A_KEY = "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
#: Activepieces refreshes 15 minutes before a token ends: at 900 s or less it would refresh on every read.
SHORTEST_ACCESS_TOKEN_TTL = 901
LONGEST_ACCESS_TOKEN_TTL = 86_400
#: The pages of the automation area, in the order of its navigation.
AUTOMATION_PAGES = (
    "overview",
    "connections",
    "flows",
    "builder",
    "deliveries",
    "mcp",
    "agents",
    "piece",
    "clients",
    "audit",
    "setup",
)
#: Works with every server from 0.70 on. A later one has more options, and needs a later server.
DEFAULT_EMBED_SDK_URL = "https://cdn.activepieces.com/sdk/embed/0.8.1.js"
#: Activepieces without a worker is silent for 300 seconds before it says so.
LONGEST_TIMEOUT = 310


@dataclass(frozen=True)
class ThirdPartyApp:
    """This app's registration at a third party, by which its users authorize that party's piece."""

    client_id: str
    client_secret: str = field(repr=False)
    #: What to ask for; None asks for all that the piece wants.
    scope: tuple[str, ...] | None = None


def _server_urls(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(server_url(url) for url in string_list(value)))


def _web_origins(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(web_origin(url) for url in string_list(value)))


def _third_party_apps(value: Any) -> dict[str, ThirdPartyApp]:
    apps = json_mapping(value, "must map piece names to client_id and client_secret")
    return {str(name): _third_party_app(str(name), app) for name, app in apps.items()}


def _third_party_app(piece_name: str, app: Any) -> ThirdPartyApp:
    if not isinstance(app, Mapping) or set(app) - {"client_id", "client_secret", "scope"}:
        raise ValueError(f"{piece_name}: expected keys client_id, client_secret and optional scope")
    try:
        client_id, client_secret = (ascii_token(app.get("client_id")), ascii_token(app.get("client_secret")))
    except ValueError:
        raise ValueError(f"{piece_name} needs a client_id and a client_secret") from None
    scope = app.get("scope")
    return ThirdPartyApp(client_id, client_secret, None if scope is None else tuple(str(scope).split()))


def _setting(
    convert: Callable[[Any], object], default: object = None, *, secret: bool = False, key: str | None = None
) -> Any:
    return field(repr=not secret, metadata={"convert": convert, "default": default, "key": key})


def setting_key(setting: Field[Any]) -> str:
    """The key of a field of `Settings`, without the prefix."""
    return setting.metadata.get("key") or setting.name.upper()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this app is configured. Each field is the key ``ACTIVEPIECES_<FIELD>``, if it names no other key.

    See docs/configuration.md.
    """

    base_url: str = _setting(server_url, "https://cloud.activepieces.com")
    api_key: str | None = _setting(ascii_token, secret=True)
    project_id: str | None = _setting(ascii_token)
    piece_name: str | None = _setting(ascii_token)
    allowed_base_urls: tuple[str, ...] = _setting(_server_urls, ())
    timeout: int = _setting(seconds_between(1, LONGEST_TIMEOUT), 30)
    third_party_apps: Mapping[str, ThirdPartyApp] = _setting(_third_party_apps, {})
    signing_key: str | None = _setting(rsa_private_key, secret=True)
    signing_key_id: str | None = _setting(ascii_token)
    piece_set: str | None = _setting(ascii_token)
    embed_sdk_url: str = _setting(script_url, DEFAULT_EMBED_SDK_URL)
    public_url: str | None = _setting(public_url)
    url_prefix: str = _setting(path_prefix, "/api/integration/activepieces")
    oauth_prefix: str = _setting(path_prefix, "/oauth")
    mcp_path: str = _setting(path_prefix, "/mcp")
    #: None: as soon as the app declares an action for agents.
    mcp_enabled: bool | None = _setting(boolean, key="MCP")
    mcp_origins: tuple[str, ...] = _setting(_web_origins, ())
    mcp_token_limit: int = _setting(whole_number(1, 1_000_000, "requests"), 300)
    mcp_tenant_limit: int = _setting(whole_number(1, 1_000_000, "requests"), 3000)
    #: None: together with the MCP endpoint.
    client_documents: bool | None = _setting(boolean)
    client_documents_on_loopback: bool = _setting(boolean, False)
    dynamic_registration: bool = _setting(boolean, False)
    app_name: str | None = _setting(one_line(60))
    app_logo: str | None = _setting(page_url)
    app_url: str = _setting(page_url, "/")
    support: str | None = _setting(support_address)
    accent: str | None = _setting(color)
    accent_dark: str | None = _setting(color)
    color_scheme: str = _setting(one_of("system", "light", "dark"), "system")
    automation_prefix: str = _setting(path_prefix, "/automation")
    disabled_pages: tuple[str, ...] = _setting(subset_of(*AUTOMATION_PAGES), ())
    scopes: Mapping[str, Scope] = _setting(scopes, {})
    access_token_ttl: int = _setting(seconds_between(SHORTEST_ACCESS_TOKEN_TTL, LONGEST_ACCESS_TOKEN_TTL), 3600)
    refresh_token_ttl: int = _setting(seconds_between(86_400, 10 * 365 * 86_400), 90 * 86_400)
    # RFC 6749 §4.1.2 recommends ten minutes at most.
    code_ttl: int = _setting(seconds_between(10, 600), 60)
    revocation_max_staleness: int = _setting(seconds_between(0, 300), 0)
    redis_url: str | None = _setting(redis_url, secret=True)
    release_session: bool = _setting(boolean, True)
    sqlite_wal: bool | None = _setting(boolean)
    trigger_delivery: str = _setting(one_of("webhook", "polling"), "webhook")
    delivery_lease: int = _setting(seconds_between(9, 600), 90)
    deliveries_per_server: int = _setting(whole_number(1, 1000), 10)
    delivery_retention_days: int = _setting(whole_number(4, 3650, "days"), 30)
    # These depend on other settings.
    consent_url: str | None
    secret_keys: KeyRing
    jwt_keys: JwtKeys = field(repr=False)

    @classmethod
    def from_app_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read every key; raise one `ConfigError` that lists all problems by key."""
        reader = _Reader(config)
        values: dict[str, Any] = {
            f.name: reader.read(setting_key(f), f.metadata["default"], f.metadata["convert"])
            for f in fields(cls)
            if f.metadata
        }
        app_url = values["public_url"]
        is_public = app_url is not None and not is_loopback(urlsplit(app_url).hostname or "")
        ring = reader.key_ring(is_public=is_public)
        values["consent_url"] = reader.read("CONSENT_URL", None, partial(consent_url, app_url=app_url))
        values["secret_keys"], values["jwt_keys"] = ring, reader.jwt_keys(ring)
        reader.check_together("SIGNING_KEY", "SIGNING_KEY_ID")
        if is_public and values["client_documents_on_loopback"]:
            reader.problems.append(f"{PREFIX}CLIENT_DOCUMENTS_ON_LOOPBACK: for development only, on a loopback URL")
        reader.warn_of_unknown_keys([setting_key(f) for f in fields(cls)])
        if reader.problems:
            raise ConfigError(reader.problems)
        return cls(**values)


class _Reader:
    """Reads keys and collects what is wrong with them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self.problems: list[str] = []

    def read(self, name: str, default: Any, convert: Callable[[Any], Any]) -> Any:
        value = self._config.get(PREFIX + name)
        if value is None or value == "":
            value = default
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            self.problems.append(f"{PREFIX}{name}: {error}")
            return None

    def check_together(self, *names: str) -> None:
        """These settings are used together or not at all."""
        absent = [name for name in names if not self._config.get(PREFIX + name)]
        if len(absent) < len(names):
            together = " and ".join(PREFIX + name for name in names)
            self.problems += [f"{PREFIX}{name}: {together} must be set together" for name in absent]

    def key_ring(self, *, is_public: bool) -> KeyRing:
        keys = self.read("SECRET_KEYS", None, string_list)
        source = PREFIX + "SECRET_KEYS"
        if keys is None:
            source = "SECRET_KEY"
            own = [self._config.get("SECRET_KEY"), *(self._config.get("SECRET_KEY_FALLBACKS") or ())]
            keys = [key.decode("latin-1") if isinstance(key, bytes) else str(key) for key in own if key]
        if not keys:
            self.problems.append(f"SECRET_KEY: not set; {MAKE_A_KEY}")
        for number, key in enumerate(keys, 1):
            reason = weakness(key)
            if reason is None:
                continue
            name = f"{source}: it" if len(keys) == 1 else f"{source}: key {number}"
            text = f"{name} can be guessed, because {reason}; {MAKE_A_KEY}"
            if is_public or len(key) < MINIMUM_KEY_LENGTH:
                self.problems.append(text)
            else:
                log.warning("%s. It is refused with an ACTIVEPIECES_PUBLIC_URL for others.", text)
        return KeyRing(keys or ["no key: init_app is about to refuse this"])

    def jwt_keys(self, ring: KeyRing) -> JwtKeys:
        configured = self.read("JWT_KEYS", None, lambda value: configured_keys(key_list(value)))
        # Tokens signed before JWT_KEYS was set go on verifying: derived keys stay at the end of the list.
        return JwtKeys([*(configured or ()), *derived_keys(ring)])

    def warn_of_unknown_keys(self, names: Sequence[str]) -> None:
        for key in self._config:
            name = key.removeprefix(PREFIX)
            if key.startswith(PREFIX) and name not in names:
                similar = get_close_matches(name.upper(), names, n=1)
                hint = f" Did you mean {PREFIX}{similar[0]}?" if similar else ""
                # Not an error: an older or newer version may share this environment.
                log.warning("%s is not a setting of this version.%s", key, hint)
