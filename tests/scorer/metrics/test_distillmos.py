"""DistillMOS with drawn weights: it equals the package, on clips shorter and longer than a window; what it refuses.

test_reference_scores.py has the published weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from services.scorer.metrics.base import LONGEST_S
from services.scorer.metrics.distillmos.metric import DistillMosMetric
from services.scorer.metrics.distillmos.network import LONGEST_STEP, WINDOW, DistillMos, windows_of
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from shared.audio import Audio
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.planted_distillmos import planted_state, weights_file
from tests.scorer.metrics.tiny_utmos import OfFloats, script

SPOKEN = np.concatenate([KNOWN[name].clip().at_16k for name in ("en_plain", "zh_low", "en_fast", "zh_plain")])
OF_THE_PACKAGE = {
    6_000: 4.053450,
    16_000: 4.124954,
    100_000: 4.194393,
    WINDOW: 4.155482,
    WINDOW + 1: 4.161263,
    139_000: 4.166758,
    231_940: 4.173419,
}
"""What distillmos 0.9.1, with these weights, gives for so many samples of `SPOKEN`."""


@pytest.fixture(scope="module")
def network() -> DistillMos:
    torch.set_num_threads(1)  # as the metric does; two threads wait for each other on a busy machine
    return DistillMos(planted_state())


@pytest.mark.parametrize("length", OF_THE_PACKAGE)
@torch.inference_mode()
def test_it_equals_the_package(length: int, network: DistillMos) -> None:
    found = float(network(torch.from_numpy(SPOKEN[:length])))
    assert found == pytest.approx(OF_THE_PACKAGE[length], abs=1e-5)


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + LONGEST_STEP, 4_800_000])
def test_windows_reach_from_the_first_sample_to_the_last(length: int) -> None:
    windows = windows_of(torch.arange(1, length + 1))
    starts = [int(window[0]) - 1 for window in windows]
    assert {len(window) for window in windows} == {WINDOW}
    assert (starts[0], int(max(windows[-1]))) == (0, length)
    assert len(windows) == max(0, -(-(length - WINDOW) // LONGEST_STEP)) + 1
    assert all(0 < step <= LONGEST_STEP for step in np.diff(starts))


@torch.inference_mode()
def test_how_loud_a_clip_is_does_not_count(network: DistillMos) -> None:
    samples = torch.from_numpy(SPOKEN[:WINDOW])
    assert float(network(samples / 10)) == pytest.approx(float(network(samples)), abs=1e-4)


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., Scored]:
    """What the family says of a clip by a pin named ``drawn`` with these files."""

    def scored(files: dict[str, bytes], audio: Audio | None = None) -> Scored:
        model_stores = ModelStores(tmp_path)
        model_stores.put("drawn", files, engine="distillmos")
        instruments = Instruments(model_stores.store.root, lock_file=model_stores.lock_file)
        return Panel(METRICS, instruments).measure("distillmos", KNOWN["en_plain"].clip(audio))["mos/distillmos"]

    return scored


def test_a_clip_that_is_too_long_is_not_measured(scored: Callable[..., Scored]) -> None:
    one = KNOWN["en_plain"].audio
    long = Audio(one.pcm * (int(LONGEST_S / one.duration_s) + 1), one.sample_rate)
    found = scored({"any.pt": weights_file(planted_state())}, long)
    assert isinstance(found, Unscored)
    assert found.reason is Reason.TOO_LONG


def _without(name: str) -> bytes:
    state = planted_state()
    del state[name]
    return weights_file(state)


OTHERS: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "no archive": (lambda: {"any.pt": b"weights"}, "any.pt of drawn has no weights of DistillMOS"),
    "nothing": (lambda: {"any.pt": b""}, "any.pt of drawn has no weights of DistillMOS"),
    "code": (lambda: {"any.pt": script(OfFloats())}, "any.pt of drawn has no weights of DistillMOS"),
    "another network": (lambda: {"any.pt": weights_file({"a": torch.zeros(1)})}, "Missing key(s)"),
    "a weight is missing": (lambda: {"any.pt": _without("cnn.cnn.4.bias")}, 'Missing key(s) in state_dict: "cnn.cnn.4'),
    "two files": (lambda: {"any.pt": b"1", "README.md": b"2"}, "drawn has 2 files"),
}


@pytest.mark.parametrize(("files", "said"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_such_network_is_refused(
    files: Callable[[], dict[str, bytes]], said: str, scored: Callable[..., Scored]
) -> None:
    found = scored(files())
    assert isinstance(found, Unscored)
    assert found.reason is Reason.MODEL_NOT_PULLED
    assert said in found.detail


def test_its_lock_names_the_file(tmp_path: Path, scored: Callable[..., Scored]) -> None:
    files = {"any.pt": weights_file(planted_state())}
    assert isinstance(scored(files), Score)
    model_stores = ModelStores(tmp_path)
    lock = DistillMosMetric(Instruments(model_stores.store.root, lock_file=model_stores.lock_file)).lock()
    assert lock["weights"] == model_stores.locks["drawn"].hashes
