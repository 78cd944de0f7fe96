"""What keeps the audio is full or away: that is said, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shared.blobs.folder import FolderBlobs
from tests.gateway.place import Place, opened, refused
from tests.gateway.uploads import form, recorded, upload, voiced
from tests.small_disk import fill

pytestmark = pytest.mark.anyio


async def test_audio_is_not_gone_where_its_folder_is(place: Place, tmp_path: Path) -> None:
    job = await place.submit()
    place.speak()
    audio = job["links"]["self"] + "/audio"
    shutil.move(tmp_path / "blobs", tmp_path / "unmounted")
    assert "the storage of the audio" in refused(await place.http.get(audio), "store_unavailable").detail
    shutil.move(tmp_path / "unmounted", tmp_path / "blobs")
    assert (await place.http.get(audio)).status_code == 200


async def test_a_recording_that_finds_no_room_is_refused_and_taken_later(tmp_path: Path, small_disk: Path) -> None:
    recordings = FolderBlobs(small_disk)
    async with opened(tmp_path, recordings=recordings, probes={"storage": recordings.trouble}) as place:
        filler = fill(small_disk)
        refused(await place.http.post("/v1/voices", **form(recorded(voiced()))), "store_unavailable")
        ready = (await place.http.get("/readyz")).json()
        assert (ready["status"], ready["checks"]["storage"]) == ("degraded", "disk_full")
        filler.unlink()
        assert (await place.http.get("/readyz")).json()["status"] == "ready"
        await upload(place.http, recorded(voiced()))
        assert len((await place.http.get("/v1/voices")).json()["data"]) == 1
