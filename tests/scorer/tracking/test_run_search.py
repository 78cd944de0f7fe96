"""Searches that a server answers a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.tracking.run_search import RunSearch

SINCE = 1000.0


class Pages:
    """A server that gives one entry per page, of those that are asked for."""

    def __init__(self, experiments: int, runs: int) -> None:
        self._entries = {
            "experiments/search": [{"experiment_id": str(number)} for number in range(experiments)],
            "runs/search": [self._run(number) for number in range(runs)],
        }

    @staticmethod
    def _run(number: int) -> Mapping[str, Any]:
        info = {"run_id": str(number), "experiment_id": "0", "status": "FINISHED", "artifact_uri": ""}
        return {"info": info, "data": {"tags": [{"key": "tts.job_id", "value": f"job_{number}"}]}}

    def __call__(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.experiment_ids = body.get("experiment_ids")
        entries, at = self._entries[path], int(body.get("page_token", 0))
        more = {"next_page_token": str(at + 1)} if at + 1 < len(entries) else {}
        return {path.partition("/")[0]: entries[at : at + 1], **more}


def test_every_run_of_every_experiment_is_found_whatever_a_page_holds() -> None:
    pages = Pages(experiments=3, runs=4)
    found = list(RunSearch(pages, most_found=64).started_since(SINCE))
    assert [run.subject for run in found] == ["job_0", "job_1", "job_2", "job_3"]
    assert pages.experiment_ids == ["0", "1", "2"]


def test_where_there_is_no_experiment_of_ours_no_run_is_asked_for() -> None:
    pages = Pages(experiments=0, runs=4)
    assert list(RunSearch(pages, most_found=64).started_since(SINCE)) == []
