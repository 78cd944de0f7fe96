"""One address of Redis in the words of both libraries: every path of a Unix socket arrives as it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.url import url_to_parts
from redis import Redis

from shared.messages.queue import make_celery
from shared.network.redis_urls import broker_url, socket_path, unix_url

PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=80).map(
    lambda rest: f"/{rest}"
)


@given(path=PATHS, database=st.integers(0, 15))
def test_any_path_arrives_at_redis_py_and_at_celery(path: str, database: int) -> None:
    url = unix_url(path, database)
    assert socket_path(url) == path
    settings = Redis.from_url(url).connection_pool.connection_kwargs
    assert (settings["path"], settings["db"]) == (path, database)
    scheme, _, rest = broker_url(url).partition("+")
    assert scheme == "redis"
    assert ";" not in rest  # the end of one address of several
    parts = url_to_parts(rest)  # as the transport does, which then puts the slash back
    assert (parts.scheme, f"/{parts.path}") == ("socket", path)
    assert parts.query == {"virtual_host": str(database)}


def test_a_user_and_a_password_are_kept() -> None:
    assert broker_url("unix://ann:p%40w@/run/r.sock?db=3") == "redis+socket://ann:p%40w@/run/r.sock?virtual_host=3"


def test_an_address_on_the_network_stays_as_it_is() -> None:
    for url in ("redis://127.0.0.1:6379/0", "rediss://u:p@host:1/2", "redis://[::1]:6379/0"):
        assert broker_url(url) == url
        assert socket_path(url) is None


def test_nobody_can_tell_a_worker_what_to_do_over_redis() -> None:
    assert make_celery("redis://127.0.0.1:6379/0").conf.worker_enable_remote_control is False
