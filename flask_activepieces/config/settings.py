"""The only reader of ``ACTIVEPIECES_*`` settings: once per app, into one frozen object.

All problems are reported together. Every value may also be a string, so that environment variables can be passed as
they are: lists as JSON or comma-separated, mappings as JSON. Nothing that would weaken security (plain PKCE, http off
loopback) is a setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from ..crypto.jwt_keys import JwtKeys, configured_keys, derived_keys
from ..crypto.keyring import KeyRing
from ..errors import ConfigError
from .key_strength import weakness
from .parsers import (
    ascii_token,
    boolean,
    key_list,
    one_of,
    parse_json,
    rsa_private_key,
    seconds_between,
    string_list,
    whole_number,
)
from .urls import consent_url, is_loopback_url, path_prefix, public_url, redis_url, server_url

log = logging.getLogger(__name__)

PREFIX = "ACTIVEPIECES_"
#: What is shorter is no key anywhere, not even on loopback.
MINIMUM_KEY_LENGTH = 16
MAKE_A_KEY = "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
#: Activepieces refreshes 15 minutes before a token ends: at 900 s or less it would refresh on every read.
SHORTEST_ACCESS_TOKEN_TTL = 901
LONGEST_ACCESS_TOKEN_TTL = 86_400
#: Activepieces without a worker is silent for 300 seconds before it says so.
LONGEST_TIMEOUT = 310

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """One permission that an OAuth client may ask for, as the consent page describes it."""

    name: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class ThirdPartyApp:
    """This app's registration at a third party, by which its users authorize that party's piece."""

    client_id: str
    client_secret: str = field(repr=False)
    #: What to ask for; None asks for all that the piece wants.
    scope: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this app is configured. Each field is the key ``ACTIVEPIECES_<FIELD>``, see docs/configuration.md."""

    base_url: str
    api_key: str | None = field(repr=False)
    project_id: str | None
    piece_name: str | None
    allowed_base_urls: tuple[str, ...]
    timeout: int
    third_party_apps: Mapping[str, ThirdPartyApp]
    signing_key: str | None = field(repr=False)
    signing_key_id: str | None
    piece_set: str | None
    public_url: str | None
    url_prefix: str
    oauth_prefix: str
    secret_keys: KeyRing
    jwt_keys: JwtKeys = field(repr=False)
    scopes: Mapping[str, Scope]
    access_token_ttl: int
    refresh_token_ttl: int
    code_ttl: int
    revocation_max_staleness: int
    redis_url: str | None = field(repr=False)
    consent_url: str | None
    release_session: bool
    sqlite_wal: bool | None
    trigger_delivery: str
    deliveries_per_server: int
    delivery_retention_days: int

    @classmethod
    def from_app_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read every key; raise one `ConfigError` that lists all problems by key."""
        reader = _Reader(config)
        public = reader.read("PUBLIC_URL", None, public_url)
        ring = reader.key_ring(is_public=public is not None and not is_loopback_url(public))
        settings: dict[str, Any] = {
            "base_url": reader.read("BASE_URL", "https://cloud.activepieces.com", server_url),
            "api_key": reader.read("API_KEY", None, ascii_token),
            "project_id": reader.read("PROJECT_ID", None, ascii_token),
            "piece_name": reader.read("PIECE_NAME", None, ascii_token),
            "allowed_base_urls": reader.read("ALLOWED_BASE_URLS", (), _server_urls),
            "timeout": reader.read("TIMEOUT", 30, seconds_between(1, LONGEST_TIMEOUT)),
            "third_party_apps": reader.read("THIRD_PARTY_APPS", {}, _third_party_apps),
            "signing_key": reader.read("SIGNING_KEY", None, rsa_private_key),
            "signing_key_id": reader.read("SIGNING_KEY_ID", None, ascii_token),
            "piece_set": reader.read("PIECE_SET", None, ascii_token),
            "public_url": public,
            "url_prefix": reader.read("URL_PREFIX", "/api/integration/activepieces", path_prefix),
            "oauth_prefix": reader.read("OAUTH_PREFIX", "/oauth", path_prefix),
            "secret_keys": ring,
            "jwt_keys": reader.jwt_keys(ring),
            "scopes": reader.read("SCOPES", {}, _scopes),
            "access_token_ttl": reader.read(
                "ACCESS_TOKEN_TTL", 3600, seconds_between(SHORTEST_ACCESS_TOKEN_TTL, LONGEST_ACCESS_TOKEN_TTL)
            ),
            "refresh_token_ttl": reader.read(
                "REFRESH_TOKEN_TTL", 90 * 86_400, seconds_between(86_400, 10 * 365 * 86_400)
            ),
            # RFC 6749 §4.1.2 recommends ten minutes at most.
            "code_ttl": reader.read("CODE_TTL", 60, seconds_between(10, 600)),
            "revocation_max_staleness": reader.read("REVOCATION_MAX_STALENESS", 0, seconds_between(0, 300)),
            "redis_url": reader.read("REDIS_URL", None, redis_url),
            "consent_url": reader.read("CONSENT_URL", None, lambda value: consent_url(value, app_url=public)),
            "release_session": reader.read("RELEASE_SESSION", True, boolean),
            "sqlite_wal": reader.read("SQLITE_WAL", None, boolean),
            "trigger_delivery": reader.read("TRIGGER_DELIVERY", "webhook", one_of("webhook", "polling")),
            "deliveries_per_server": reader.read("DELIVERIES_PER_SERVER", 10, whole_number(1, 1000)),
            "delivery_retention_days": reader.read("DELIVERY_RETENTION_DAYS", 30, whole_number(4, 3650, "days")),
        }
        reader.check_together("SIGNING_KEY", "SIGNING_KEY_ID")
        reader.warn_of_unknown_keys(settings)
        if reader.problems:
            raise ConfigError(reader.problems)
        return cls(**settings)


class _Reader:
    """Reads keys and collects what is wrong with them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self.problems: list[str] = []

    def read(self, name: str, default: Any, convert: Callable[[Any], T]) -> T | None:
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

    def warn_of_unknown_keys(self, known: Mapping[str, Any]) -> None:
        names = [name.upper() for name in known]
        for key in self._config:
            name = key.removeprefix(PREFIX)
            if key.startswith(PREFIX) and name not in names:
                similar = get_close_matches(name.upper(), names, n=1)
                hint = f" Did you mean {PREFIX}{similar[0]}?" if similar else ""
                # Not an error: an older or newer version may share this environment.
                log.warning("%s is not a setting of this version.%s", key, hint)


def _server_urls(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(server_url(url) for url in string_list(value)))


def _scopes(value: Any) -> dict[str, Scope]:
    if isinstance(value, str):
        value = parse_json(value)
    if not isinstance(value, Mapping):
        raise ValueError('must map scope names to descriptions, such as {"tasks:read": "See tasks"}')
    return {name: _scope(name, described) for name, described in value.items()}


def _scope(name: Any, described: Any) -> Scope:
    # RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    is_token = isinstance(name, str) and all("!" <= c <= "~" and c not in '"\\' for c in name)
    if not name or not is_token:
        raise ValueError(f"{name!r} is not a scope name: printable ASCII without space, quote, backslash")
    description, required = described, False
    if isinstance(described, Mapping):
        description, required = described.get("description"), described.get("required") is True
    if not isinstance(description, str) or not description.strip():
        raise ValueError(f"scope {name} needs a description")
    return Scope(name, description.strip(), required)


def _third_party_apps(value: Any) -> dict[str, ThirdPartyApp]:
    if isinstance(value, str):
        value = parse_json(value)
    if not isinstance(value, Mapping):
        raise ValueError("must map piece names to client_id and client_secret")
    return {str(name): _third_party_app(str(name), app) for name, app in value.items()}


def _third_party_app(piece_name: str, app: Any) -> ThirdPartyApp:
    if not isinstance(app, Mapping) or set(app) - {"client_id", "client_secret", "scope"}:
        raise ValueError(f"{piece_name}: expected keys client_id, client_secret and optional scope")
    try:
        client_id, client_secret = (ascii_token(app.get("client_id")), ascii_token(app.get("client_secret")))
    except ValueError:
        raise ValueError(f"{piece_name} needs a client_id and a client_secret") from None
    scope = app.get("scope")
    return ThirdPartyApp(client_id, client_secret, None if scope is None else tuple(str(scope).split()))
