"""A voice is uploaded with consent, belongs to its user, is spoken with by jobs, and can be taken back."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from services.gateway.openapi import answer_schemas
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.gateway.uploads import CLONER, CONSENT, form, recorded, upload, voiced

pytestmark = pytest.mark.anyio
SPEECH = (voiced() * 32767).astype("<i2")
SPOKEN = recorded(SPEECH)
PCM = SPEECH.tobytes()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A gateway with a pin that speaks with uploaded voices."""
    async with opened(tmp_path) as place:
        place.store.publish("worker", [CLONER], time.time())
        yield place


async def test_an_upload_is_answered_with_the_voice_and_its_consent(place: Place) -> None:
    answer = await place.http.post("/v1/voices", **form(SPOKEN, name="Ann, quiet"))
    voice = answer_schemas.VoiceDocument.model_validate_json(answer.content)
    assert answer.status_code == 201
    assert answer.headers["location"] == voice.links["self"]
    assert (voice.name, voice.recording.sample_rate, voice.recording.duration_s) == ("Ann, quiet", 16_000, 1.0)
    assert (voice.consent.by, voice.consent.text) == (CONSENT["by"], CONSENT["text"])
    assert voice.consent.at == "2025-01-31T10:00:00.000Z"


async def test_sixteen_bit_mono_is_kept_bit_by_bit(place: Place) -> None:
    samples = np.arange(-32768, 32768, dtype="<i2")
    voice = await upload(place.http, recorded(samples, 48_000))
    assert voice["recording"]["pcm_sha256"] == hashlib.sha256(samples.tobytes()).hexdigest()


@pytest.mark.parametrize("kind", ["FLAC", "MP3", "OGG", "WAVEX"])
async def test_it_may_be_of_any_of_the_formats(place: Place, kind: str) -> None:
    voice = await upload(place.http, recorded(voiced(2.0, 24_000), 24_000, kind))
    assert voice["recording"]["sample_rate"] == 24_000
    assert voice["recording"]["duration_s"] == pytest.approx(2.0, abs=0.1)


async def test_channels_become_one(place: Place) -> None:
    said = np.round(voiced(seed=1) * 8192) / 32768
    left = np.round(voiced(seed=2) * 8192) / 32768
    voice = await upload(place.http, recorded(np.hstack([said + left, said - left]), subtype="FLOAT"))
    pcm = place.recordings.get(voice["recording"]["pcm_sha256"])
    assert pcm == (said * 32768).astype("<i2").tobytes()


async def test_the_audio_comes_back_as_it_was_heard(place: Place) -> None:
    voice = await upload(place.http, SPOKEN)
    answer = await place.http.get(voice["links"]["audio"])
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    assert (rate, samples.tobytes()) == (16_000, PCM)
    again = await place.http.get(voice["links"]["audio"], headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_the_same_sound_twice_is_one_recording(place: Place) -> None:
    one, other = await upload(place.http, SPOKEN), await upload(place.http, recorded(SPEECH, form="FLAC"))
    assert one["id"] != other["id"]
    assert one["recording"] == other["recording"]


async def test_the_list_has_ones_own_newest_first(place: Place) -> None:
    ids = [(await upload(place.http, SPOKEN))["id"] for _ in range(3)]
    first = answer_schemas.VoiceListDocument.model_validate_json((await place.http.get("/v1/voices?limit=2")).content)
    rest = await place.http.get(f"/v1/voices?limit=2&cursor={first.next_cursor}")
    assert [voice.id for voice in first.data] == [ids[2], ids[1]]
    assert [voice["id"] for voice in rest.json()["data"]] == [ids[0]]
    assert rest.json()["has_more"] is False


async def test_another_users_voice_is_not_there(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    voice = await upload(place.http, SPOKEN, headers=ann)
    for method, path in (("GET", voice["links"]["self"]), ("GET", voice["links"]["audio"])):
        refused(await place.http.request(method, path, headers=bob), "voice_not_found")
    refused(await place.http.delete(voice["links"]["self"], headers=bob), "voice_not_found")
    assert (await place.http.get("/v1/voices", headers=bob)).json()["data"] == []
    job = {**SENTENCE, "pin": CLONER.pin, "reference": voice["id"]}
    refused(await place.http.post("/v1/jobs", json=job, headers=bob), "voice_not_found")


async def test_a_voice_that_was_removed_is_gone_and_so_is_its_recording(place: Place) -> None:
    voice = await upload(place.http, SPOKEN)
    assert (await place.http.delete(voice["links"]["self"])).status_code == 204
    refused(await place.http.get(voice["links"]["self"]), "voice_not_found")
    refused(await place.http.delete(voice["links"]["self"]), "voice_not_found")
    with pytest.raises(KeyError):
        place.recordings.get(voice["recording"]["pcm_sha256"])


async def test_a_recording_stays_while_another_voice_has_it(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    anns, bobs = await upload(place.http, SPOKEN, headers=ann), await upload(place.http, SPOKEN, headers=bob)
    await place.http.delete(anns["links"]["self"], headers=ann)
    assert (await place.http.get(bobs["links"]["audio"], headers=bob)).status_code == 200


async def test_a_clip_of_a_job_that_was_uploaded_too_stays_when_the_voice_goes(place: Place) -> None:
    job = await place.submit()
    place.speak(PCM)
    voice = await upload(place.http, (await place.http.get(job["links"]["audio"])).content)
    await place.http.delete(voice["links"]["self"])
    assert (await place.http.get(job["links"]["audio"])).status_code == 200


async def test_a_job_keeps_which_recording_its_reference_was(place: Place) -> None:
    voice = await upload(place.http, SPOKEN)
    job = await place.submit(pin=CLONER.pin, reference=voice["id"])
    await place.http.delete(voice["links"]["self"])
    shown = answer_schemas.JobDocument.model_validate_json((await place.http.get(job["links"]["self"])).content)
    assert shown.input.reference == voice["id"]
    assert shown.input.recordings == {voice["id"]: answer_schemas.RecordingDocument.model_validate(voice["recording"])}


async def test_a_job_may_feel_as_a_recording_does(place: Place) -> None:
    calm, glad = await upload(place.http, SPOKEN), await upload(place.http, recorded(voiced(seed=2)))
    felt = {"audio": glad["id"], "strength": 0.5}
    job = await place.submit(pin=CLONER.pin, reference=calm["id"], emotion=felt)
    assert job["input"]["recordings"] == {calm["id"]: calm["recording"], glad["id"]: glad["recording"]}
    assert job["controls"] == {"reference": "native", "emotion_audio": "native", "strength": "native"}


@pytest.mark.parametrize("named", ["voice_" + "0" * 26, "voice_1", "../../etc/passwd"])
async def test_a_voice_that_nobody_uploaded_is_not_found(place: Place, named: str) -> None:
    job = {**SENTENCE, "pin": CLONER.pin}
    refused(await place.http.post("/v1/jobs", json={**job, "reference": named}), "voice_not_found")
    refused(await place.http.post("/v1/jobs", json={**job, "emotion": {"audio": named}}), "voice_not_found")


async def test_in_a_batch_each_job_finds_its_own_voice(place: Place) -> None:
    voice = await upload(place.http, SPOKEN)
    job = {**SENTENCE, "pin": CLONER.pin}
    jobs = [{**job, "reference": voice["id"]}, {**job, "reference": "voice_" + "0" * 26}, SENTENCE, "nonsense"]
    found, unknown, plain, nonsense = (await place.http.post("/v1/jobs:batch", json={"jobs": jobs})).json()["data"]
    assert list(found["job"]["input"]["recordings"]) == [voice["id"]]
    assert unknown["problem"]["code"] == "voice_not_found"
    assert "recordings" not in plain["job"]["input"]
    assert nonsense["problem"]["code"] == "invalid_request"


async def test_a_pin_that_clones_nobody_refuses_a_good_voice(place: Place) -> None:
    voice = await upload(place.http, SPOKEN)
    refused(await place.http.post("/v1/jobs", json={**SENTENCE, "reference": voice["id"]}), "control_unsupported")


async def test_an_upload_sent_twice_under_one_key_is_one_voice(place: Place) -> None:
    headers = {"Idempotency-Key": '"once"'}
    voice = await upload(place.http, SPOKEN, headers=headers)
    again = await place.http.post("/v1/voices", **form(SPOKEN), headers=headers)
    assert again.json() == voice
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await place.http.get("/v1/voices")).json()["data"]) == 1


async def test_another_recording_under_the_same_key_is_refused_and_not_kept(place: Place) -> None:
    headers = {"Idempotency-Key": '"once"'}
    await upload(place.http, SPOKEN, headers=headers)
    other = form(recorded(voiced(seed=3)))
    refused(await place.http.post("/v1/voices", **other, headers=headers), "idempotency_mismatch")
    assert len((await place.http.get("/v1/voices")).json()["data"]) == 1
