"""Recordings as pipes, recorders and other programs leave them: read to the end, or refused in words that say why."""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pytest

from services.upload_decoder.faults import NotDecoded
from services.upload_decoder.streams import MOST_STREAMS, streams_of
from shared.voices import MAX_FILE_BYTES
from tests.gateway.mutations import mutated
from tests.gateway.place import Place, refused
from tests.gateway.sound_files import (
    ID3V1,
    PIPED,
    chunk,
    claiming,
    id3v2,
    in_64_bits,
    of_unknown_length,
    piped,
    with_chunks,
    without_length,
)
from tests.gateway.uploads import form, recorded, upload, voiced

pytestmark = pytest.mark.anyio
RATE = 16_000
SPEECH = (voiced(1.0) * 32767).astype("<i2")
MORE = (voiced(0.7, seed=1) * 32767).astype("<i2")
WAV = recorded(SPEECH)
FLAC, FLAC_TOO = recorded(SPEECH, form="FLAC"), recorded(MORE, form="FLAC")
LIST = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"Lavf61.7.100\0"))
ODD = chunk(b"note", b"odd")
OPUS, VORBIS = ("OGG", "OPUS"), ("OGG", "VORBIS")


async def heard(place: Place, content: bytes) -> Any:
    """The samples that are kept of a file."""
    recording = (await upload(place.http, content))["recording"]
    return np.frombuffer(place.recordings.get(recording["pcm_sha256"]), "<i2")


async def why_not(place: Place, content: bytes) -> str:
    """What is said of a file that is refused."""
    return refused(await place.http.post("/v1/voices", **form(content)), "invalid_request").detail


SAME: dict[str, bytes] = {
    **{f"WAV from a pipe: {name}": piped(WAV, *sizes) for name, sizes in PIPED.items()},
    "WAV from a pipe, with a list before": piped(with_chunks(WAV, LIST), 0xFFFFFFFF, 0xFFFFFFFF),
    "WAV with a list after": with_chunks(WAV, after=LIST),
    "WAV with chunks of odd sizes": with_chunks(WAV, ODD, ODD),
    "WAV with an odd chunk that was not filled up": with_chunks(WAV, chunk(b"note", b"odd", b"")),
    "WAV from a pipe, with odd chunks": piped(with_chunks(WAV, ODD + LIST), 0, 0),
    "WAV from a pipe, with half a sample too many": piped(WAV, 0, 0) + b"\x01",
    "WAV whose file has a wrong size": piped(WAV, 7, 2 * RATE),
    "WAV, extensible": recorded(SPEECH, form="WAVEX"),
    "WAV, extensible, from a pipe": piped(recorded(SPEECH, form="WAVEX"), 0xFFFFFFFF, 0xFFFFFFFF),
    "RF64": in_64_bits(WAV, b"RF64"),
    "BW64": in_64_bits(WAV, b"BW64"),
    "RF64 from a pipe": in_64_bits(WAV, b"RF64", size=0),
    "BW64 from a pipe": in_64_bits(WAV, b"BW64", size=2**64 - 1),
    "RF64 by libsndfile": recorded(SPEECH, form="RF64"),
    "FLAC": FLAC,
    "FLAC of unknown length": of_unknown_length(FLAC),
    "FLAC with more samples than it claims": claiming(FLAC, RATE // 2),
    "FLAC with a tag before": id3v2() + FLAC,
    "FLAC of unknown length with tags around": id3v2() + of_unknown_length(FLAC) + ID3V1,
}


@pytest.mark.parametrize("name", SAME)
async def test_the_same_samples_are_kept_of_it_as_of_the_whole_file(place: Place, name: str) -> None:
    assert (await heard(place, SAME[name])).tobytes() == SPEECH.tobytes()


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT", "ALAW", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"])
async def test_so_it_is_of_every_kind_of_samples(place: Place, subtype: str) -> None:
    wav = recorded(SPEECH / 32768, subtype=subtype)
    whole = await heard(place, wav)
    for sizes in ((0xFFFFFFFF, 0xFFFFFFFF), (0, 0)):
        again = await heard(place, piped(wav, *sizes))
        assert again.tobytes() == whole.tobytes()


JOINED: dict[str, tuple[bytes, ...]] = {
    "FLAC": (FLAC, FLAC_TOO),
    "FLAC of unknown lengths, tagged": (id3v2() + of_unknown_length(FLAC), id3v2() + of_unknown_length(FLAC_TOO)),
    "WAV": (WAV, with_chunks(recorded(MORE), ODD, LIST), recorded(SPEECH, form="WAVEX")),
    "WAV, the last from a pipe": (WAV, piped(WAV, 0xFFFFFFFF, 0xFFFFFFFF)),
    "three times FLAC": (FLAC, FLAC_TOO, FLAC),
    "Vorbis": (recorded(SPEECH, RATE, *VORBIS), recorded(MORE, RATE, *VORBIS)),
    "Opus": (recorded(SPEECH, RATE, *OPUS), recorded(MORE, RATE, *OPUS)),
    "Vorbis, then Opus": (recorded(SPEECH, RATE, *VORBIS), recorded(MORE, RATE, *OPUS)),
    "Vorbis, one channel and two": (
        recorded(SPEECH, RATE, *VORBIS),
        recorded(np.hstack([MORE, MORE]), RATE, *VORBIS),
    ),
    "MP3": (recorded(SPEECH, form="MP3"), recorded(MORE, form="MP3")),
    "MP3 with tags": (id3v2() + recorded(SPEECH, form="MP3") + ID3V1, id3v2() + recorded(MORE, form="MP3")),
    "MP3, stereo": tuple(recorded(np.tile(one, (3, 2)), 44_100, "MP3") for one in (SPEECH, MORE)),
}


@pytest.mark.parametrize("name", JOINED)
async def test_streams_one_after_the_other_are_all_kept(place: Place, name: str) -> None:
    each = [await heard(place, content) for content in JOINED[name]]
    together = await heard(place, b"".join(JOINED[name]))
    assert together.tobytes() == b"".join(one.tobytes() for one in each)


async def test_mp3_without_its_length_is_read_to_the_end(place: Place) -> None:
    one, other = (recorded(speech, RATE, "MP3") for speech in (SPEECH, MORE))
    bare = await heard(place, id3v2() + without_length(one))
    assert len(bare) >= len(SPEECH) - 1152
    joined = await heard(place, without_length(one) + without_length(other))
    assert len(joined) >= len(SPEECH) + len(MORE) - 2 * 1152
    # the first says how long it is, and is not the last
    assert len(await heard(place, one + without_length(other))) >= len(SPEECH) + len(MORE) - 2 * 1152


def without_last_page(ogg: bytes) -> bytes:
    return ogg[: ogg.rindex(b"OggS")]


CUT: dict[str, bytes] = {
    "WAV": WAV[: len(WAV) * 3 // 4],
    "WAV by one sample": WAV[:-2],
    "WAV by a byte": WAV[:-1],
    "WAV, ADPCM": recorded(SPEECH, subtype="IMA_ADPCM")[:-1000],
    "RF64": in_64_bits(WAV, b"RF64")[:-1000],
    "FLAC": FLAC[: len(FLAC) * 3 // 4],
    "FLAC by a byte": FLAC[:-1],
    "FLAC that claims one sample more": claiming(FLAC, RATE + 1),
    "FLAC of unknown length": of_unknown_length(FLAC)[: len(FLAC) * 3 // 4],
    "FLAC, the second of two": FLAC + FLAC_TOO[: len(FLAC_TOO) // 2],
    "MP3": recorded(SPEECH, form="MP3")[:-2000],
    "Vorbis": recorded(SPEECH, RATE, *VORBIS)[:-10],
    "Opus": recorded(SPEECH, RATE, *OPUS)[:-10],
    "Vorbis by its last page": without_last_page(recorded(SPEECH, RATE, *VORBIS)),
    "Opus by its last page": without_last_page(recorded(SPEECH, RATE, *OPUS)),
    "Vorbis within the head of a page": recorded(SPEECH, RATE, *VORBIS) + b"OggS\0\x02",
}


@pytest.mark.parametrize("name", CUT)
async def test_a_file_that_is_cut_short_is_said_to_be(place: Place, name: str) -> None:
    assert "it is cut short: " in await why_not(place, CUT[name])


NOISE = np.random.default_rng(0).integers(0, 2, (RATE, 1))
LEFT = voiced(seed=5)
NO_SOUND: dict[str, tuple[Any, str]] = {
    "silence": (np.zeros((RATE, 1)), "it is silent"),
    "two silent channels": (np.zeros((RATE, 2)), "it is silent"),
    "antiphase": (np.hstack([LEFT, -LEFT]), "channels cancel each other out"),
    "antiphase with an offset": (np.hstack([LEFT, -LEFT]) + 0.25, "channels cancel each other out"),
    "nearly antiphase": (np.hstack([LEFT, -0.95 * LEFT]), "channels cancel each other out"),
    "antiphase among eight": (np.hstack([LEFT, -LEFT] * 4), "channels cancel each other out"),
    "antiphase in its second half": (np.vstack([np.hstack([LEFT, LEFT]), np.hstack([LEFT, -LEFT])]), "in 50% of"),
    "of whole numbers": (np.rint(voiced() * 32767), "beyond full scale (peak 1"),
    "three times too loud": (voiced() * 30, "beyond full scale"),
    "an offset": (np.full((RATE, 1), 0.25), "a constant (DC)"),
    "full scale": (np.full((RATE, 1), -1.0), "a constant (DC)"),
    "the last bit": (NOISE / 32768, "too quiet"),
    "an offset and the last bit": ((8192 + NOISE) / 32768, "too quiet"),
    "one bit": (NOISE * 0.5 - 0.25, "have 2 values"),
    "one bit, as loud as can be": (NOISE * 1.9 - 0.95, "have 2 values"),
}


@pytest.mark.parametrize("name", NO_SOUND)
async def test_what_is_no_sound_is_named(place: Place, name: str) -> None:
    samples, said = NO_SOUND[name]
    assert said in await why_not(place, recorded(samples, subtype="FLOAT"))


SOUND: dict[str, Any] = {
    "faint": voiced() * 0.004,
    "with an offset": voiced() + 0.5,
    "in one of eight channels": np.hstack([voiced(), *[np.zeros((RATE, 1))] * 7]),
    "eight channels of no relation": voiced(1.0, channels=8),
    "clipped": np.clip(voiced() * 20, -1, 1),
    "a little beyond full scale": voiced() * 3,
    "stereo with a moment of antiphase": np.vstack([np.tile(LEFT, (2, 2)), np.hstack([LEFT, -LEFT])[: RATE // 8]]),
    "of eight bits": np.round(voiced() * 127) / 127,
}


@pytest.mark.parametrize("name", SOUND)
async def test_bad_recordings_are_recordings(place: Place, name: str) -> None:
    await upload(place.http, recorded(SOUND[name], subtype="FLOAT"))


class Other(NamedTuple):
    """A file that is refused for another reason."""

    content: bytes
    said: str


OTHERS: dict[str, Other] = {
    "FLAC whose samples are not those of its checksum": Other(FLAC[:26] + bytes([FLAC[26] ^ 1]) + FLAC[27:], "(MD5)"),
    "streams of two rates": Other(FLAC + recorded(SPEECH, 22_050, "FLAC"), "16000 Hz, then 22050 Hz"),
    "too many streams": Other(FLAC * 65, "at most 64"),
    "WAV that has no samples": Other(with_chunks(recorded(SPEECH[:0]), after=LIST), "at least 0.5 s"),
    "WAV that is only a head": Other(WAV[:44], "cut short"),
    "joined beyond a minute": Other(recorded(np.tile(SPEECH, (20, 1)), form="FLAC") * 4, "longer than 60 s"),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_other_files_are_refused_in_words(place: Place, name: str) -> None:
    assert OTHERS[name].said in await why_not(place, OTHERS[name].content)


@pytest.mark.parametrize("content", [recorded(SPEECH, form="AIFF"), recorded(SPEECH, form="AIFF", subtype="FLOAT")])
async def test_aiff_is_named_and_so_is_aiff_c(place: Place, content: bytes) -> None:
    problem = refused(await place.http.post("/v1/voices", **form(content)), "media_type_unsupported")
    assert "found AIFF" in problem.detail


@pytest.mark.parametrize("kind", ["W64", "CAF", "AU"])
async def test_another_kind_is_named(place: Place, kind: str) -> None:
    problem = refused(
        await place.http.post("/v1/voices", **form(recorded(SPEECH, form=kind))), "media_type_unsupported"
    )
    assert f"(found {kind})" in problem.detail


def test_a_pipe_leaves_the_sizes_that_are_said() -> None:
    wav = piped(WAV, 0, 0xFFFFFFFF)
    assert struct.unpack_from("<I", wav, 4) == (0,)
    assert len(wav) == len(WAV)


ORIGINALS = [
    *SAME.values(),
    *(b"".join(files) for files in JOINED.values()),
    *CUT.values(),
    WAV[:60],
    id3v2(),
    ID3V1,
    without_length(recorded(SPEECH, form="MP3"))[:5],
]


def test_whatever_is_done_to_a_file_it_is_taken_apart_or_refused_in_words() -> None:
    seen: Counter[str] = Counter()
    for content in mutated(ORIGINALS, 3_000, seed=4):
        try:
            streams = streams_of(content)
        except NotDecoded:
            seen["refused"] += 1
            continue
        assert 1 <= len(streams) <= MOST_STREAMS
        assert sum(map(len, streams)) <= len(content) + 1_000 * len(streams)
        seen["taken apart"] += 1
    assert min(seen.values()) > 100, seen


@pytest.mark.parametrize("page", [b"OggS\0\x02" + bytes(21), b"OggS\0\x00" + bytes(21), b"ID3\x04" + bytes(6)])
def test_millions_of_beginnings_are_refused_in_little_time_and_memory(page: bytes) -> None:
    content = page * (MAX_FILE_BYTES // len(page))
    with contextlib.suppress(NotDecoded):
        assert len(streams_of(content)) <= MOST_STREAMS
