"""Whatever is killed while studies run: every item is in SQL and in MLflow exactly once, and so is what it comes to."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections import Counter
from typing import Any

import psutil

from tests.whole.stack import Stack, eventually

SUITE = "golden-en-emotion"
SEEDS = 2
ASKED = {"suite": SUITE, "pin": "espeak-v2", "seeds": SEEDS, "score": ["signal", "prosody"]}
KILLS = 8
LITTLE = {
    "schema": 1,
    "name": "little",
    "version": "1",
    "title": "A few sentences",
    "licence": "CC0-1.0",
    "items": [{"id": f"item-{number}", "text": f"Sentence number {number}.", "language": "en"} for number in range(6)],
}
VICTIMS = ("worker", "scorer", "gateway")


def post(stack: Stack, kind: str, asked: dict[str, Any]) -> str:
    """Id of the study."""
    answer = stack.http.post(f"/v1/{kind}", json=asked)
    assert answer.status_code == 202, answer.text
    id_: str = answer.json()["id"]
    return id_


def get(stack: Stack, kind: str, id_: str) -> dict[str, Any]:
    answer = stack.http.get(f"/v1/{kind}/{id_}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def clips_in_sql(stack: Stack, evaluation_id: str) -> list[tuple[str, int, str, str]]:
    """Item, seed, its job and how that ended, of every clip."""
    query = (
        "SELECT c.item, c.seed, c.job_id, j.status FROM clips c JOIN jobs j ON j.id = c.job_id WHERE c.evaluation = ?"
    )
    with sqlite3.connect(stack.folder / "ringtrue.db") as database:
        return database.execute(query, (evaluation_id,)).fetchall()


def runs_below(stack: Stack, experiment: str) -> list[dict[str, Any]]:
    """Every run of an experiment that is not deleted."""
    found = stack.mlflow.get("/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": experiment}).json()
    body = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 1000}
    runs: list[dict[str, Any]] = stack.mlflow.post("/api/2.0/mlflow/runs/search", json=body).json()["runs"]
    return runs


def tags_of(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["data"]["tags"]}


def kill_some(stack: Stack) -> None:
    chance = random.Random(11)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 1.2))
        victim = chance.choice(VICTIMS)
        stack.signal(victim, signal.SIGKILL)
        stack.start(victim)


def assert_once_in_sql(stack: Stack, evaluation_id: str) -> list[str]:
    """Ids of its jobs."""
    clips = clips_in_sql(stack, evaluation_id)
    assert len({(item, seed) for item, seed, _, _ in clips}) == len(clips) == 35 * SEEDS
    assert {status for *_, status in clips} == {"succeeded"}
    job_ids = [job_id for _, _, job_id, _ in clips]
    with sqlite3.connect(stack.folder / "ringtrue.db") as database:
        assert sorted(job_ids) == sorted(job_id for (job_id,) in database.execute("SELECT id FROM jobs"))
    return job_ids


def assert_once_in_mlflow(stack: Stack, found: dict[str, Any], job_ids: list[str]) -> None:
    runs = runs_below(stack, f"ringtrue/{SUITE}")
    (parent,) = [run for run in runs if "tts.job_id" not in tags_of(run)]
    assert parent["info"]["status"] == "FINISHED"
    assert parent["info"]["run_id"] == found["tracking"]["run_id"]
    assert tags_of(parent)["tts.evaluation_id"] == found["id"]
    children = [run for run in runs if run is not parent]
    assert Counter(tags_of(run)["tts.job_id"] for run in children) == Counter(job_ids)
    assert {tags_of(run)["mlflow.parentRunId"] for run in children} == {parent["info"]["run_id"]}
    assert {run["info"]["status"] for run in children} == {"FINISHED"}


def test_whatever_is_killed_every_item_is_there_once(stack: Stack) -> None:
    evaluation_id = post(stack, "evaluations", ASKED)
    kill_some(stack)

    def over() -> dict[str, Any] | None:
        found = get(stack, "evaluations", evaluation_id)
        return found if found["status"] != "running" and found["tracking"]["status"] == "done" else None

    found = eventually(over, 240, "the evaluation is over")
    assert found["status"] == "succeeded"
    wanted = 35 * SEEDS
    everything = {"clips": wanted, "cached": 0, "spoken": wanted, "scored": wanted, "tracked": wanted, "failed": 0}
    assert found["progress"] == everything
    assert_once_in_mlflow(stack, found, assert_once_in_sql(stack, evaluation_id))


def judging(stack: Stack) -> tuple[str, psutil.Process]:
    """The scorer that computes a study, and the child in which it does."""

    def look() -> tuple[str, psutil.Process] | None:
        hosts = ((name, host) for name in ("scorer", "scorer2") for host in stack.hosts(name))
        return next(((name, host) for name, host in hosts if _judges(host)), None)

    found: tuple[str, psutil.Process] = eventually(look, 60, "a study is being computed")
    return found


def _judges(process: psutil.Process) -> bool:
    try:
        return "services.scorer.studies.analysis_host" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def added_to(stack: Stack, run_id: str, folder: str) -> set[str]:
    """Names of the files and folders in a folder of a run."""
    where = {"run_id": run_id, "path": folder}
    listed = stack.mlflow.get("/api/2.0/mlflow/artifacts/list", params=where).json()
    return {file["path"].rpartition("/")[2] for file in listed["files"]}


def test_a_comparison_and_its_gate_outlive_judge_scorer_redis_and_mlflow(stack: Stack) -> None:
    stack.start("scorer2")
    asked = {**ASKED, "suite": LITTLE}
    baseline, candidate = (post(stack, "evaluations", {**asked, "pin": pin}) for pin in ("espeak-v1", "espeak-v2"))
    comparison = post(stack, "comparisons", {"baseline": baseline, "candidate": candidate})
    gate = post(stack, "gates", {"comparison": comparison})
    stack.signal("mlflow", signal.SIGKILL)
    judging(stack)[1].kill()
    scorer, judge = judging(stack)
    stack.signal(scorer, signal.SIGKILL)
    eventually(lambda: not _judges(judge), 10, "the judge is gone with its scorer")
    stack.signal("redis", signal.SIGKILL)

    def decided() -> dict[str, Any] | None:
        found = get(stack, "gates", gate)
        return found if found["status"] not in ("waiting", "running") else None

    found = eventually(decided, 90, "the gate is decided")
    assert (found["status"], found["tracking"]["status"]) == ("succeeded", "pending")
    stack.start("mlflow", "redis", scorer)

    def tracked() -> dict[str, Any] | None:
        found = get(stack, "gates", gate)
        return found if found["tracking"]["status"] == "done" else None

    run_id = eventually(tracked, 180, "the gate is in MLflow")["tracking"]["run_id"]
    runs = runs_below(stack, "ringtrue/little")
    (run,) = [run for run in runs if tags_of(run).get("tts.evaluation_id") == candidate]
    assert (run["info"]["run_id"], tags_of(run)["tts.gate.verdict"]) == (run_id, found["verdict"])
    assert {"report.html", "comparison.json", "plots"} <= added_to(stack, run_id, f"comparisons/{comparison}")
    assert {"report.html", "gate.json", "junit.xml"} <= added_to(stack, run_id, f"gates/{gate}")
    stack.stop("scorer2")
