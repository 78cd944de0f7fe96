"""Worker, scorer and gateway are killed while an evaluation runs: every item is in SQL and in MLflow exactly once."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections import Counter
from typing import Any

from stack import Stack, eventually

SUITE = "golden-en-emotion"
SEEDS = 2
KILLS = 8
VICTIMS = ("worker", "scorer", "gateway")


def evaluation(stack: Stack, evaluation_id: str) -> dict[str, Any]:
    answer = stack.http.get(f"/v1/evaluations/{evaluation_id}")
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
    asked = {"suite": SUITE, "pin": "espeak-v2", "seeds": SEEDS, "score": ["signal", "prosody"]}
    answer = stack.http.post("/v1/evaluations", json=asked)
    assert answer.status_code == 202, answer.text
    evaluation_id = answer.json()["id"]
    kill_some(stack)

    def over() -> dict[str, Any] | None:
        found = evaluation(stack, evaluation_id)
        return found if found["status"] != "running" and found["tracking"]["status"] == "done" else None

    found = eventually(over, 240, "the evaluation is over")
    assert found["status"] == "succeeded"
    wanted = 35 * SEEDS
    everything = {"clips": wanted, "cached": 0, "spoken": wanted, "scored": wanted, "tracked": wanted, "failed": 0}
    assert found["progress"] == everything
    assert_once_in_mlflow(stack, found, assert_once_in_sql(stack, evaluation_id))
