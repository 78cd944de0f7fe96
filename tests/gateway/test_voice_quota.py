"""Uploaded voices are counted: in minutes and in number for each user, and as long as there is room on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.voices.voices import RESERVE_BYTES, VoiceRoom
from shared.errors import SettingsError
from shared.settings import read_settings
from shared.voices import VoiceShare
from tests.gateway.place import Place, opened, refused
from tests.gateway.uploads import form, recorded, upload, voiced

pytestmark = pytest.mark.anyio
SECOND = recorded(voiced(1.0, 8_000), 8_000)
OTHER = recorded(voiced(1.0, 8_000, seed=1), 8_000)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with opened(tmp_path, room=VoiceRoom(VoiceShare(voices=3, seconds=2.5))) as place:
        yield place


async def test_what_is_beyond_a_users_minutes_is_refused_and_leaves_nothing(place: Place, tmp_path: Path) -> None:
    first = await upload(place.http, SECOND)
    await upload(place.http, SECOND)
    problem = refused(await place.http.post("/v1/voices", **form(OTHER)), "quota_exceeded")
    assert "2 voices of 0.0 minutes" in problem.detail
    kept = [path for path in (tmp_path / "recordings").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [first["recording"]["pcm_sha256"]]
    await upload(place.http, OTHER, headers=place.user("eve"))


async def test_a_voice_that_is_removed_gives_room(place: Place) -> None:
    voices = [await upload(place.http, SECOND) for _ in range(2)]
    refused(await place.http.post("/v1/voices", **form(OTHER)), "quota_exceeded")
    await place.http.delete(voices[0]["links"]["self"])
    await upload(place.http, OTHER)


async def test_more_voices_than_are_taken_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    async with opened(tmp_path, room=VoiceRoom(VoiceShare(voices=1))) as place:
        await upload(place.http, SECOND)
        problem = refused(await place.http.post("/v1/voices", **form(b"no sound at all")), "quota_exceeded")
        assert problem.retry_after is not None


async def test_an_upload_that_is_sent_again_is_answered_although_the_share_is_used_up(tmp_path: Path) -> None:
    async with opened(tmp_path, room=VoiceRoom(VoiceShare(voices=1))) as place:
        once = {"Idempotency-Key": '"once"'}
        first = await upload(place.http, SECOND, headers=once)
        again = await place.http.post("/v1/voices", **form(SECOND), headers=once)
        assert (again.status_code, again.json()["id"]) == (201, first["id"])
        other = await place.http.post("/v1/voices", **form(OTHER), headers={"Idempotency-Key": '"twice"'})
        refused(other, "quota_exceeded")


async def test_nothing_is_taken_where_the_disk_is_nearly_full(tmp_path: Path) -> None:
    free = [RESERVE_BYTES - 1.0]
    async with opened(tmp_path, room=VoiceRoom(free_bytes=lambda: free[0])) as place:
        problem = refused(await place.http.post("/v1/voices", **form(SECOND)), "store_unavailable")
        assert problem.retry_after is not None
        assert "only 511 MiB are free" in problem.detail
        free[0] = RESERVE_BYTES
        await upload(place.http, SECOND)


def test_the_minutes_are_a_setting() -> None:
    assert read_settings({}).voice_minutes == 60
    assert read_settings({"RINGTRUE_VOICE_MINUTES": "7.5"}).voice_minutes == 7.5
    for wrong in ("many", "-1", "inf", "nan"):
        with pytest.raises(SettingsError, match="RINGTRUE_VOICE_MINUTES"):
            read_settings({"RINGTRUE_VOICE_MINUTES": wrong})
