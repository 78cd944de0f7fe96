"""A fake gateway, and both clients behind one face, so that every test of the client is a test of both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringtrue import AsyncRingtrue, Ringtrue
from tests.client.fake_gateway import FakeGateway


class Blocking:
    """An `AsyncRingtrue` whose methods are called like those of `Ringtrue`."""

    def __init__(self, client: AsyncRingtrue) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self._client, name)(*args, **kwargs)
            return self._runner.run(_all(result) if inspect.isasyncgen(result) else result)

        return call

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


async def _all(results: Any) -> list[Any]:
    return [one async for one in results]


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway().start()
    yield fake
    fake.stop()


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes clients of the kind under test; they are closed afterwards."""
    made: list[Any] = []

    def make(url: str, api_key: str | None = None, **settings: Any) -> Any:
        kind = Ringtrue if request.param == "sync" else lambda *a, **k: Blocking(AsyncRingtrue(*a, **k))
        made.append(kind(url, api_key, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(gateway: FakeGateway, connect: Callable[..., Any]) -> Any:
    return connect(gateway.url)
