"""A pinned Whisper in CTranslate2's files: a tiny one, converted from the checkpoint that was taught some clips."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import WhisperFeatureExtractor

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.whisper.ctranslate2_decoder import HEARD_S, enough_s, spectrum
from services.scorer.metrics.whisper.metric import Whisper
from services.scorer.metrics.whisper.recogniser import WhisperRecogniser, whisper_of
from services.scorer.scoring.metric_host import MetricHost
from shared.audio import Audio, silence
from shared.catalog import lock_sha256
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.conftest import IN_GERMAN, TAUGHT
from tests.scorer.metrics.tiny_ctranslate2 import ctranslate2_files
from tests.scorer.metrics.tiny_whisper import LONGEST, altered, whisper_files, without

EN, ZH = KNOWN["en_plain"], KNOWN["zh_plain"]

Files = Mapping[str, bytes]
SUPPRESSED: Mapping[str, object] = {"suppress_ids": [], "suppress_ids_begin": []}
"""Members that `altered` would drop, as they are null here."""


@pytest.fixture(scope="module")
def files(instruments: Instruments, model_stores: ModelStores, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What `instruments` taught, converted."""
    return ctranslate2_files(model_stores.root / "whisper", tmp_path_factory.mktemp("converted") / "model")


@pytest.fixture(scope="module")
def stored(files: Files, tmp_path_factory: pytest.TempPathFactory) -> ModelStores:
    return _put(files, tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="module")
def recogniser(stored: ModelStores) -> WhisperRecogniser:
    return _loaded(stored)


def _put(files: Files, folder: Path) -> ModelStores:
    model_stores = ModelStores(folder)
    model_stores.put("tiny", files, engine="whisper")
    return model_stores


def _instruments(stored: ModelStores, threads: int = 1) -> Instruments:
    return Instruments(stored.store.root, threads, lock_file=stored.lock_file)


def _loaded(stored: ModelStores) -> WhisperRecogniser:
    found = whisper_of(_instruments(stored))
    found.load()
    return found


def _scores(stored: ModelStores, clip: MeasuredClip) -> dict[str, Scored]:
    return Panel(METRICS, _instruments(stored)).measure("whisper", clip)


def _refused(files: Files, folder: Path) -> str:
    """Why the values of a clip are missing, all for one reason: the pin."""
    first, *others = _scores(_put(files, folder), EN.clip()).values()
    assert isinstance(first, Unscored), first
    assert first.reason is Reason.MODEL_NOT_PULLED
    assert all(other == first for other in others)
    assert "tiny" in first.detail
    return first.detail


@pytest.mark.parametrize("name", TAUGHT)
def test_it_hears_what_the_checkpoint_hears_that_it_was_made_from(
    name: str, recogniser: WhisperRecogniser, instruments: Instruments
) -> None:
    original = whisper_of(instruments)
    original.load()
    clip = KNOWN[name].clip()
    assert recogniser.transcript(clip) == original.transcript(KNOWN[name].clip()) == clip.text


def test_a_text_is_as_likely_as_for_the_checkpoint_that_it_was_made_from(
    recogniser: WhisperRecogniser, instruments: Instruments
) -> None:
    original = whisper_of(instruments)
    original.load()
    texts = [EN.text or "", (EN.text or "").replace("keys", "boats"), "Yes."]
    found = recogniser.log_likelihood_ratios(EN.clip(), texts)
    assert found == pytest.approx(original.log_likelihood_ratios(EN.clip(), texts), abs=0.02)
    assert isinstance(found, list)
    assert found[0] > max(found[1:])


def test_a_text_with_more_tokens_than_it_writes_is_too_long(recogniser: WhisperRecogniser) -> None:
    found = recogniser.log_likelihood_ratios(EN.clip(), ["a" * LONGEST])
    assert isinstance(found, Unscored)
    assert found.reason is Reason.TOO_LONG


def test_words_and_characters_are_counted(stored: ModelStores) -> None:
    values = {name: scored.to_json().get("value") for name, scored in _scores(stored, EN.clip()).items()}
    assert values == {"asr/wer_whisper": 0, "asr/cer_whisper": 0}


def test_the_language_asked_for_is_that_of_the_clip(recogniser: WhisperRecogniser) -> None:
    assert recogniser.transcript(MeasuredClip.of(ZH.audio, text="", language="de-AT")) == IN_GERMAN


def test_a_language_that_it_does_not_name_is_not_covered(stored: ModelStores) -> None:
    for scored in _scores(stored, MeasuredClip.of(EN.audio, text="Un.", language="fr")).values():
        assert scored == Unscored(Reason.LANGUAGE_NOT_COVERED, "fr; tiny covers de, en, no, zh")


def test_the_same_samples_give_the_same_words(files: Files, tmp_path: Path) -> None:
    """Also of one that means nothing by what it writes, where the smallest difference shows."""
    whisper_files(tmp_path / "checkpoint")
    stored = _put(ctranslate2_files(tmp_path / "checkpoint", tmp_path / "converted"), tmp_path / "stored")
    recognisers = [_loaded(stored) for _ in range(2)]
    clips = [KNOWN[name] for name in ("en_plain", "zh_plain", "en_plain")]
    first, again = ([found.transcript(known.clip()) for known in clips] for found in recognisers)
    assert first == again
    assert first[0] == first[2]
    assert all(first)


def test_nothing_is_heard_in_silence(recogniser: WhisperRecogniser, stored: ModelStores) -> None:
    quiet = MeasuredClip.of(Audio(silence(2.0, 16_000), 16_000), text="Yes.", language="en")
    assert recogniser.transcript(quiet) == ""
    assert {s.reason for s in _scores(stored, quiet).values() if isinstance(s, Unscored)} == {Reason.NO_SPEECH}


def test_a_clip_longer_than_it_hears_at_a_time_is_heard_in_parts(stored: ModelStores) -> None:
    gap = silence(1.024, EN.audio.sample_rate)
    second = KNOWN["en_fast"]
    both = Audio(EN.audio.pcm + gap + second.audio.pcm + gap + EN.audio.pcm, EN.audio.sample_rate)
    text = f"{EN.text} {second.text} {EN.text}"
    scored = _scores(stored, MeasuredClip.of(both, text=text, language="en"))["asr/cer_whisper"]
    assert isinstance(scored, Score)
    assert scored.value < 0.1


@pytest.fixture
def endless(files: Files, tmp_path: Path) -> WhisperRecogniser:
    """A Whisper that writes letters until it may not write more."""
    vocabulary = json.loads(files["vocabulary.json"])
    letters = [vocabulary.index(letter) for letter in "Please"]
    others = [number for number in range(len(vocabulary)) if number not in letters]
    return _loaded(_put(altered(files, "config.json", **{**SUPPRESSED, "suppress_ids": others}), tmp_path))


def test_a_transcript_may_be_as_long_as_the_checkpoint_can_write(endless: WhisperRecogniser) -> None:
    """CTranslate2 alone would stop at half of it, and the rest of a long part would count as errors."""
    twice = Audio(EN.audio.pcm * 2, EN.audio.sample_rate)
    heard = endless.transcript(EN.clip(twice))
    assert len(heard) == LONGEST - 4, "all that it can write beside the four tokens that begin a transcript"


def test_a_transcript_is_no_longer_than_anybody_can_speak(endless: WhisperRecogniser) -> None:
    clip = EN.clip()
    assert 2 < clip.duration_s < 3
    assert len(endless.transcript(clip)) == 20 + 3 * 20


@pytest.mark.parametrize("samples", [1, 160, 15_999, 64_000, 19 * 16_000, 30 * 16_000 - 1, 30 * 16_000])
def test_the_spectrum_is_that_of_transformers_although_silence_is_not_computed(samples: int) -> None:
    extractor: Any = WhisperFeatureExtractor
    prepare = extractor()
    noise = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    whole = prepare(noise, sampling_rate=16_000, return_tensors="np").input_features
    frames = 2000 if samples <= 19 * 16_000 else 3000
    assert spectrum(prepare, noise, frames) == pytest.approx(whole[:, :, :frames], abs=1e-5)


@pytest.mark.parametrize(
    ("clip_s", "longest_s", "heard_s"),
    [(0.1, 30, 20), (19, 30, 20), (19.1, 30, 25), (24, 30, 25), (24.1, 30, 30), (30, 30, 30), (3, 6, 6), (19, 20, 20)],
)
def test_a_short_clip_is_heard_with_less_silence_than_fits(clip_s: float, longest_s: float, heard_s: float) -> None:
    assert enough_s(clip_s, HEARD_S, longest_s) == heard_s


def test_threads_are_bounded(stored: ModelStores) -> None:
    """With one, no library has a pool: there are this one, the one in which CTranslate2 works, and one to spare."""
    one, three = (_threads(stored, number) for number in (1, 3))
    assert one <= 3 < three


def _threads(stored: ModelStores, number: int) -> int:
    """How many threads a process has after it heard a clip with as many for the model."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from services.scorer.metrics.instruments import Instruments\n"
        "from services.scorer.metrics.whisper.ctranslate2_decoder import Ctranslate2Decoder\n"
        "from tests.scorer.metrics.clips import KNOWN\n"
        "found = Instruments(Path(sys.argv[1]), 1, lock_file=Path(sys.argv[2]))\n"
        "pin = found.pin_for('whisper')\n"
        "decoder = Ctranslate2Decoder(pin, found.snapshot(pin), int(sys.argv[3]))\n"
        "decoder.hear(KNOWN['en_plain'].clip().at_16k, 'en')\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    argv = [sys.executable, "-c", script, str(stored.store.root), str(stored.lock_file), str(number)]
    done = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True, timeout=120)
    return int(done.stdout.split()[-1])


def test_a_host_in_its_sandbox_hears_too(stored: ModelStores) -> None:
    with MetricHost(models=stored.store.root, lock_file=stored.lock_file) as host:
        (result,) = host.measure(EN.audio, families=["whisper"], text=EN.text, language="en")
    assert result.scores["asr/wer_whisper"].to_json()["value"] == 0
    assert result.lock is not None
    assert result.lock["parameters"]["backend"] == "ctranslate2"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (("config.json",), "has no config.json"),
        (("tokenizer.json",), "has no tokenizer.json"),
        (("vocabulary.json",), "has neither vocabulary.json nor vocabulary.txt"),
    ],
)
def test_what_is_missing_is_not_made_up(missing: tuple[str, ...], said: str, files: Files, tmp_path: Path) -> None:
    assert said in _refused(without(files, *missing), tmp_path)


def test_without_a_preprocessor_its_weights_say_how_much_it_hears(files: Files, tmp_path: Path) -> None:
    scores = _scores(_put(without(files, "preprocessor_config.json"), tmp_path), EN.clip())
    assert [scored.to_json().get("value") for scored in scores.values()] == [0, 0]


def test_a_vocabulary_may_be_a_list_of_lines(files: Files, tmp_path: Path) -> None:
    lines = "\n".join(json.loads(files["vocabulary.json"])) + "\n"
    older = {**without(files, "vocabulary.json"), "vocabulary.txt": lines.encode()}
    assert [scored.to_json().get("value") for scored in _scores(_put(older, tmp_path), EN.clip()).values()] == [0, 0]


@pytest.mark.parametrize("kept", [0, 3, 200, 5_000, -1])
def test_weights_that_are_cut_off_are_refused(kept: int, files: Files, tmp_path: Path) -> None:
    assert "cannot be read: " in _refused({**files, "model.bin": files["model.bin"][:kept]}, tmp_path)


def test_another_kind_of_model_is_refused(files: Files, tmp_path: Path) -> None:
    other = files["model.bin"].replace(b"WhisperSpec", b"BigotedSpec")
    assert "is a model of type BigotedSpec, not WhisperSpec" in _refused({**files, "model.bin": other}, tmp_path)


def test_what_is_no_model_at_all_is_refused(files: Files, tmp_path: Path) -> None:
    assert "has the form 1836345404" in _refused({**files, "model.bin": b"<html>" * 100}, tmp_path)


@pytest.mark.parametrize(
    ("file", "members", "said"),
    [
        ("config.json", {**SUPPRESSED, "lang_ids": None}, "config.json of tiny does not say which languages it covers"),
        ("config.json", {**SUPPRESSED, "lang_ids": [100_000]}, "cannot be read: IndexError"),
        ("config.json", {"suppress_ids": None}, "the config.json of tiny has no suppress_ids"),
        ("config.json", {"suppress_ids": []}, "the config.json of tiny has no suppress_ids_begin"),
        ("preprocessor_config.json", {"sampling_rate": 8_000}, "expects 8000 Hz, not 16000 Hz"),
        ("preprocessor_config.json", {"feature_size": 128}, "is for 128 filters and 6 s, and its weights for 80 and 6"),
        ("preprocessor_config.json", {"chunk_length": 30}, "is for 80 filters and 30 s, and its weights for 80 and 6"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    file: str, members: Mapping[str, object], said: str, files: Files, tmp_path: Path
) -> None:
    assert said in _refused(altered(files, file, **members), tmp_path)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"])
@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_a_file_that_is_cut_off_or_means_something_else_is_refused(
    file: str, content: bytes, files: Files, tmp_path: Path
) -> None:
    _refused({**files, file: content}, tmp_path)


@pytest.mark.parametrize("more", [[], ["<|0.00|>", "<|0.02|>"]])
def test_a_vocabulary_of_another_size_is_refused(more: list[str], files: Files, tmp_path: Path) -> None:
    words = [*json.loads(files["vocabulary.json"])[:-1], *more]
    other = {**files, "vocabulary.json": json.dumps(words).encode()}
    assert f"the vocabulary of tiny has {len(words)} tokens, and its weights 265" in _refused(other, tmp_path)


def test_the_tokenizer_of_another_model_is_refused(files: Files, tmp_path: Path) -> None:
    """It would turn the right tokens into other words."""
    words = json.loads(files["vocabulary.json"])
    words[0], words[1] = words[1], words[0]
    swapped = {**files, "vocabulary.json": json.dumps(words).encode()}
    assert "the tokenizer.json of tiny does not belong to its vocabulary" in _refused(swapped, tmp_path)


def test_an_english_only_model_covers_english(tmp_path: Path) -> None:
    whisper_files(tmp_path / "checkpoint", vocabulary=51_864)
    stored = _put(ctranslate2_files(tmp_path / "checkpoint", tmp_path / "converted"), tmp_path / "stored")
    assert all(isinstance(scored, Score) for scored in _scores(stored, EN.clip()).values())
    assert {s.detail for s in _scores(stored, ZH.clip()).values() if isinstance(s, Unscored)} == {"zh; tiny covers en"}


def test_the_lock_says_which_backend_and_which_numbers(stored: ModelStores, instruments: Instruments) -> None:
    ours, original = Whisper(_instruments(stored)).lock(), Whisper(instruments).lock()
    assert ours["packages"].keys() - original["packages"].keys() == {"ctranslate2"}
    added = {"backend": "ctranslate2", "compute_type": "float32", "heard_s": [20, 25]}
    assert ours["parameters"] == {**original["parameters"], **added}
    assert lock_sha256({**ours, "weights": {}}) != lock_sha256({**original, "weights": {}})
