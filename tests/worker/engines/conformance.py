"""What every engine must hold, whatever it is made of. A suite per engine is three lines:

    class TestMine(EngineConformance):
        pin = "mine-v1"

It talks to the pin through its host, as the worker does, and asks of each control what the pin's manifest says of it.
"""

from __future__ import annotations

import math
import os
import re
import signal
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest

from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.texts.pieces import split
from shared.audio import Audio
from shared.catalog import Manifest, Support
from shared.controls import CANONICAL_EMOTIONS, CONTROLS, PITCH_SCALE, SPEED, Emotion
from shared.errors import FailureCode, JobFailure
from tests.worker.engines.conftest import Start
from tests.worker.engines.hearing import level_db, pitch_hz
from tests.worker.engines.long_lines import LINES

DEADLINE_S = 60.0
MOST_VOICES = 50
CLOCK_TICK_S = 1.1
"""Longer than what engines seed themselves by: whole seconds."""
HONOURED = (Support.NATIVE, Support.POST)


class Stop(Exception):
    """What a tick raises when the job is canceled."""


def speak(host: EngineHost, request: SpeakRequest, sample_rate: int | None = None) -> Audio:
    return host.speak(request, sample_rate=sample_rate, deadline_s=DEADLINE_S, tick=never_mind)


def refusal(host: EngineHost, request: SpeakRequest, sample_rate: int | None = None) -> FailureCode:
    """The code of the failure that ``request`` must end in; the host must stay alive."""
    with pytest.raises(JobFailure) as failed:
        speak(host, request, sample_rate)
    assert failed.value.final
    assert host.alive
    return failed.value.code


def heard_or_named(host: EngineHost, request: SpeakRequest) -> str:
    """The hash of the samples, or the error that names characters that are not read."""
    try:
        return speak(host, request).sha256
    except JobFailure as failure:
        if "does not know" not in failure.message:
            raise
        return failure.message


class EngineConformance:
    """Subclass it and name the pin. Override a sentence where the engine does not speak its language."""

    pin: ClassVar[str]
    language: ClassVar[str] = "en"
    sentence: ClassVar[str] = "The old clock on the wall struck seven, and nobody in the room said a word."
    noisy_voices: ClassVar[tuple[str, ...]] = ()
    """Voices, listed or made by the pattern, with breath or other noise in them."""
    stands_in: ClassVar[bool] = False
    """For a model: by random weights or a fake of its package, whose sound is not as long as the text."""
    others: ClassVar[tuple[str, ...]] = ("Where are you going tonight?", "Seven. Eight!", "It rained all day, again.")

    def plain(self, **changes: Any) -> SpeakRequest:
        return replace(SpeakRequest(self.sentence, self.language, seed=7), **changes)

    # --- the manifest

    def test_the_manifest_is_complete(self, manifest: Manifest) -> None:
        assert manifest.pin == self.pin
        assert re.fullmatch(r"[0-9a-f]{64}", manifest.lock_sha256)
        assert set(manifest.controls) == set(CONTROLS)
        assert manifest.default_language in manifest.languages
        assert self.language in manifest.languages
        assert all(tag == tag.lower() for tag in manifest.languages)
        assert 8_000 <= manifest.sample_rate <= 48_000
        assert manifest.max_batch >= 1
        assert manifest.max_piece_chars >= 50

    def test_emotions_are_canonical_or_named_for_the_engine(self, manifest: Manifest) -> None:
        extras = set(manifest.emotions) - set(CANONICAL_EMOTIONS)
        assert all(name.startswith(f"{manifest.engine}:") for name in extras)
        assert bool(manifest.emotions) == (manifest.support("emotion") in HONOURED)

    def test_the_lock_is_the_same_in_a_fresh_process(self, manifest: Manifest, start: Start) -> None:
        assert start().lock_sha256 == manifest.lock_sha256

    # --- the same request gives the same samples

    def test_cold_and_warm_give_the_same_samples(self, warm: EngineHost, start: Start) -> None:
        first = speak(warm, self.plain()).sha256
        assert speak(warm, self.plain()).sha256 == first
        assert speak(start(), self.plain()).sha256 == first

    def test_what_was_said_before_leaves_no_trace(self, warm: EngineHost) -> None:
        before = speak(warm, self.plain()).sha256
        for text in self.others:
            speak(warm, self.plain(text=text, seed=8, speed=1.0))
        assert speak(warm, self.plain()).sha256 == before

    def test_no_voice_depends_on_the_clock(self, warm: EngineHost, manifest: Manifest) -> None:
        """A voice of another language may name the characters that it does not read."""
        voices = (*manifest.voices[:: max(1, len(manifest.voices) // MOST_VOICES)], *self.noisy_voices)
        before = {voice: heard_or_named(warm, self.plain(voice=voice)) for voice in voices}
        time.sleep(CLOCK_TICK_S)
        assert {voice: heard_or_named(warm, self.plain(voice=voice)) for voice in voices} == before

    def test_the_seed_is_what_the_manifest_says(self, warm: EngineHost, manifest: Manifest) -> None:
        hashes = {speak(warm, self.plain(seed=seed)).sha256 for seed in (1, 2, 2**31 - 1)}
        assert len(hashes) == (3 if manifest.support("seed") is Support.NATIVE else 1)

    # --- all of a text is spoken

    @pytest.mark.parametrize(("language", "kind"), [(tag, kind) for tag, kinds in LINES.items() for kind in kinds])
    def test_the_end_of_a_long_line_is_heard(
        self, warm: EngineHost, manifest: Manifest, language: str, kind: str
    ) -> None:
        """Or the characters are named that cannot be spoken."""
        if language not in manifest.languages or self.stands_in:
            return
        line, tail = LINES[language][kind]
        texts = (line, line + tail, line[: len(line) // 2])
        try:
            whole, more, half = (self.in_pieces(warm, manifest, text, language) for text in texts)
        except JobFailure as failure:
            if "does not know" not in failure.message:
                raise
            return
        assert whole != more
        assert sum(audio.duration_s for audio in whole) > 1.5 * sum(audio.duration_s for audio in half)

    def in_pieces(self, host: EngineHost, manifest: Manifest, text: str, language: str) -> list[Audio]:
        pieces = split(text, language, manifest.max_piece_chars)
        return [speak(host, self.plain(text=piece, language=language)) for piece in pieces]

    # --- controls

    @pytest.mark.parametrize("speed", [SPEED.minimum, 0.5, 1.5, 2.0, SPEED.maximum])
    def test_speed_divides_the_duration(self, warm: EngineHost, manifest: Manifest, speed: float) -> None:
        if manifest.support("speed") not in HONOURED:
            assert refusal(warm, self.plain(speed=speed)) is FailureCode.ENGINE_ERROR
            return
        ratio = speak(warm, self.plain()).duration_s / speak(warm, self.plain(speed=speed)).duration_s
        assert ratio == pytest.approx(speed, rel=0.08)

    @pytest.mark.parametrize("pitch_scale", [PITCH_SCALE.minimum, 0.8, 1.25, 1.5, PITCH_SCALE.maximum])
    def test_pitch_scale_moves_f0_and_nothing_else(
        self, warm: EngineHost, manifest: Manifest, pitch_scale: float
    ) -> None:
        if manifest.support("pitch_scale") not in HONOURED:
            assert refusal(warm, self.plain(pitch_scale=pitch_scale)) is FailureCode.ENGINE_ERROR
            return
        plain, moved = speak(warm, self.plain()), speak(warm, self.plain(pitch_scale=pitch_scale))
        assert pitch_hz(moved) / pitch_hz(plain) == pytest.approx(pitch_scale, rel=0.08)
        assert moved.duration_s == pytest.approx(plain.duration_s, rel=0.03)

    def test_emotions_can_be_told_apart(self, warm: EngineHost, manifest: Manifest) -> None:
        """By pitch (semitones), pace or level: each pair differs somewhere by more than is just heard."""
        heard = {}
        for name in manifest.emotions:
            audio = speak(warm, self.plain(emotion=Emotion(name)))
            semitones = 12 * math.log2(pitch_hz(audio))
            heard[name] = (semitones / 0.5, math.log(audio.duration_s) / 0.05, level_db(audio) / 1.0)
        for one, other in combinations(heard, 2):
            assert math.dist(heard[one], heard[other]) > 1.5, f"{one} sounds like {other}"

    def test_strength_runs_from_neutral_to_the_whole_emotion(self, warm: EngineHost, manifest: Manifest) -> None:
        if manifest.support("strength") not in HONOURED:
            pytest.skip("no strength")
        neutral, none, half, whole = (
            speak(warm, self.plain(emotion=emotion))
            for emotion in (None, Emotion("happy", strength=0), Emotion("happy", strength=0.5), Emotion("happy"))
        )
        assert none.sha256 == neutral.sha256
        assert pitch_hz(neutral) < pitch_hz(half) < pitch_hz(whole)

    @pytest.mark.parametrize("sample_rate", [8_000, 24_000, 48_000])
    def test_sample_rate_is_the_one_asked_for(self, warm: EngineHost, manifest: Manifest, sample_rate: int) -> None:
        own = speak(warm, self.plain())
        assert own.sample_rate == manifest.sample_rate
        other = speak(warm, self.plain(), sample_rate)
        assert other.sample_rate == sample_rate
        assert other.duration_s == pytest.approx(own.duration_s, abs=0.001)
        assert speak(warm, self.plain(), sample_rate).sha256 == other.sha256

    def test_what_is_unsupported_is_an_error_and_no_silence(self, warm: EngineHost, manifest: Manifest) -> None:
        asked: dict[str, dict[str, Any]] = {
            "emotion": {"emotion": Emotion("neutral")},
            "emotion_vector": {"emotion": Emotion(vector=(1.0, 0, 0, 0, 0, 0, 0, 0))},
            "emotion_audio": {"emotion": Emotion(audio="voice_1")},
            "emotion_text": {"emotion": Emotion(text="delighted")},
            "reference": {"reference": Path("voice.wav")},
        }
        for control, changes in asked.items():
            if manifest.support(control) is Support.UNSUPPORTED:
                assert refusal(warm, self.plain(**changes)) is FailureCode.ENGINE_ERROR, control

    # --- bad input

    @pytest.mark.parametrize("text", ["", "   \n ", "\u200b", "……", "—"])
    def test_text_without_words_returns_nothing_rather_than_silence(self, warm: EngineHost, text: str) -> None:
        assert refusal(warm, self.plain(text=text)) is FailureCode.ENGINE_RETURNED_NOTHING

    @pytest.mark.parametrize(
        "wrong",
        [
            {"speed": 0.0},
            {"speed": math.nan},
            {"speed": 4.1},
            {"pitch_scale": -1.0},
            {"emotion": Emotion("smug")},
            {"emotion": Emotion("happy", strength=1.5)},
            {"voice": "nobody"},
            {"voice": "../../etc/passwd"},
            {"options": {"no_such_option": 1}},
        ],
        ids=str,
    )
    def test_what_the_manifest_does_not_allow_is_an_error(self, warm: EngineHost, wrong: dict[str, Any]) -> None:
        assert refusal(warm, self.plain(**wrong)) is FailureCode.ENGINE_ERROR

    @pytest.mark.parametrize("sample_rate", [0, 7_999, 192_000])
    def test_an_unheard_of_sample_rate_is_an_error(self, warm: EngineHost, sample_rate: int) -> None:
        assert refusal(warm, self.plain(), sample_rate) is FailureCode.ENGINE_ERROR

    def test_every_option_keeps_its_published_bounds(self, warm: EngineHost, manifest: Manifest) -> None:
        jsonschema.Draft202012Validator.check_schema(manifest.options_schema)
        assert manifest.options_schema["additionalProperties"] is False
        for name, schema in manifest.options_schema["properties"].items():
            for value in (schema["minimum"] - 1, schema["maximum"] + 1, "much", None, True):
                assert refusal(warm, self.plain(options={name: value})) is FailureCode.ENGINE_ERROR

    def test_defaults_of_options_change_nothing(self, warm: EngineHost, manifest: Manifest) -> None:
        defaults = {name: schema["default"] for name, schema in manifest.options_schema["properties"].items()}
        assert speak(warm, self.plain(options=defaults)).sha256 == speak(warm, self.plain()).sha256

    def test_a_piece_of_full_length_is_spoken_whole(self, warm: EngineHost, manifest: Manifest) -> None:
        one = speak(warm, self.plain())
        repeats = manifest.max_piece_chars // (len(self.sentence) + 1)
        many = speak(warm, self.plain(text=" ".join([self.sentence] * repeats)))
        assert many.duration_s > 0.9 * repeats * one.duration_s

    # --- trouble

    def test_a_cancel_in_mid_call_ends_a_host_that_does_not_answer(self, start: Start) -> None:
        host = start()
        os.kill(host.pid, signal.SIGSTOP)

        def canceled() -> None:
            raise Stop

        with pytest.raises(Stop):
            host.speak(self.plain(), sample_rate=None, deadline_s=DEADLINE_S, tick=canceled)
        assert not host.alive

    def test_a_crash_in_mid_call_is_an_engine_crash_that_may_be_tried_again(self, start: Start) -> None:
        host = start()
        os.kill(host.pid, signal.SIGSTOP)

        def crash() -> None:
            os.kill(host.pid, signal.SIGKILL)

        with pytest.raises(JobFailure) as failed:
            host.speak(self.plain(), sample_rate=None, deadline_s=DEADLINE_S, tick=crash)
        assert failed.value.code is FailureCode.ENGINE_CRASHED
        assert not failed.value.final
        assert not host.alive

    def test_a_hang_ends_at_the_deadline(self, start: Start) -> None:
        host = start()
        os.kill(host.pid, signal.SIGSTOP)
        with pytest.raises(JobFailure) as failed:
            host.speak(self.plain(), sample_rate=None, deadline_s=0.3, tick=never_mind)
        assert failed.value.code is FailureCode.ENGINE_TIMEOUT
        assert not host.alive
