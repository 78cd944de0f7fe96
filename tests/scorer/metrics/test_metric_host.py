"""The metric host: what one metric does to itself, no other metric feels."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.scorer.scoring.metric_host import FamilyResult, MeasuringAbandoned, MetricHost, scorers_lock
from shared.audio import Audio, silence
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.scorer.metrics.clips import KNOWN, resampled

SECOND = Audio(silence(1.0, 16_000), 16_000)

ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
"""With the tests' own families on its path."""


@pytest.fixture(scope="module", autouse=True)
def broken_families_are_found() -> Iterator[None]:
    """A host looks for modules where Python is told to, and not in the folder that it is started in."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        yield


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricHost]:
    with MetricHost(
        models=tmp_path_factory.mktemp("models"), table="tests.scorer.metrics.broken_families", env=ENV
    ) as host:
        yield host


def _only(results: list[FamilyResult]) -> Scored:
    ((_, scored),) = results[0].scores.items()
    return scored


def _reason(scored: Scored) -> Reason:
    assert isinstance(scored, Unscored), scored
    return scored.reason


def test_a_value_comes_with_its_unit_and_the_lock_that_decided_it(broken: MetricHost) -> None:
    (result,) = broken.measure(SECOND, families=["well"])
    assert result.lock == {"family": "well"}
    assert result.scores == {"broken/well": Score(1.0, "s", str(result.lock_sha256))}


def test_the_locks_of_all_that_was_loaded_are_known_by_quantity(broken: MetricHost) -> None:
    (result,) = broken.measure(SECOND, families=["well"])
    broken.measure(SECOND, families=["lacksweights"])
    assert broken.locks["broken/well"] == result.lock_sha256
    assert "broken/lacksweights" not in broken.locks


@pytest.mark.parametrize(
    ("family", "reason", "detail"),
    [
        ("crashes", Reason.SCORER_ERROR, "SIGABRT"),
        ("crashesonload", Reason.SCORER_ERROR, "SIGABRT"),
        ("hangs", Reason.SCORER_TIMEOUT, "0.5 s"),
        ("raises", Reason.SCORER_ERROR, "ArithmeticError: the matrix is singular"),
        ("givesnan", Reason.SCORER_ERROR, "nan"),
        ("lacksweights", Reason.MODEL_NOT_PULLED, "weights.bin"),
        ("callsout", Reason.SCORER_ERROR, "PermissionError"),
        ("writes", Reason.SCORER_ERROR, "read-only"),
        ("nobody", Reason.SCORER_ERROR, "unknown metric family 'nobody'"),
    ],
)
def test_a_broken_family_costs_its_own_value_and_says_why(
    broken: MetricHost, family: str, reason: Reason, detail: str
) -> None:
    results = {r.family: r.scores for r in broken.measure(SECOND, families=[family, "well"])}
    (scored,) = results[family].values()
    assert isinstance(scored, Unscored)
    assert scored.reason is reason
    assert detail in scored.detail
    assert isinstance(results["well"]["broken/well"], Score)


def test_a_cold_load_does_not_count_against_the_deadline_of_a_clip(broken: MetricHost) -> None:
    assert isinstance(_only(broken.measure(SECOND, families=["loadsslowly"])), Score)


def test_a_load_that_takes_for_ever_ends_too(tmp_path: Path) -> None:
    table = "tests.scorer.metrics.broken_families"
    with MetricHost(models=tmp_path, table=table, load_deadline_s=1.0, env=ENV) as impatient:
        assert _reason(_only(impatient.measure(SECOND, families=["loadsslowly"]))) is Reason.SCORER_TIMEOUT


@pytest.mark.parametrize("families", [["hangs", "well"], ["loadsslowly", "hangs"]])
def test_a_host_that_is_given_up_tells_who_measures_and_starts_no_other(tmp_path: Path, families: list[str]) -> None:
    table = "tests.scorer.metrics.broken_families"
    with MetricHost(models=tmp_path, table=table, env=ENV) as host:
        host.measure(SECOND, families=["well"])
        giving_up = threading.Timer(0.2, host.give_up)
        giving_up.start()
        with pytest.raises(MeasuringAbandoned):
            host.measure(SECOND, families=families * 50)
        with pytest.raises(MeasuringAbandoned):
            host.measure(SECOND, families=["well"])
        giving_up.join()


def test_warming_names_what_cannot_be_loaded(broken: MetricHost) -> None:
    refused = broken.warm(["well", "lacksweights"])
    assert {name: why.reason for name, why in refused.items()} == {"lacksweights": Reason.MODEL_NOT_PULLED}


def test_costs_that_were_measured_are_reported_and_the_others_left_out(broken: MetricHost) -> None:
    (result,) = broken.measure(SECOND, cost={"speak_s": 0.3, "rtf": 0.075, "load_s": 4.0}, families=["cost"])
    assert {name: scored.to_json()["value"] for name, scored in result.scores.items()} == {
        "cost/speak_s": 0.3,
        "cost/rtf": 0.075,
    }


def test_the_lock_of_all_scorers_does_not_depend_on_their_order(broken: MetricHost) -> None:
    results = broken.measure(SECOND, families=["well", "cost", "lacksweights"])
    assert scorers_lock(results) == scorers_lock(results[::-1])
    assert scorers_lock(results) != scorers_lock(results[:1])


def test_a_closed_host_starts_again_when_it_is_asked(broken: MetricHost) -> None:
    broken.warm(["well"])
    broken.close()
    assert isinstance(_only(broken.measure(SECOND, families=["well"])), Score)


def test_the_real_families_measure_a_clip_in_a_real_host(models: Path) -> None:
    with MetricHost(models=models) as host:
        scores, lock = host.measure_all(
            KNOWN["en_plain"].audio,
            text=KNOWN["en_plain"].text,
            language="en-GB",
            reference=resampled(KNOWN["en_plain"].audio, 16_000),
            cost={"speak_s": 0.2},
            families=["asr", "signal", "nisqa", "cost", "speaker"],
        )
    assert list(scores)[:1] == ["cost/speak_s"]
    assert scores["asr/wer"].to_json()["value"] < 0.5
    assert "mos/nisqa" in scores
    assert scores["speaker/similarity"].to_json()["value"] == pytest.approx(1, abs=1e-4)
    assert len(lock) == 64


def test_missing_and_wrong_weights_are_refused_with_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "nisqa").mkdir()
    (tmp_path / "nisqa" / "nisqa.tar").write_bytes(b"not the weights")
    with MetricHost(models=tmp_path) as host:
        refused = host.warm(["nisqa", "nisqa_tts"])
    assert {why.reason for why in refused.values()} == {Reason.MODEL_NOT_PULLED}
    assert "but 7ec4cf93" in refused["nisqa"].detail
    assert "https://" in refused["nisqa_tts"].detail


def test_by_default_a_family_without_its_weights_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where a job names it, it says what is missing."""
    with MetricHost(models=tmp_path, table="tests.scorer.metrics.unpulled_families", env=ENV) as host:
        by_default, lock = host.measure_all(SECOND, families=True)
        named, lock_of_named = host.measure_all(SECOND, families=["well", "lacksweights"])
        assert set(host.warm(True)) < set(host.warm(["well", "lacksweights"])) == {"lacksweights"}
    assert list(by_default) == host.names(True) == ["broken/well"]
    assert _reason(named["broken/lacksweights"]) is Reason.MODEL_NOT_PULLED
    assert named["broken/well"] == by_default["broken/well"]
    assert lock == lock_of_named


def test_score_true_means_the_defaults_and_false_means_nothing(tmp_path: Path) -> None:
    host = MetricHost(models=tmp_path)
    assert host.families(True) == [name for name, info in METRICS.items() if info.default]
    assert host.names(False) == []
    assert host.names(["nobody", "nisqa_tts"]) == ["mos/nisqa_tts", "nobody"]


def test_the_parent_imports_no_model_library() -> None:
    heavy = {"torch", "onnxruntime", "librosa", "transformers", "pocketsphinx", "numpy"}
    probe = "import sys, services.scorer.scoring.metric_host; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.split()
    assert not heavy.intersection(loaded)
