"""Redis."""

from __future__ import annotations

import pytest

from flask_activepieces.doctor.data.redis import check_redis
from tests.support.doctor import codes, only, settings
from tests.support.requirements import require


def test_an_unreachable_server_is_found_without_its_password() -> None:
    finding = only(check_redis(settings(REDIS_URL="redis://:s3cret@127.0.0.1:9/0")), "redis-unreachable")

    assert "s3cret" not in str(finding)


@pytest.mark.redis
def test_a_server_that_answers_is_not_reported() -> None:
    assert codes(check_redis(settings(REDIS_URL=require("redis")))) == []


def test_without_the_setting_nothing_is_checked() -> None:
    assert codes(check_redis(settings())) == []
