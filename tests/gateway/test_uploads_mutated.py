"""Broken files by the hundred: each is taken or refused by its code, and the gateway's memory does not notice.

``python -m tests.gateway.test_uploads_mutated 2000`` does it with more of them, and says what came of it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.gateway.mutations import mutated
from tests.gateway.place import Place, opened
from tests.gateway.uploads import form, recorded, voiced

pytestmark = pytest.mark.anyio
FORMATS = (("WAV", None), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("FLAC", None), ("MP3", None), ("OGG", None))
AT_ONCE = 4


def resident_mb() -> float:
    """Memory of this process now, in MB (1e6 bytes)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def uploads(place: Place, count: int, seed: int) -> Counter[str]:
    """What became of ``count`` mutated files: how many were answered by which status and code."""
    originals = [recorded(voiced(1.0, 24_000), 24_000, kind, subtype) for kind, subtype in FORMATS]
    files = mutated(originals, count, seed)
    seen: Counter[str] = Counter()

    async def one_after_another() -> None:
        for content in files:
            answer = await place.http.post("/v1/voices", **form(content))
            seen[f"{answer.status_code} {answer.json().get('code', '')}".strip()] += 1

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return seen


async def test_mutated_files_are_taken_or_refused_and_nothing_else(place: Place) -> None:
    seen = await uploads(place, 150, seed=1)
    assert set(seen) <= {"201", "400 invalid_request", "415 media_type_unsupported"}, seen
    assert seen.total() == 150
    assert len(seen) > 1, seen


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as place:
            await uploads(place, 20, seed=0)
            before, began = resident_mb(), time.monotonic()
            seen = await uploads(place, count, seed=2)
            print(f"{count} files in {time.monotonic() - began:.0f} s: {dict(seen)}")
            print(f"memory of the gateway: {before:.1f} MB before, {resident_mb():.1f} MB after")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1])))
