"""A panel of all metrics in this process; weights that may not be in the repository, and a tiny pin of the catalog."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.metrics.base import Clip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.table import FAMILIES
from shared.scores import Reason, Scored, Unscored
from tests.scorer.metrics.clips import KNOWN, SPOKEN
from tests.scorer.metrics.funasr_pins import funasr_files, funasr_python
from tests.scorer.metrics.tiny_emotion import EIGHT, classifier_files
from tests.scorer.metrics.tiny_encoder import encoder_files
from tests.scorer.metrics.tiny_utmos import OfFloats, script
from tests.scorer.metrics.tiny_wavlm import wavlm_files
from tests.scorer.metrics.tiny_whisper import lesson, whisper_files
from tests.shelves import Shelves

TAUGHT = ("en_plain", "en_fast", "zh_plain")
"""The clips whose words the tiny Whisper knows."""
IN_GERMAN = "Um drei vor der Bücherei."
"""What it was taught to hear in zh_plain when German is asked for."""


@pytest.fixture(scope="session")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    """A store in which the weights of NISQA are looked for; they need not be there."""
    shelves = Shelves(tmp_path_factory.mktemp("shelves"))
    data = Path(os.environ.get("RINGTRUE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
    shelves.store.root.mkdir()
    (shelves.store.root / "nisqa").symlink_to(data / "nisqa")
    return shelves


@pytest.fixture(scope="session")
def models(shelves: Shelves) -> Path:
    """The folder of weights."""
    return shelves.store.root


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has a fake of FunASR, and nothing of ours but numpy."""
    return funasr_python(tmp_path_factory.mktemp("funasr"))


@pytest.fixture(scope="session")
def instruments(shelves: Shelves, python: Path) -> Instruments:
    """What metrics stand on. A tiny checkpoint of every family that has a pin is locked and pulled; NISQA's weights are
    there where they are to be had."""
    instruments = Instruments(shelves.store.root, lock_file=shelves.lock_file, funasr_python=python)
    lessons = [lesson(KNOWN[name], instruments.speech) for name in TAUGHT]
    lessons.append((lessons[TAUGHT.index("zh_plain")][0], "de", IN_GERMAN))
    texts = [known.text or "" for known in SPOKEN]
    shelves.put("tiny-wavlm", wavlm_files(shelves.root / "checkpoint"), engine="speaker_wavlm")
    shelves.put("tiny-whisper", whisper_files(shelves.root / "whisper", lessons), engine="whisper")
    shelves.put("tiny-encoder", encoder_files(shelves.root / "encoder", texts), engine="semantic_multilingual")
    shelves.put("tiny-utmos", {"utmos.pt": script(OfFloats())}, engine="utmos")
    shelves.put("tiny-emotion", classifier_files(shelves.root / "emotion", EIGHT), engine="emotion")
    shelves.put("fake-sensevoice", funasr_files("SenseVoiceSmall", text=KNOWN["en_plain"].text), engine="funasr")
    return instruments


@pytest.fixture(scope="session")
def panel(instruments: Instruments) -> Panel:
    """Every family, loaded at first use and kept."""
    return Panel(FAMILIES, instruments)


class Measure:
    """Measures a clip by one family; a family whose weights are not on this machine skips the test."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def __call__(self, family: str, clip: Clip) -> dict[str, Scored]:
        scores = self._panel.measure(family, clip)
        for scored in scores.values():
            if isinstance(scored, Unscored) and scored.reason is Reason.MODEL_NOT_PULLED:
                pytest.skip(f"no weights here: {scored.detail}")
        return scores

    def if_there(self, family: str, clip: Clip) -> dict[str, Scored]:
        """As a call, without skipping: where weights are missing, those reasons are the answer."""
        return self._panel.measure(family, clip)

    def value(self, name: str, family: str, clip: Clip) -> float:
        """One value, which there must be."""
        scored = self(family, clip)[name]
        assert not isinstance(scored, Unscored), f"{name}: {scored}"
        return scored.value


@pytest.fixture(scope="session")
def measure(panel: Panel) -> Measure:
    return Measure(panel)
