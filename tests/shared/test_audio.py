"""The WAV made on read: valid for others, and the same bytes every time."""

from __future__ import annotations

import io
import wave

from shared.audio import SYNTHETIC_SPEECH, Audio, silence, wav_file

INFO = {"job": "job_1", "pin": "espeak-v2", "lock": "ab" * 32, "label": SYNTHETIC_SPEECH}


def test_another_reader_finds_the_samples_and_the_rate() -> None:
    audio = Audio(b"\x01\x00\xff\x7f\x00\x80", 22_050)
    with wave.open(io.BytesIO(wav_file(audio, INFO))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        assert file.readframes(10) == audio.pcm


def test_the_file_says_where_it_comes_from() -> None:
    file = wav_file(Audio(silence(0.1, 8000), 8000), INFO)
    for value in INFO.values():
        assert value.encode() in file[:400]


def test_the_same_clip_is_the_same_file() -> None:
    audio = Audio(silence(0.1, 8000), 8000)
    assert wav_file(audio, INFO) == wav_file(audio, INFO)


def test_odd_lengths_of_text_keep_the_riff_even() -> None:
    for pin in ("a", "ab", "abc"):
        file = wav_file(Audio(silence(0.1, 8000), 8000), {**INFO, "pin": pin})
        assert int.from_bytes(file[4:8], "little") == len(file) - 8
        with wave.open(io.BytesIO(file)) as opened:
            assert opened.getnframes() == 800
