"""Broken files by the hundred, and bombs: each is taken or refused by its code, and the gateway has not noticed.

``python -m tests.gateway.test_uploads_under_fire 2000`` sends more of them, and says what came of it.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest
import soundfile  # type: ignore[import-untyped]

from tests.gateway.mutations import mutated
from tests.gateway.place import Place, opened, refused
from tests.gateway.uploads import form, recorded, voiced

pytestmark = pytest.mark.anyio
COUNT = 300
FORMATS = (("WAV", None), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("FLAC", None), ("MP3", None), ("OGG", None))
CALLED = (
    ("voice.wav", "audio/wav"),
    ("voice.mp3", "audio/flac"),
    ("../../voice.exe", "application/x-msdownload"),
    ("声音", "text/plain; charset=utf-8"),
)
"""Names and types that files come with, whatever they are."""
AT_ONCE = 4
GROWTH_MB = 20.0


class Held(NamedTuple):
    """What this process has: the gateway is in it. ``memory_mb``: in 1e6 bytes."""

    memory_mb: float
    files: int
    children: int

    @staticmethod
    def now() -> Held:
        process = psutil.Process()
        return Held(process.memory_info().rss / 1e6, process.num_fds(), len(process.children(recursive=True)))


async def uploads(place: Place, count: int, seed: int) -> Counter[str]:
    """What became of ``count`` mutated files: how many were taken, and how many refused by which code."""
    originals = [recorded(voiced(1.0, 24_000), 24_000, kind, subtype) for kind, subtype in FORMATS]
    files = zip(mutated(originals, count, seed), cycle(CALLED))
    seen: Counter[str] = Counter()

    async def one_after_another() -> None:
        for content, (name, kind) in files:
            seen[await upload(place, content, name, kind)] += 1

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return seen


async def upload(place: Place, content: bytes, name: str, kind: str) -> str:
    answer = await place.http.post("/v1/voices", **{**form(content), "files": {"file": (name, content, kind)}})
    if answer.status_code == 201:
        return "taken"
    problem = refused(answer, answer.json()["code"])
    assert "/file" in problem.detail
    return str(problem.code)


def kept(folder: Path) -> int:
    """Recordings, whole or not."""
    return sum(path.is_file() for path in (folder / "recordings").rglob("*"))


async def test_mutated_files_are_taken_or_refused_and_leave_nothing_behind(place: Place, tmp_path: Path) -> None:
    warm = await uploads(place, 20, seed=0)
    before = Held.now()
    seen = await uploads(place, COUNT, seed=1)
    after = Held.now()
    assert {"taken", "invalid_request"} <= set(seen) <= {"taken", "invalid_request", "media_type_unsupported"}, seen
    assert seen.total() == COUNT
    assert (after.files, after.children) == (before.files, before.children)
    assert after.memory_mb - before.memory_mb < GROWTH_MB
    assert kept(tmp_path) <= seen["taken"] + warm["taken"]


def nothing(seconds: int, rate: int, kind: str, channels: int = 1) -> bytes:
    """Second by second: libsndfile's encoder for OGG runs out of stack where it is given much at once."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, channels, format=kind) as sound:
        for _ in range(seconds):
            sound.write(np.zeros((rate, channels), "int16"))
    return file.getvalue()


def overwritten(at: int, value: bytes) -> bytes:
    """A short WAV file with something else in its head."""
    content = recorded(voiced(0.1))
    return content[:at] + value + content[at + len(value) :]


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "an hour in 90 kB": (lambda: nothing(3600, 8_000, "FLAC"), "longer than 60 s"),
    "ten minutes in 40 kB": (lambda: nothing(600, 8_000, "OGG"), "longer than 60 s"),
    "eight channels, 740 MB as they are decoded": (lambda: nothing(60, 192_000, "FLAC", 8), "silent"),
    "4 GB that are not there": (lambda: overwritten(40, b"\xff\xff\xff\xff"), "at least 0.5 s"),
    "65,535 channels": (lambda: overwritten(22, b"\xff\xff"), "Too many channels"),
}
"""What makes each, and what is said of it."""


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_is_refused_and_leaves_nothing_behind(place: Place, tmp_path: Path, name: str) -> None:
    make, said = BOMBS[name]
    bomb = make()
    await upload(place, b"", "voice.wav", "audio/wav")
    before = Held.now()
    problem = refused(await place.http.post("/v1/voices", **form(bomb)), "invalid_request")
    after = Held.now()
    assert said in problem.detail
    assert (after.files, after.children) == (before.files, before.children)
    assert after.memory_mb - before.memory_mb < GROWTH_MB
    assert kept(tmp_path) == 0


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as place:
            await uploads(place, 20, seed=0)
            before, began = Held.now(), time.monotonic()
            seen = await uploads(place, count, seed=2)
            print(f"{count} files in {time.monotonic() - began:.0f} s: {dict(seen)}")
            print(f"the gateway, before: {before}")
            print(f"the gateway, after:  {Held.now()}")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1])))
