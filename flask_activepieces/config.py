"""The only reader of ``ACTIVEPIECES_*`` keys: once per app, into one frozen object, all problems told together.

Every value may also be text, so that environment variables can be handed over as they are: lists as JSON or
comma-separated, mappings as JSON. What would weaken security (plain PKCE, http off loopback) is not a key.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from .errors import ConfigError
from .jwt_keys import JwtKeys, configured_keys, derived_keys
from .signing import KeyRing

log = logging.getLogger(__name__)

PREFIX = "ACTIVEPIECES_"
MINIMUM_KEY_LENGTH = 16
#: Activepieces refreshes 15 minutes before a token ends: at 900 s or less it would refresh on every read.
SHORTEST_ACCESS_TOKEN_TTL = 901
LONGEST_ACCESS_TOKEN_TTL = 86_400

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """One thing an outside program may ask for, in the words that the consent page shows."""

    name: str
    words: str
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this app is configured. Each field is the key ``ACTIVEPIECES_<FIELD>``, see docs/configuration.md."""

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

    @classmethod
    def from_app_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read every key; raise one `ConfigError` that lists all problems by key."""
        reader = _Reader(config)
        ring = reader.key_ring()
        settings: dict[str, Any] = {
            "public_url": reader.read("PUBLIC_URL", None, _public_url),
            "url_prefix": reader.read("URL_PREFIX", "/api/integration/activepieces", _path_prefix),
            "oauth_prefix": reader.read("OAUTH_PREFIX", "/oauth", _path_prefix),
            "secret_keys": ring,
            "jwt_keys": reader.jwt_keys(ring),
            "scopes": reader.read("SCOPES", {}, _scopes),
            "access_token_ttl": reader.read(
                "ACCESS_TOKEN_TTL",
                3600,
                _seconds(SHORTEST_ACCESS_TOKEN_TTL, LONGEST_ACCESS_TOKEN_TTL),
            ),
            "refresh_token_ttl": reader.read(
                "REFRESH_TOKEN_TTL", 90 * 86_400, _seconds(86_400, 10 * 365 * 86_400)
            ),
            # RFC 6749 §4.1.2 recommends ten minutes at most.
            "code_ttl": reader.read("CODE_TTL", 60, _seconds(10, 600)),
            "revocation_max_staleness": reader.read(
                "REVOCATION_MAX_STALENESS", 0, _seconds(0, 300)
            ),
            "redis_url": reader.read("REDIS_URL", None, _redis_url),
            "consent_url": reader.read("CONSENT_URL", None, _consent_url),
        }
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

    def key_ring(self) -> KeyRing:
        keys = self.read("SECRET_KEYS", None, _texts)
        source = PREFIX + "SECRET_KEYS"
        if keys is None:
            source = "SECRET_KEY"
            own = [
                self._config.get("SECRET_KEY"),
                *(self._config.get("SECRET_KEY_FALLBACKS") or ()),
            ]
            keys = [
                key.decode("latin-1") if isinstance(key, bytes) else str(key) for key in own if key
            ]
        make = "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        if not keys:
            self.problems.append(f"SECRET_KEY: it is not set; {make}")
        elif any(len(key) < MINIMUM_KEY_LENGTH for key in keys):
            self.problems.append(
                f"{source}: a key shorter than {MINIMUM_KEY_LENGTH} characters can be guessed; {make}"
            )
        return KeyRing(keys or ["no key: init_app is about to refuse this"])

    def jwt_keys(self, ring: KeyRing) -> JwtKeys:
        configured = self.read("JWT_KEYS", None, lambda value: configured_keys(_key_texts(value)))
        # Tokens signed before JWT_KEYS was set go on verifying: derived keys stay at the end of the list.
        return JwtKeys((configured or ()) + derived_keys(ring))

    def warn_of_unknown_keys(self, known: Mapping[str, Any]) -> None:
        for key in self._config:
            if key.startswith(PREFIX) and key[len(PREFIX) :].lower() not in known:
                # Not an error: an older or newer version may share this environment.
                log.warning("%s is no setting of this version; is it misspelt?", key)


#: RFC 3986 characters: nothing that ends a header line or an attribute, nothing that a browser "repairs".
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("it is not a valid URL") from None
    if not _URL.fullmatch(url):
        raise ValueError("it has characters that do not belong in a URL")
    return parts


def _public_url(value: Any) -> str:
    url = str(value).rstrip("/")
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be an absolute URL such as https://app.example.com")
    if parts.query or parts.fragment or parts.username is not None:
        # RFC 8414 §2: an issuer has no query and no fragment.
        raise ValueError("it must have no user name, no query and no fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("plain http is for loopback only; put TLS in front and write https://")
    return url


def is_loopback(hostname: str) -> bool:
    """Whether a host name or address literal is this machine itself (RFC 8252 §7.3)."""
    if hostname == "localhost":
        return True
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return False  # a name, and it is for some DNS server to say what it means


def _path_prefix(value: Any) -> str:
    prefix = str(value)
    if (
        not prefix.startswith("/")
        or prefix.endswith("/")
        or "//" in prefix
        or set(prefix) & set("?#<>")
    ):
        raise ValueError(
            "it must be a path that starts with a slash and ends without one, such as /oauth"
        )
    return prefix


def _seconds(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        try:
            seconds = int(str(value))
        except ValueError:
            raise ValueError("it must be a whole number of seconds") from None
        if not low <= seconds <= high:
            raise ValueError(f"it must be between {low} and {high} seconds")
        return seconds

    return convert


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        value = _json(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ValueError("it must be a list of texts")
    return [item.strip() for item in value if item.strip()]


def _key_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[", "{")):
            return [text]
        value = _json(text)
    if isinstance(value, Mapping):
        value = value.get("keys", [value])  # a JWK set (RFC 7517 §5) or one key
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("it must be a list of private keys, as PEM or JSON Web Keys")
    return [item if isinstance(item, str) else json.dumps(item) for item in value]


def _scopes(value: Any) -> dict[str, Scope]:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, Mapping):
        raise ValueError('it must map scope names to words, such as {"tasks:read": "See tasks"}')
    return {name: _scope(name, words) for name, words in value.items()}


def _scope(name: Any, words: Any) -> Scope:
    # RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    if (
        not isinstance(name, str)
        or not name
        or not all("!" <= c <= "~" and c not in '"\\' for c in name)
    ):
        raise ValueError(
            f"{name!r} is not a scope name: printable ASCII without space, quote, backslash"
        )
    required = False
    if isinstance(words, Mapping):
        required = words.get("required", False) is True
        words = words.get("title")
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"scope {name} has no words for the consent page")
    return Scope(name, words.strip(), required)


def _redis_url(value: Any) -> str:
    url = str(value)
    if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("it must start with redis://, rediss:// or unix://")
    return url


def _consent_url(value: Any) -> str:
    url = str(value)
    parts = _split(url)
    relative = not parts.scheme and not parts.netloc and url.startswith("/")
    secure = (parts.scheme == "https" and bool(parts.hostname)) or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not (relative or secure) or parts.fragment:
        raise ValueError("it must be a path of this app or an https URL, without a fragment")
    return url


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("it starts like JSON but is not valid JSON") from None
