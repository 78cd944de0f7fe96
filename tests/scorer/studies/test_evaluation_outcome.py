"""What an evaluation comes to: its figures, its items table, and what it says of clips that are not there."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from statistics import fmean

import pyarrow.parquet as pq
import pytest

from services.scorer.studies.evaluations import asked_for
from shared.jobs import FacetStatus
from shared.scores import Score, Scored
from tests.scorer.studies.desk import ENVIRONMENT, MOS, NOW, PINS, RTF, WER, Desk, scored


def failing(item: str, seed: int) -> Mapping[str, Scored] | None:
    return None if item == "item-2" else scored(item, seed)


def judged(desk: Desk, **asked: object) -> str:
    """An evaluation that is over."""
    id_ = desk.evaluation(**asked)  # type: ignore[arg-type]
    desk.speak()
    desk.compute()
    return id_


def test_it_is_computed_once_every_clip_is_over(desk: Desk) -> None:
    id_ = desk.evaluation()
    desk.compute()
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.speak()
    desk.compute()
    assert desk.study(id_).result.status is FacetStatus.DONE
    assert desk.sounds.heard[-2:] == [f"{id_} result", "judge"]


def test_its_figures_are_those_of_the_jobs(desk: Desk) -> None:
    id_ = judged(desk, seeds=(0, 1))
    by_item: dict[str, list[float]] = {}
    for clip, job in zip(desk.clips(id_), desk.jobs(id_), strict=True):
        score = job.scores[MOS]
        assert isinstance(score, Score)
        by_item.setdefault(clip.item, []).append(score.value)
    assert desk.outcome(id_)["metrics"][MOS] == {
        "unit": "MOS",
        "direction": "higher",
        "mean": fmean(fmean(values) for values in by_item.values()),
        "n": 3,
        "scored": 6,
        "unscored": {},
    }


def test_its_figures_are_those_of_the_items_table(desk: Desk) -> None:
    id_ = judged(desk, seeds=(0, 1))
    rows = pq.read_table(io.BytesIO(desk.file(id_, "items.parquet"))).to_pylist()
    for name, figures in desk.outcome(id_)["metrics"].items():
        values = [row[name] for row in rows if row[name] is not None]
        reasons = [row[f"{name}.unscored"] for row in rows if row[f"{name}.unscored"] is not None]
        assert figures["mean"] == pytest.approx(fmean(values))
        assert (figures["scored"], sum(figures["unscored"].values())) == (len(values), len(reasons))


def test_both_files_of_the_items_table_say_the_same(desk: Desk) -> None:
    id_ = judged(desk)
    rows = [json.loads(line) for line in desk.file(id_, "items.jsonl").decode().splitlines()]
    assert rows == pq.read_table(io.BytesIO(desk.file(id_, "items.parquet"))).to_pylist()


def test_a_row_says_what_was_spoken_and_what_came_of_it(desk: Desk) -> None:
    id_ = judged(desk)
    row = json.loads(desk.file(id_, "items.jsonl").decode().splitlines()[1])
    job = desk.jobs(id_)[1]
    assert job.audio is not None
    assert row == {
        "item": "item-1",
        "seed": 0,
        "text": "Sentence number 1.",
        "language": "en",
        "emotion": "sad",
        "tags": ["short"],
        "job_id": job.id,
        "run_id": None,
        "pcm_sha256": job.audio.pcm_sha256,
        "duration_s": 0.5,
        "cached": False,
        "error": None,
        MOS: 3.0625,
        f"{MOS}.unscored": None,
        WER: None,
        f"{WER}.unscored": "language_not_covered",
        RTF: 0.25,
        f"{RTF}.unscored": None,
    }


def test_the_same_evaluation_is_the_same_bytes(desk: Desk) -> None:
    first = judged(desk)
    again = desk.evaluation(cached=desk.clips(first))
    desk.compute()
    more = desk.evaluation(cached=desk.clips(first))
    desk.compute()
    assert desk.outcome(again)["files"] == desk.outcome(more)["files"]


def test_a_clip_that_was_not_spoken_lacks_every_score_that_was_asked_for(desk: Desk) -> None:
    id_ = desk.evaluation()
    desk.speak(failing)
    desk.compute()
    row = json.loads(desk.file(id_, "items.jsonl").decode().splitlines()[2])
    assert row["error"] == "engine_error: it broke"
    assert {row[f"{name}.unscored"] for name in (MOS, WER, RTF)} == {"not_spoken"}
    metrics = desk.outcome(id_)["metrics"]
    assert (metrics[MOS]["n"], metrics[MOS]["scored"], metrics[MOS]["unscored"]) == (2, 2, {"not_spoken": 1})


def test_a_clip_lacks_no_cost_that_could_not_be_measured_anywhere(desk: Desk) -> None:
    id_ = desk.evaluation()
    desk.speak(failing)
    desk.compute()
    assert "cost/peak_vram_mb" in asked_for(["cost"])
    assert "cost/peak_vram_mb" not in desk.outcome(id_)["metrics"]


def test_where_nothing_was_spoken_there_is_a_result_without_a_mean(desk: Desk) -> None:
    id_ = desk.evaluation()
    desk.speak(lambda item, seed: None)
    desk.compute()
    figures = desk.outcome(id_)["metrics"][MOS]
    assert (figures["mean"], figures["n"], figures["unscored"]) == (None, 0, {"not_spoken": 3})


def test_noise_is_there_from_two_seeds_on(desk: Desk) -> None:
    one, two = judged(desk), judged(desk, seeds=(0, 1))
    assert desk.outcome(one)["noise"] == {}
    noise = desk.outcome(two)["noise"]
    # Two seeds that are 1/64 apart: a variance of (1/64)² / 2 in every item.
    assert noise[MOS]["sigma"] == pytest.approx(1 / 64 / 2**0.5)
    assert (noise[MOS]["freedom"], noise[MOS]["items"], noise[MOS]["scorer_lock"]) == (3, 3, "d" * 64)
    assert noise[RTF]["is_zero"]


def test_it_says_by_what_it_was_spoken_and_scored(desk: Desk) -> None:
    id_ = judged(desk)
    outcome, lock = desk.outcome(id_), json.loads(desk.file(id_, "lock.json"))
    assert outcome["scorer_locks"] == {RTF: "c" * 64, MOS: "d" * 64, WER: "e" * 64}
    assert outcome["environments"] == ["here"]
    assert json.loads(desk.file(id_, "environment.json")) == {"here": ENVIRONMENT}
    assert lock["scorers"] == outcome["scorer_locks"]
    assert lock["pin"] == {
        "name": "tts-v1",
        "engine": "tts",
        "lock_sha256": PINS["tts-v1"],
        "licence": "CC0-1.0",
        "lock": {"name": "tts-v1", "lock_sha256": PINS["tts-v1"]},
    }


def test_scores_of_two_scorers_are_not_one_quantity_with_a_floor(desk: Desk) -> None:
    def moved(item: str, seed: int) -> Mapping[str, Scored]:
        return {MOS: Score(3.0 + seed, "MOS", str(seed) * 64)}

    id_ = desk.evaluation(seeds=(0, 1))
    desk.speak(moved)
    desk.compute()
    assert desk.outcome(id_)["scorer_locks"] == {MOS: f"{'0' * 64}, {'1' * 64}"}
    assert MOS not in desk.outcome(id_)["noise"]


def test_an_evaluation_of_clips_that_were_there_needs_nobody_to_speak(desk: Desk) -> None:
    first = judged(desk)
    desk.now = NOW + 100
    second = desk.evaluation(cached=desk.clips(first))
    desk.compute()
    assert desk.outcome(second)["metrics"] == desk.outcome(first)["metrics"]
    assert '"cached": true' in desk.file(second, "items.jsonl").decode()


def test_what_a_job_asks_for_is_known_by_name() -> None:
    assert "mos/dnsmos_ovrl" in asked_for(True)
    assert asked_for(False) == ()
    assert "mos/nisqa_tts" not in asked_for(True), "it is measured where it was pulled"
    assert "mos/nisqa_tts" in asked_for(True, {"mos/nisqa_tts"})
    assert asked_for(["nisqa_tts"]) == ("mos/nisqa_tts",)
    assert asked_for(["asr", "no-such"]) == ("asr/wer", "no-such")
