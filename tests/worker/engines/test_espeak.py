"""What is espeak's own: voices, languages, the lock, and samples that depend on nothing but the request."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.espeak import library
from services.worker.engines.espeak.engine import EspeakEngine
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.espeak.limits import fits, surely_fits
from services.worker.engines.espeak.locking import installation
from services.worker.engines.espeak.voices import EspeakVoices
from shared.audio import Audio
from shared.controls import CANONICAL_EMOTIONS, Emotion
from shared.errors import FailureCode
from tests.worker.engines.hearing import level_db, pitch_hz

SENTENCE = "Nobody in the room said a word."


@pytest.fixture(scope="module")
def engine() -> EspeakEngine:
    engine = Espeak().build("espeak-v2")
    assert isinstance(engine, EspeakEngine)
    return engine


@pytest.fixture(scope="module")
def voices() -> EspeakVoices:
    return EspeakVoices(installation().data)


# --- voices and languages


@pytest.mark.parametrize(
    ("tag", "voice"),
    [
        ("zh", "cmn"),
        ("zh-CN", "cmn"),
        ("zh-yue", "yue"),
        ("yue", "yue"),
        ("en", "en-us"),
        ("en-AU", "en-us"),
        ("en-GB", "en-gb"),
        ("pt", "pt"),
        ("pt-BR", "pt-br"),
        ("fr", "fr-fr"),
        ("no", "nb"),
        ("de-AT", "de"),
    ],
)
def test_a_language_is_spoken_by_the_voice_that_people_expect(voices: EspeakVoices, tag: str, voice: str) -> None:
    assert voices.find(tag, None) == voices.find("en", voice)


def test_a_language_that_espeak_lacks_is_an_error(voices: EspeakVoices) -> None:
    with pytest.raises(EngineError, match="does not speak tlh"):
        voices.find("tlh", None)


@pytest.mark.parametrize("voice", ["cmn+nobody", "nobody", "cmn+", "+f2", "cmn+../f2", "CMN"])
def test_a_voice_that_espeak_lacks_is_an_error(voices: EspeakVoices, voice: str) -> None:
    with pytest.raises(EngineError, match="no voice"):
        voices.find("en", voice)


def test_every_voice_speaks(engine: EspeakEngine) -> None:
    for voice in engine.manifest().voices:
        assert engine.speak(SpeakRequest("Hello, you", "en", voice=voice)).duration_s > 0.2, voice


@pytest.mark.parametrize(
    ("digits", "unread"), [("1 2 3", {}), ("0 4 8", {"kl": "'0', '8'", "quc": "'0'", "qya": "'0'"})]
)
@pytest.mark.parametrize("end", ["", "."])
def test_every_voice_reads_digits_or_says_that_it_does_not(
    engine: EspeakEngine, digits: str, unread: Mapping[str, str], end: str
) -> None:
    every = ", ".join(map(repr, digits.split()))
    unread = {"chr-us-qaaa-x-west": every, "cv": every, "sjn": every, **unread}
    for voice in engine.manifest().voices:
        request = SpeakRequest(f"Hello {digits}{end}", "en", voice=voice)
        if voice in unread:
            with pytest.raises(EngineError, match=f"does not know {unread[voice]}"):
                engine.speak(request)
        else:
            assert engine.speak(request).duration_s > engine.speak(replace(request, text="Hello")).duration_s, voice


@pytest.mark.parametrize(
    "text",
    [
        "9999 8888 7777",
        "7,777 8.888 5735",
        "777 777 777",
        "Wawawawawawawawawawa " * 2,
        "won't, well-known: x-y-z-a-b-c-d",
        "bcdfg",
    ],
)
def test_a_text_that_surely_fits_fits_in_every_voice(voices: EspeakVoices, text: str) -> None:
    installed = installation()
    for name in set(voices.names) - {"kl"}:  # the digit 8 ends it
        with library.phonemes(installed.library, installed.data, voices.find("en", name)) as clauses_of:
            assert fits(text, clauses_of) or not surely_fits(text), name


def test_plain_words_and_numbers_surely_fit_and_amounts_may_not() -> None:
    assert all(map(surely_fits, ("Clip number 1499.", "“Don't!”, she said (twice).", "Ein gut-gelaunter Ton.")))
    assert not any(map(surely_fits, ("12345", "5 %", "1 2 3 4", "a" * 21, "so " * 21, "…")))


def test_variants_are_different_voices(engine: EspeakEngine) -> None:
    spoken = [engine.speak(SpeakRequest(SENTENCE, "en", voice=voice)) for voice in ("en-us", "en-us+f2", "en-us+m3")]
    assert len({audio.sha256 for audio in spoken}) == 3
    assert pitch_hz(spoken[1]) > 1.4 * pitch_hz(spoken[0])


def test_a_voice_named_outright_decides_over_the_language(engine: EspeakEngine) -> None:
    english, asked_as_chinese = (
        engine.speak(SpeakRequest(SENTENCE, language, voice="en-us")) for language in ("en", "zh")
    )
    assert english.sha256 == asked_as_chinese.sha256


# --- prosody


def test_the_second_version_tells_emotions_further_apart_than_the_first() -> None:
    def spread(pin: str) -> float:
        sad, surprised = (
            pitch_hz(Espeak().build(pin).speak(SpeakRequest(SENTENCE, "en", emotion=Emotion(name))))
            for name in ("sad", "surprise")
        )
        return surprised / sad

    assert spread("espeak-v2") > 1.2 * spread("espeak-v1")


def test_both_versions_are_the_same_voice_when_neutral() -> None:
    first, second = (Espeak().build(pin).speak(SpeakRequest(SENTENCE, "en")) for pin in ("espeak-v1", "espeak-v2"))
    assert first.sha256 == second.sha256


def test_emotion_speed_and_pitch_multiply_beyond_what_espeak_reaches(engine: EspeakEngine) -> None:
    def spoken(speed: float, pitch_scale: float) -> Audio:
        return engine.speak(SpeakRequest(SENTENCE, "en", emotion=Emotion("fear"), speed=speed, pitch_scale=pitch_scale))

    afraid = spoken(1, 1)
    assert pitch_hz(spoken(1, 2)) / pitch_hz(afraid) == pytest.approx(2, rel=0.1)
    assert afraid.duration_s / spoken(4, 1).duration_s == pytest.approx(4, rel=0.1)


def test_options_change_pauses_and_level(engine: EspeakEngine) -> None:
    plain, gaps, soft = (
        engine.speak(SpeakRequest(SENTENCE, "en", options=options))
        for options in ({}, {"word_gap_ms": 200}, {"volume": 50})
    )
    assert gaps.duration_s > plain.duration_s + 5 * 0.2
    assert level_db(soft) == pytest.approx(level_db(plain) - 6, abs=1)


@pytest.mark.parametrize("name", [None, *CANONICAL_EMOTIONS])
def test_the_lowest_volume_is_heard_in_every_manner(engine: EspeakEngine, name: str | None) -> None:
    options = engine.manifest().options_schema["properties"]
    emotion = None if name is None else Emotion(name)
    for language, voice in (("en", None), ("zh", None), ("en", "en-us+whisper")):
        lowest = {"volume": options["volume"]["minimum"]}
        spoken = engine.speak(SpeakRequest(SENTENCE, language, voice=voice, emotion=emotion, options=lowest))
        assert spoken.pcm.count(0) < len(spoken.pcm)


def test_a_volume_that_is_nothing_is_refused_by_its_name(engine: EspeakEngine) -> None:
    for volume in (0, 1, 9):
        with pytest.raises(EngineError, match="options/volume"):
            engine.speak(SpeakRequest(SENTENCE, "en", options={"volume": volume}))


# --- the same samples, always


@pytest.fixture
def busy_cores() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def test_200_other_sentences_leave_no_trace(engine: EspeakEngine) -> None:
    request = SpeakRequest(SENTENCE, "en", emotion=Emotion("happy"), seed=1)
    before = engine.speak(request).sha256
    for number in range(200):
        engine.speak(SpeakRequest(f"Number {number}.", ("en", "zh", "de")[number % 3], speed=1 + number / 100))
    assert engine.speak(request).sha256 == before


def test_busy_cores_change_nothing(engine: EspeakEngine, busy_cores: None) -> None:
    assert len({engine.speak(SpeakRequest(SENTENCE, "en")).sha256 for _ in range(5)}) == 1


# --- the lock


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The installed package once more, in links, to be tampered with."""
    package = installation().library.parent
    shutil.copytree(package, tmp_path / package.name, copy_function=os.symlink)
    record = installation().record.parent
    shutil.copytree(record, tmp_path / record.name)
    return tmp_path


def refused_lock(copied: Path) -> EngineError:
    """How an engine in a fresh process, which finds the copy first, refuses to load."""
    script = (
        "from services.worker.engines.espeak.family import Espeak\n"
        "from services.worker.engines.base import EngineError\n"
        "try: Espeak().build('espeak-v1').load()\n"
        "except EngineError as e: print(e.code.value, e, sep='|')\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(copied)}
    said = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    code, _, message = said.stdout.strip().partition("|")
    return EngineError(message, FailureCode(code))


def replaced(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def test_an_altered_voice_is_refused_by_name(copy: Path) -> None:
    voice = copy / "espeakng_loader/espeak-ng-data/lang/sit/cmn"
    replaced(voice, voice.read_bytes() + b"\n")
    error = refused_lock(copy)
    assert error.code is FailureCode.MODEL_LOCK_MISMATCH
    assert "lang/sit/cmn differs from the published" in str(error)


def test_a_missing_dictionary_is_refused_by_name(copy: Path) -> None:
    (copy / "espeakng_loader/espeak-ng-data/cmn_dict").unlink()
    error = refused_lock(copy)
    assert error.code is FailureCode.MODEL_LOCK_MISMATCH
    assert "cmn_dict is missing" in str(error)


def test_an_altered_library_is_refused_before_it_is_loaded(copy: Path) -> None:
    replaced(copy / "espeakng_loader/libespeak-ng.so", b"not a library")
    assert refused_lock(copy).code is FailureCode.MODEL_LOCK_MISMATCH


def test_a_file_that_was_not_published_is_refused(copy: Path) -> None:
    (copy / "espeakng_loader/espeak-ng-data/lang/xyz").write_text("name Xyz\nlanguage xyz\n")
    assert refused_lock(copy).code is FailureCode.MODEL_LOCK_MISMATCH


def test_another_release_is_refused(copy: Path) -> None:
    record = next(copy.glob("espeakng_loader-*.dist-info"))
    record.rename(copy / "espeakng_loader-9.9.dist-info")
    error = refused_lock(copy)
    assert error.code is FailureCode.MODEL_LOCK_MISMATCH
    assert "9.9 is installed" in str(error)


def test_the_lock_covers_library_voices_and_preset() -> None:
    engine = Espeak().build("espeak-v1")
    assert isinstance(engine, EspeakEngine)
    paths = {file["path"] for file in engine.lock["files"]}
    assert {"espeakng_loader/libespeak-ng.so", "espeakng_loader/espeak-ng-data/phondata", "espeak-v1.toml"} <= paths
    assert len(paths) > 350


def test_versions_differ_in_their_lock() -> None:
    first, second = (Espeak().build(pin).manifest().lock_sha256 for pin in ("espeak-v1", "espeak-v2"))
    assert first != second


def test_what_an_utterance_took_is_given_back() -> None:
    """A dictionary of 9 MB, for one: a worker speaks a hundred thousand sentences."""
    script = (
        "import resource\n"
        "from services.worker.engines.base import SpeakRequest\n"
        "from services.worker.engines.espeak.family import Espeak\n"
        "engine = Espeak().build('espeak-v2')\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "speak = lambda: [engine.speak(SpeakRequest('Привет, мир, как дела?', 'ru')) for _ in range(30)]\n"
        "speak(); before = peak(); speak(); speak(); print(peak() - before)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert int(printed.stdout) < 60 * 1024  # KiB; kept, each of the sixty would be 8,900
