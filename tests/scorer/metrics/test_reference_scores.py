"""Our own implementations give what the reference implementations give (tests/data/speech/reference_scores.json)."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from services.scorer.metrics.distillmos.metric import DistillMosMetric
from services.scorer.metrics.dnsmos.metric import Dnsmos, repeated, window_count
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.nisqa.metric import Nisqa, NisqaTts, mel_spectrogram_db
from services.scorer.metrics.spectra import mel_filters
from tests.example_pins import pulled_example
from tests.scorer.metrics.clips import KNOWN, SPOKEN, Known

CLOSE = 0.02
NISQA_DIMENSIONS = ("mos_pred", "noi_pred", "dis_pred", "col_pred", "loud_pred")
every_clip = pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)


@pytest.fixture(scope="module")
def dnsmos(models: Path) -> Dnsmos:
    metric = Dnsmos(Instruments(models))
    metric.load()
    return metric


def _loaded(metric: Nisqa | NisqaTts) -> Nisqa | NisqaTts:
    try:
        metric.load()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return metric


@pytest.fixture(scope="module")
def nisqa(models: Path) -> Nisqa | NisqaTts:
    return _loaded(Nisqa(Instruments(models)))


@pytest.fixture(scope="module")
def nisqa_tts(models: Path) -> Nisqa | NisqaTts:
    return _loaded(NisqaTts(Instruments(models)))


@pytest.fixture(scope="module")
def distillmos(tmp_path_factory: pytest.TempPathFactory) -> DistillMosMetric:
    models, lock_file = pulled_example("distillmos", tmp_path_factory.mktemp("distillmos"))
    metric = DistillMosMetric(Instruments(models, lock_file=lock_file))
    metric.load()
    return metric


@every_clip
def test_distillmos_equals_the_reference(known: Known, distillmos: DistillMosMetric) -> None:
    expected = {"mos/distillmos": known.reference["distillmos"]["mos"]}
    assert distillmos.measure(known.clip()) == pytest.approx(expected, abs=0.001)


@every_clip
def test_dnsmos_equals_the_reference_behind_the_gate(known: Known, dnsmos: Dnsmos) -> None:
    values = dnsmos.measure(known.clip())
    expected = {f"mos/dnsmos_{name.removesuffix('_mos')}": value for name, value in known.reference["dnsmos"].items()}
    assert values == pytest.approx(expected, abs=CLOSE)


def test_dnsmos_equals_speechmos_on_the_same_samples_and_takes_less_time(dnsmos: Dnsmos) -> None:
    speechmos = pytest.importorskip("speechmos.dnsmos")
    clip = KNOWN["zh_low"].clip()
    speechmos.run(KNOWN["en_fast"].clip().at_16k, 16_000)  # its first call compiles
    start = time.process_time()
    theirs = speechmos.run(clip.at_16k, 16_000)
    their_s = time.process_time() - start
    start = time.process_time()
    ours = dnsmos.measure(clip)
    our_s = time.process_time() - start
    assert ours == pytest.approx({f"mos/dnsmos_{k.removesuffix('_mos')}": v for k, v in theirs.items()}, abs=0.001)
    assert their_s > 2 * our_s


def test_every_window_of_a_long_clip_counts() -> None:
    """speechmos drops windows 7 to 23, by float rounding: what is said after 16 s would go unheard."""
    assert window_count(30 * 16_000) == 21
    assert window_count(len(KNOWN["zh_low"].clip().at_16k)) == 7


def test_a_short_clip_is_doubled_until_it_fills_a_window() -> None:
    assert len(repeated(np.zeros(70_000, np.float32))) == 280_000
    assert len(repeated(np.zeros(144_160, np.float32))) == 144_160


@every_clip
def test_nisqa_tts_equals_the_reference(known: Known, nisqa_tts: NisqaTts) -> None:
    found = _dimensions(nisqa_tts, known)
    assert found == pytest.approx([known.reference["nisqa_tts"]["mos_pred"]], abs=CLOSE)


@every_clip
def test_nisqa_equals_the_reference_in_all_five_dimensions(known: Known, nisqa: Nisqa) -> None:
    expected = [known.reference["nisqa"][name] for name in NISQA_DIMENSIONS]
    assert _dimensions(nisqa, known) == pytest.approx(expected, abs=CLOSE)


def _dimensions(metric: Nisqa | NisqaTts, known: Known) -> list[float]:
    clip = known.clip()
    return metric.dimensions(mel_spectrogram_db(clip.samples, clip.sample_rate, metric.high_hz))


def test_the_mos_of_nisqa_is_published_and_nothing_else_of_it(nisqa: Nisqa) -> None:
    known = SPOKEN[0]
    assert nisqa.measure(known.clip()) == pytest.approx({"mos/nisqa": known.reference["nisqa"]["mos_pred"]}, abs=CLOSE)


@pytest.mark.parametrize(("rate", "size", "bands", "high_hz"), [(48_000, 4096, 48, 20_000), (16_000, 321, 120, 8_000)])
def test_mel_filters_equal_those_of_librosa(rate: int, size: int, bands: int, high_hz: int) -> None:
    filters = pytest.importorskip("librosa.filters")
    theirs = filters.mel(sr=rate, n_fft=size, n_mels=bands, fmax=high_hz)
    np.testing.assert_allclose(mel_filters(rate, size, bands, high_hz), theirs, atol=1e-7)
