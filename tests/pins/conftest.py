"""What tests of pins share: hubs on loopback, and how to reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.pins.sources.base import SourceAccess, SourcePatience
from shared.weights.store import WeightStore
from tests.pins.hub import Hub

IMPATIENT = SourcePatience(answer_s=2.0, stall_s=0.4, attempts=3, pause_s=0.01)


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hubs' clients write down who they are, and look for tokens: not in the home of whoever runs the tests."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(home / "huggingface"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(home / "modelscope"))


@pytest.fixture
def start_hub() -> Iterator[Callable[..., Hub]]:
    """Hubs as they are asked for; they end with the test."""
    with ExitStack() as hubs:
        yield lambda **options: hubs.enter_context(Hub(**options))


@pytest.fixture
def hub(start_hub: Callable[..., Hub]) -> Hub:
    return start_hub()


@pytest.fixture
def access(hub: Hub) -> SourceAccess:
    """To ``hub``, and with little patience."""
    return SourceAccess(huggingface=(hub.url,), modelscope=(hub.url,), patience=IMPATIENT)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "models")
