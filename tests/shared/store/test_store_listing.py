"""Jobs of one user, newest first, filtered and by pages; and places in the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.jobs import FacetStatus, Status
from shared.ports import JobFilter, JobStore
from tests.shared.store.building import (
    NOW,
    OTHER_PIN,
    PIN,
    add,
    claim,
    claimed_ids,
    new_job,
    result,
    score,
    speak,
    start,
)


def found(store: JobStore, **wanted: Any) -> list[str]:
    """Ids of ann's jobs."""
    return [job.id for job in store.find(JobFilter("ann", **wanted)).jobs]


def test_a_users_jobs_are_found_newest_first_and_nobody_elses(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", user="bob"), new_job("job_3"))
    assert found(store) == ["job_3", "job_1"]


def test_pages_follow_each_other_without_gap_or_overlap(store: JobStore) -> None:
    ids = [f"job_{number}" for number in range(7)]
    add(store, *(new_job(id) for id in ids))
    pages, before = [], None
    while page := found(store, limit=3, before=before):
        pages.append(page)
        before = page[-1]
    assert pages == [["job_6", "job_5", "job_4"], ["job_3", "job_2", "job_1"], ["job_0"]]


def test_each_state_filters(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    score(store, "job_1")
    add(store, new_job("job_2", score=False))
    start(store, "job_2")
    add(store, new_job("job_3", pin=OTHER_PIN))
    assert found(store, status=Status.SUCCEEDED) == ["job_1"]
    assert found(store, status=Status.PROCESSING) == ["job_2"]
    assert found(store, scoring=FacetStatus.DONE) == ["job_1"]
    assert found(store, scoring=FacetStatus.SKIPPED) == ["job_2"]
    assert found(store, tracking=FacetStatus.PENDING) == ["job_3", "job_2", "job_1"]
    assert found(store, pin=OTHER_PIN) == ["job_3"]
    assert found(store, pin=OTHER_PIN, status=Status.SUCCEEDED) == []


def test_times_filter_without_their_bounds(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number}", created_at=NOW + number) for number in range(4)))
    assert found(store, created_after=NOW + 1) == ["job_3", "job_2"]
    assert found(store, created_before=NOW + 1) == ["job_0"]
    assert found(store, created_after=NOW, created_before=NOW + 3) == ["job_2", "job_1"]


def test_what_was_created_later_is_newer_whatever_its_id(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number}", created_at=NOW - number) for number in range(4)), new_job("job_9"))
    assert found(store) == ["job_9", "job_0", "job_1", "job_2", "job_3"]
    assert found(store, before="job_1") == ["job_2", "job_3"]
    assert found(store, before="job_0", created_before=NOW - 1) == ["job_2", "job_3"]
    assert found(store, before="job_2", created_before=NOW) == ["job_3"]


def test_a_cursor_that_nobody_was_given_leads_to_smaller_ids(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number}", created_at=NOW + number) for number in (1, 3)))
    assert found(store, before="job_2") == ["job_1"]


def test_a_search_that_finds_too_little_ends_early_and_says_where_to_go_on(store: JobStore) -> None:
    add(store, new_job("job_00000", pin=OTHER_PIN, priority=10, metadata={"ticket": "A-18"}))
    speak(store, "job_00000")
    add(store, *(new_job(f"job_{number:05}", created_at=NOW + number) for number in range(1, 701)))
    add(store, *(new_job(f"job_{number:05}", created_at=NOW + number, pin=OTHER_PIN) for number in range(701, 1401)))
    while taken := claim(store, NOW + 1, pins=[PIN], at_most=500):
        for job in taken:
            store.begin(job.id, job.attempt)
            store.finish(job.id, job.attempt, result(), NOW + 1)
    wanted = JobFilter("ann", status=Status.SUCCEEDED, pin=OTHER_PIN, limit=5)
    ids, pages = [], 0
    page = store.find(wanted)
    while True:
        ids += [job.id for job in page.jobs]
        pages += 1
        if page.searched_to is None:
            break
        page = store.find(replace(wanted, before=page.searched_to))
    assert ids == ["job_00000"]
    assert pages <= 4


def test_metadata_filters_by_all_pairs(store: JobStore) -> None:
    add(store, new_job("job_1", metadata={"ticket": "A-17", "team": "voice"}), new_job("job_2"))
    assert found(store, metadata={"ticket": "A-17"}) == ["job_2", "job_1"]
    assert found(store, metadata={"ticket": "A-17", "team": "voice"}) == ["job_1"]
    assert found(store, metadata={"ticket": "A-18"}) == []
    assert found(store, metadata={"absent": ""}) == []


_ODD = [
    *"$%0'\"\\😀",
    "",
    "a.b",
    "a b",
    "a/b~c",
    "$.x",
    "[0]",
    '"]',
    'a"b',
    '\\"',
    "%s",
    ":x",
    "标签",
    "'); DROP TABLE jobs",
]


@pytest.mark.parametrize("odd", _ODD)
def test_odd_keys_and_values_are_nothing_but_keys_and_values(store: JobStore, odd: str) -> None:
    add(store, new_job("job_1", metadata={odd: "value", "key": odd}), new_job("job_2", metadata={"key": "value"}))
    assert found(store, metadata={odd: "value"}) == ["job_1"]
    assert found(store, metadata={"key": odd}) == ["job_1"]
    assert found(store, metadata={odd: "other"}) == []


def test_numbers_and_words_in_metadata_are_text(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number}", metadata={"k": v}) for number, v in enumerate(["1", "1.0", "true", "null"])))
    assert [found(store, metadata={"k": v}) for v in ("1", "1.0", "true", "null")] == [
        ["job_0"],
        ["job_1"],
        ["job_2"],
        ["job_3"],
    ]


def test_one_users_places_are_the_order_of_claims(store: JobStore) -> None:
    priorities = [0, 5, -5, 5, 0, 10, 0]
    add(store, *(new_job(f"job_{number}", priority=priority) for number, priority in enumerate(priorities)))
    ids = [f"job_{number}" for number in range(len(priorities))]
    places = store.positions(ids)
    assert [store.positions([id]) for id in ids] == [{id: places[id]} for id in ids]
    assert sorted(places, key=lambda id: places[id]) == claimed_ids(store, len(ids))
    assert sorted(places.values()) == list(range(1, len(ids) + 1))


def test_users_places_count_the_turns_of_others(store: JobStore) -> None:
    add(store, *(new_job(f"job_a{number}") for number in range(100)))
    add(store, new_job("job_b1", user="bob"), new_job("job_b2", user="bob"))
    asked = ["job_a0", "job_a1", "job_a99", "job_b1", "job_b2"]
    assert store.positions(asked) == {"job_a0": 1, "job_b1": 2, "job_a1": 3, "job_b2": 4, "job_a99": 102}


def test_only_queued_jobs_have_places(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2"), new_job("job_3"))
    claim(store)
    store.cancel("job_2", NOW)
    assert store.positions(["job_1", "job_2", "job_3", "job_4"]) == {"job_3": 1}
    assert store.positions([]) == {}


def test_engine_families_queue_apart(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", engine="piper", pin="piper-v1"))
    assert store.positions(["job_1", "job_2"]) == {"job_1": 1, "job_2": 1}
