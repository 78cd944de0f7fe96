"""A panel of all metrics in this process; weights that may not be in the repository, and a tiny pin of the catalog."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from shared.metrics import METRICS
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN, SPOKEN
from tests.scorer.metrics.funasr_pins import funasr_files, funasr_python
from tests.scorer.metrics.measure import Measure
from tests.scorer.metrics.planted_distillmos import planted_state, weights_file
from tests.scorer.metrics.tiny_emotion import EIGHT, classifier_files
from tests.scorer.metrics.tiny_encoder import encoder_files
from tests.scorer.metrics.tiny_utmos import OfFloats, script
from tests.scorer.metrics.tiny_wavlm import wavlm_files
from tests.scorer.metrics.tiny_whisper import lesson, whisper_files

pytest.register_assert_rewrite("tests.scorer.metrics.conformance")

TAUGHT = ("en_plain", "en_fast", "zh_plain")
"""The clips whose words the tiny Whisper knows."""
IN_GERMAN = "Um drei vor der Bücherei."
"""What it was taught to hear in zh_plain when German is asked for."""


@pytest.fixture(scope="session")
def model_stores(tmp_path_factory: pytest.TempPathFactory) -> ModelStores:
    """A store in which the weights of NISQA are looked for; they need not be there."""
    model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
    data = Path(os.environ.get("RINGTRUE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
    model_stores.store.root.mkdir()
    (model_stores.store.root / "nisqa").symlink_to(data / "nisqa")
    return model_stores


@pytest.fixture(scope="session")
def models(model_stores: ModelStores) -> Path:
    """The folder of weights."""
    return model_stores.store.root


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has a fake of FunASR, and nothing of ours but numpy."""
    return funasr_python(tmp_path_factory.mktemp("funasr"))


@pytest.fixture(scope="session")
def instruments(model_stores: ModelStores, python: Path) -> Instruments:
    """What metrics stand on. A tiny checkpoint of every family that has a pin is locked and pulled; NISQA's weights are
    there where they are to be had."""
    instruments = Instruments(model_stores.store.root, lock_file=model_stores.lock_file, funasr_python=python)
    lessons = [lesson(KNOWN[name], instruments.speech) for name in TAUGHT]
    lessons.append((lessons[TAUGHT.index("zh_plain")][0], "de", IN_GERMAN))
    texts = [known.text or "" for known in SPOKEN]
    model_stores.put("tiny-wavlm", wavlm_files(model_stores.root / "checkpoint"), engine="speaker_wavlm")
    model_stores.put("tiny-whisper", whisper_files(model_stores.root / "whisper", lessons), engine="whisper")
    model_stores.put(
        "tiny-encoder", encoder_files(model_stores.root / "encoder", texts), engine="semantic_multilingual"
    )
    model_stores.put("drawn-distillmos", {"any.pt": weights_file(planted_state())}, engine="distillmos")
    model_stores.put("tiny-utmos", {"utmos.pt": script(OfFloats())}, engine="utmos")
    model_stores.put("tiny-emotion", classifier_files(model_stores.root / "emotion", EIGHT), engine="emotion")
    model_stores.put("fake-sensevoice", funasr_files("SenseVoiceSmall", text=KNOWN["en_plain"].text), engine="funasr")
    return instruments


@pytest.fixture(scope="session")
def panel(instruments: Instruments) -> Panel:
    """Every family of ours, loaded at first use and kept."""
    return Panel(METRICS, instruments)


@pytest.fixture(scope="session")
def measure(panel: Panel) -> Measure:
    return Measure(panel)
