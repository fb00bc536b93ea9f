"""Redis, if it counts failed attempts for all processes."""

from __future__ import annotations

from importlib import import_module

from ...config.settings import Settings
from ..findings import Findings, Kind

UNREACHABLE = Kind("redis-unreachable", "warning", "Each process counts failed attempts on its own.")


def check_redis(settings: Settings) -> Findings:
    """It answers, if the app is configured for it."""
    if settings.redis_url is None:
        return
    # The extra "redis", without which the app would not have started.
    redis = import_module("redis")
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        yield UNREACHABLE.found(
            f"The server of ACTIVEPIECES_REDIS_URL does not answer: {type(error).__name__}.",
            "Start Redis, and check the URL.",
        )
    finally:
        client.close()
