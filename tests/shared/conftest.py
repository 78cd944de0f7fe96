"""A Redis database of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway


@pytest.fixture
def redis_url(worker_id: str) -> Iterator[str]:
    """A database on the local Redis, empty before and after; one per test process."""
    number = 8 + (int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0)
    url = f"redis://127.0.0.1:6379/{number}"
    redis = Redis.from_url(url)
    try:
        redis.flushdb()
    except RedisAway:
        if os.environ.get("CI"):
            raise
        pytest.skip("no Redis on 127.0.0.1:6379")
    yield url
    redis.flushdb()
