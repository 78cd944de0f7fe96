"""Finds runs by their job or evaluation, with the searches that a server with few filters can answer.

Owns the tags that a run is found by. Reaches the server only through the call it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby, takewhile
from typing import Any

from services.scorer.tracking.one_run import RunKey, ServerRun

_EXPERIMENTS = "ringtrue/"
_JOB_TAG, _EVALUATION_TAG = "tts.job_id", "tts.evaluation_id"
_SAME_TIME = 7
"""Ids of one kind whose ULIDs share so many characters were made within the same 33 s. They are searched for by prefix.
"""
_PAGE = 1000

Post = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""Takes the path and body of a request, returns the answer."""


class RunSearch:
    """Searches for runs.

    ``most_found``: if a search for several subjects finds more runs than this, each is searched for separately.
    """

    def __init__(self, post: Post, most_found: int) -> None:
        self._post = post
        self._most_found = most_found

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        """As ``services.scorer.tracking.one_run.RunServer``."""
        experiment_ids = sorted({experiment_id for experiment_id, _ in keys})
        found: dict[RunKey, list[ServerRun]] = {}
        for _, group in groupby(sorted({subject for _, subject in keys}), _kind_and_time):
            for run in self._search_subjects(experiment_ids, list(group)):
                found.setdefault((run.experiment_id, run.subject), []).append(run)
        return found

    def _search_subjects(self, experiment_ids: Sequence[str], subjects: Sequence[str]) -> list[ServerRun]:
        """Return the runs of similar ids. MLflow's filters have neither OR nor IN for tags, but they have LIKE."""
        prefix = _shared_prefix(subjects)
        asked = f"LIKE '{prefix}%'" if len(subjects) > 1 else f"= '{prefix}'"
        query = {
            "experiment_ids": experiment_ids,
            "filter": f'tags."{_tag_of(subjects[0])}" {asked}',
            "max_results": self._most_found,
        }
        answer = self._post("runs/search", query)
        if "next_page_token" in answer and len(subjects) > 1:
            return [run for subject in subjects for run in self._search_subjects(experiment_ids, [subject])]
        return [run_of(entry) for entry in answer.get("runs", [])]

    def started_since(self, since: float) -> Iterator[ServerRun]:
        """Yield every run of Ringtrue's that started since then (epoch seconds). One request per thousand runs."""
        ours = self._pages("experiments/search", "experiments", {"filter": f"name LIKE '{_EXPERIMENTS}%'"})
        experiment_ids = [experiment["experiment_id"] for experiment in ours]
        if experiment_ids:
            started = f"attributes.start_time >= {round(since * 1000)}"
            found = self._pages("runs/search", "runs", {"experiment_ids": experiment_ids, "filter": started})
            yield from filter(lambda run: run.subject, map(run_of, found))

    def _pages(self, path: str, member: str, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield all results of a search, page by page."""
        page: dict[str, Any] = {}
        while True:
            answer = self._post(path, {**query, **page, "max_results": _PAGE})
            yield from answer.get(member, ())
            if not answer.get("next_page_token"):
                return
            page = {"page_token": answer["next_page_token"]}


def run_of(entry: Mapping[str, Any]) -> ServerRun:
    """Return a run from the server's description of it."""
    info = entry["info"]
    tags = {tag["key"]: tag["value"] for tag in entry.get("data", {}).get("tags", [])}
    return ServerRun(
        run_id=info["run_id"],
        experiment_id=str(info["experiment_id"]),
        subject=tags.get(_JOB_TAG) or tags.get(_EVALUATION_TAG, ""),
        start_ms=int(info.get("start_time", 0)),
        finished=info["status"] in ("FINISHED", "FAILED", "KILLED"),
        artifact_uri=info["artifact_uri"],
        deleted=info.get("lifecycle_stage") == "deleted",
    )


def _tag_of(subject: str) -> str:
    return _EVALUATION_TAG if subject.startswith("eval_") else _JOB_TAG


def _kind_and_time(subject: str) -> tuple[str, str]:
    kind, _, ulid = subject.partition("_")
    return kind, ulid[:_SAME_TIME]


def _shared_prefix(subjects: Sequence[str]) -> str:
    """Return the prefix that all of the sorted ids share."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(subjects[0], subjects[-1], strict=False))
    return "".join(first for first, _ in alike)
