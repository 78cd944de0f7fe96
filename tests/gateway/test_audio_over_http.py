"""The file a client downloads: the same bytes every time, whole, in part, or not at all if it has them."""

from __future__ import annotations

import base64
import hashlib
import io
import wave

import httpx
import pytest

from tests.gateway.place import RATE, RICH, Place, refused

pytestmark = pytest.mark.anyio
PCM = bytes(range(256)) * 40


@pytest.fixture
async def url(place: Place) -> str:
    """Address of the audio of a job whose samples are `PCM`."""
    job = await place.submit(seed=42)
    place.speak(PCM)
    return str(job["links"]["audio"])


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_it_is_a_wav_file_with_the_samples_and_the_label(place: Place, url: str) -> None:
    answer = await place.http.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert file.readframes(file.getnframes()) == PCM
    job_id = url.split("/")[3]
    for inside in (job_id, RICH.pin, RICH.lock_sha256, "synthetic speech"):
        assert inside.encode() in answer.content


async def test_its_headers_bind_it_to_the_job_and_to_its_own_bytes(place: Place, url: str) -> None:
    first, second = await place.http.get(url), await place.http.get(url)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    assert first.headers["content-digest"] == first.headers["repr-digest"] == digest(first.content)
    assert first.headers["x-job-id"] == url.split("/")[3]
    assert first.headers["x-model-version"] == RICH.pin
    assert first.headers["x-model-lock"] == RICH.lock_sha256
    assert first.headers["x-audio-sha256"] == hashlib.sha256(PCM).hexdigest()
    assert first.headers["x-seed"] == "42"
    assert first.headers["accept-ranges"] == "bytes"


async def test_head_says_what_get_would(place: Place, url: str) -> None:
    get, head = await place.http.get(url), await place.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "repr-digest", "content-length", "content-type", "x-job-id"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, -1),
        ("bytes=-10", -10, -1),
        ("bytes=-999999999", 0, -1),
        ("bytes=10-999999999", 10, -1),
        ("Bytes= 40-300 ", 40, 300),
        ("bytes=300-400", 300, 400),
    ],
)
async def test_one_range_is_served(place: Place, url: str, asked: str, first: int, last: int) -> None:
    whole = (await place.http.get(url)).content
    first, last = first % len(whole), last % len(whole)
    answer = await place.http.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer.headers["content-digest"] == digest(answer.content)
    assert answer.headers["repr-digest"] == digest(whole)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-1", "bytes=-", "bytes=a-b", "lines=0-1", "bytes 0-1"])
async def test_several_ranges_and_what_cannot_be_read_get_the_whole_file(place: Place, url: str, asked: str) -> None:
    answer = await place.http.get(url, headers={"Range": asked})
    assert answer.status_code == 200
    assert len(answer.content) > len(PCM)


@pytest.mark.parametrize("asked", ["bytes=10300-", "bytes=99999-100000", "bytes=-0"])
async def test_a_range_that_is_nowhere_in_the_file_is_refused(place: Place, url: str, asked: str) -> None:
    total = len((await place.http.get(url)).content)
    answer = await place.http.get(url, headers={"Range": asked.replace("10300", str(total))})
    refused(answer, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{total}"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(place: Place, url: str, form: str, method: str) -> None:
    etag = (await place.http.get(url)).headers["etag"]
    answer = await place.http.request(method, url, headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


async def test_a_range_of_another_version_gets_the_whole_file(place: Place, url: str) -> None:
    etag = (await place.http.get(url)).headers["etag"]

    async def part(if_range: str) -> httpx.Response:
        return await place.http.get(url, headers={"Range": "bytes=0-9", "If-Range": if_range})

    assert (await part(etag)).status_code == 206
    assert (await part('"other"')).status_code == 200
    assert (await part(f"W/{etag}")).status_code == 200, "a weak tag does not do for ranges"
    assert (await part("Wed, 21 Oct 2015 07:28:00 GMT")).status_code == 200


async def test_a_long_clip_is_sent_piece_by_piece_and_arrives_whole(place: Place) -> None:
    job = await place.submit()
    pcm = bytes(3 << 20)
    place.speak(pcm)
    answer = await place.http.get(job["links"]["audio"])
    assert answer.content.endswith(pcm)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-digest"] == digest(answer.content)


async def test_audio_that_was_deleted_is_not_there(place: Place, url: str) -> None:
    place.blobs.delete(hashlib.sha256(PCM).hexdigest())
    refused(await place.http.get(url), "audio_not_ready")


async def test_a_clip_that_was_spoken_in_a_batch_says_with_whom(place: Place) -> None:
    together, alone = await place.submit(), await place.submit()
    place.speak(batch=(together["id"], "job_other"))
    place.speak()
    answers = [(await place.http.get(job["links"]["self"])).json()["audio"] for job in (together, alone)]
    assert answers[0]["batch"] == [together["id"], "job_other"]
    assert "batch" not in answers[1]
