"""A recording is there as long as a voice has it, also where one is added while the last other one is removed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.gateway.sharing.pools import Pools
from services.gateway.voices.voices import UploadedVoices
from shared.audio import Audio
from shared.blobs.folder import FolderBlobs
from shared.voices import Consent, Voice
from tests.memory_store import MemoryVoiceStore

pytestmark = pytest.mark.anyio
CONSENT = Consent("Ann Example", 0.0, "yes")
SOUND = Audio(b"\x01\x02" * 8_000, 16_000)


class Interrupted(FolderBlobs):
    """Blobs before or after whose first delete or put somebody else does something."""

    before_delete: Callable[[], object] | None = None
    after_delete: Callable[[], object] | None = None
    after_put: Callable[[], object] | None = None

    def delete(self, sha256: str) -> None:
        self._once("before_delete")
        super().delete(sha256)
        self._once("after_delete")

    def put(self, content: bytes) -> str:
        sha256 = super().put(content)
        self._once("after_put")
        return sha256

    def _once(self, when: str) -> None:
        if (interruption := getattr(self, when)) is not None:
            setattr(self, when, None)
            interruption()


class Twice:
    """Two gateways over one store and one place for recordings."""

    def __init__(self, folder: Path) -> None:
        self.blobs, store = Interrupted(folder), MemoryVoiceStore()
        self.here, self.there = (UploadedVoices(store, store, self.blobs, time.time, Pools()) for _ in range(2))
        self.added: list[Voice] = []

    def add_there(self) -> None:
        self.added.append(asyncio.run(self.there.add("bob", None, CONSENT, SOUND)))


@pytest.mark.parametrize("moment", ["before_delete", "after_delete"])
async def test_a_voice_that_comes_while_the_last_one_goes_has_its_recording(tmp_path: Path, moment: str) -> None:
    twice = Twice(tmp_path)
    first = await twice.here.add("ann", None, CONSENT, SOUND)
    setattr(twice.blobs, moment, twice.add_there)
    await twice.here.remove("ann", first.id)
    assert await twice.there.sound(twice.added[0]) == SOUND


async def test_a_voice_whose_recording_goes_while_it_comes_has_it_all_the_same(tmp_path: Path) -> None:
    twice = Twice(tmp_path)
    first = await twice.here.add("ann", None, CONSENT, SOUND)
    twice.blobs.after_put = lambda: asyncio.run(twice.there.remove("ann", first.id))
    second = await twice.here.add("ann", None, CONSENT, SOUND)
    assert await twice.here.sound(second) == SOUND
