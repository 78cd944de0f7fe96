"""Rows of other versions: members that this one does not know are ignored; a row that it cannot read fails alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from shared.jobs import Status
from shared.ports import FacetName, JobFilter
from shared.store.sql import Database, SqlJobStore, SqlStudyStore
from shared.store.sql.tables.rows import job_of
from shared.store.sql.tables.schema import jobs, pins, studies
from shared.studies import Kind, Step, StudyFilter
from tests.shared.store.building import LEASE_S, MANIFEST, NOW, PIN, add, claim, job, new_job, speak, sweep
from tests.shared.store.study_building import SCORES, evaluate

_NEW = st.dictionaries(
    st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12).map(lambda name: f"new_{name}"),
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    ),
    min_size=1,
    max_size=2,
)
_READ_AS_THEY_ARE = {"options", "asked", "metadata", "timings", "recordings", "scores", "controls"}
"""Objects whose members are data: a member more is another value."""


def _objects(value: Any, name: str) -> Iterator[dict[str, Any]]:
    """Every object in a stored value that is a record, at every depth."""
    if isinstance(value, dict):
        if name not in _READ_AS_THEY_ARE:
            yield value
        if name not in {"options", "asked", "metadata"}:
            for inner, one in value.items():
                yield from _objects(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one, name)


def _whole_row() -> Mapping[str, Any]:
    """A job with something in every document."""
    input = new_job("job_1").input
    return {
        "asked": {"text": "x"},
        "input": {
            **input.to_json(),
            "recordings": {"voice_1": {"pcm_sha256": "a" * 64, "sample_rate": 24_000, "duration_s": 1.5}},
        },
        "error": {"code": "engine_error", "message": "it did not speak"},
        "audio": {
            "pcm_sha256": "b" * 64, "duration_s": 4.0, "sample_rate": 22_050, "channels": 1, "batch": ["job_1"],
            "pieces": [{"text": "x", "start_s": 0.0, "end_s": 4.0}],
        },
        "scores": {name: one.to_json() for name, one in SCORES.items()},
        "timings": {"queue_s": 0.1},
    }  # fmt: skip


def _row(documents: Mapping[str, Any]) -> Any:
    plain = {column.name: None for column in jobs.c}
    accepted = {"status": "succeeded", "scoring_status": "done", "tracking_status": "done", "attempt": 1}
    return {**plain, **accepted, "id": "job_1", "pieces": None, **documents}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), added=_NEW)
def test_a_member_that_is_new_at_any_depth_changes_nothing(data: st.DataObject, added: dict[str, Any]) -> None:
    documents = copy.deepcopy(dict(_whole_row()))
    before = job_of(_row(documents))
    changed = copy.deepcopy(documents)
    places = [one for name, value in changed.items() for one in _objects(value, name)]
    data.draw(st.sampled_from(places)).update(added)
    assert job_of(_row(changed)) == before


def test_an_absent_member_with_a_default_takes_it() -> None:
    documents = dict(_whole_row())
    documents["input"] = {"text": "x", "language": "en"}
    documents["audio"] = {name: value for name, value in documents["audio"].items() if name != "batch"}
    read = job_of(_row(documents))
    assert (read.input.speed, read.input.score, read.audio and read.audio.batch) == (1.0, True, ())


def test_a_score_that_is_new_is_unscored_and_the_others_stand() -> None:
    documents = dict(_whole_row())
    documents["scores"] = {**documents["scores"], "mos/new": {"unscored": "too_blue"}, "mos/newer": {"vector": [1]}}
    read = job_of(_row(documents)).scores
    assert {name: read[name] for name in SCORES} == SCORES
    assert {read["mos/new"].to_json()["unscored"], read["mos/newer"].to_json()["unscored"]} == {"scorer_error"}


def test_a_manifest_with_members_that_are_new_is_read(sql_store: SqlJobStore, database: Database) -> None:
    told = {**MANIFEST.to_json(), "new": {"a": 1}}
    with database.write() as connection:
        connection.execute(update(pins).where(pins.c.name == PIN).values(manifest=told))
    assert MANIFEST in [manifest for manifest, _ in sql_store.manifests()]


@dataclass(frozen=True)
class Unreadable:
    """How a row can be such that this version cannot read it."""

    column: str
    value: Any


_UNREADABLE = {
    "an input without text": Unreadable("input", {"language": "en"}),
    "a text that is none": Unreadable("input", {"text": {"ssml": "x"}, "language": "en"}),
    "an input that is a list": Unreadable("input", [1, 2]),
    "a recording of another form": Unreadable("input", {"text": "x", "language": "en", "recordings": {"v": {"a": 1}}}),
    "a scoring that is new": Unreadable("scoring_status", "half_done"),
    "an error that is new": Unreadable("error", {"code": "out_of_ink", "message": "x"}),
    "an audio without samples": Unreadable("audio", {"duration_s": 1.0}),
}
unreadable = pytest.mark.parametrize("how", _UNREADABLE.values(), ids=_UNREADABLE.keys())


def _spoil(database: Database, id: str, how: Unreadable) -> None:
    with database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == id).values({how.column: how.value}))


def _state(database: Database, id: str) -> Any:
    with database.read() as connection:
        columns = (jobs.c.status, jobs.c.attempt - jobs.c.free_attempts, jobs.c.scoring_attempt, jobs.c.tracking_status)
        return connection.execute(select(*columns).where(jobs.c.id == id)).one()


@unreadable
def test_a_queued_row_is_passed_over_and_its_user_is_not_charged(
    sql_store: SqlJobStore, database: Database, how: Unreadable
) -> None:
    add(sql_store, *(new_job(f"job_{number}") for number in range(5)))
    for number in (0, 2):
        _spoil(database, f"job_{number}", how)
    claimed = [[one.id for one in claim(sql_store, at_most=2)] for _ in range(4)]
    assert (claimed[-1], [id for some in claimed for id in some]) == ([], ["job_1", "job_3", "job_4"])
    for number in (0, 2):
        assert _state(database, f"job_{number}")[:2] == (Status.QUEUED, 0)
    with database.read() as connection:
        charged = connection.execute(text("SELECT audio_s FROM usage WHERE \"user\" = 'ann'")).scalar_one()
    assert charged == 3 * new_job("x").estimated_s


def test_a_version_that_can_read_it_takes_it(sql_store: SqlJobStore, database: Database) -> None:
    add(sql_store, new_job("job_1"))
    good = new_job("job_1").input.to_json()
    _spoil(database, "job_1", _UNREADABLE["an input without text"])
    assert claim(sql_store) == []
    _spoil(database, "job_1", Unreadable("input", good))  # what the newer one sees
    assert [one.id for one in claim(SqlJobStore(database))] == ["job_1"]


@unreadable
def test_lists_and_reads_leave_it_out_and_pages_go_on_behind_it(
    sql_store: SqlJobStore, database: Database, how: Unreadable
) -> None:
    ids = [f"job_{number}" for number in range(9)]
    add(sql_store, *map(new_job, ids))
    spoilt = ["job_1", "job_6", "job_7"]
    for id in spoilt:
        _spoil(database, id, how)
    left = [id for id in reversed(ids) if id not in spoilt]
    page = sql_store.find(JobFilter("ann", limit=4))
    listed = [*page.jobs]
    while (last := page.searched_to or (page.jobs[-1].id if len(page.jobs) == 4 else None)) is not None:
        page = sql_store.find(JobFilter("ann", limit=4, before=last))
        listed += page.jobs
    assert [job.id for job in listed] == left
    assert sorted(sql_store.get(ids)) == sorted(left)


@unreadable
def test_scorers_pass_it_over_without_costing_it_an_attempt(
    sql_store: SqlJobStore, database: Database, how: Unreadable
) -> None:
    if how.column == "scoring_status":
        return  # it is not due, then
    for number in range(3):
        add(sql_store, new_job(f"job_{number}"))
        speak(sql_store, f"job_{number}", NOW + number)
    _spoil(database, "job_0", how)
    claimed = [sql_store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW + 3) for _ in range(3)]
    assert [[one.id for one in some] for some in claimed] == [["job_1"], ["job_2"], []]
    assert _state(database, "job_0").scoring_attempt == 0


@unreadable
def test_sweeping_and_canceling_go_on(sql_store: SqlJobStore, database: Database, how: Unreadable) -> None:
    add(sql_store, new_job("job_1"), new_job("job_2"))
    _spoil(database, "job_1", how)
    assert sql_store.cancel("job_1", NOW) is None or job(sql_store, "job_1").status is Status.CANCELED
    assert _state(database, "job_1").status == Status.CANCELED
    sweep(sql_store, NOW)
    assert [one.id for one in claim(sql_store)] == ["job_2"]


@pytest.mark.parametrize("changed", [{"kind": "tournament"}, {"asked": [1]}, {"result_status": "half"}], ids=str)
def test_a_study_that_cannot_be_read_is_left_out(
    sql_store: SqlJobStore, sql_studies: SqlStudyStore, database: Database, changed: Mapping[str, Any]
) -> None:
    for number in range(3):
        evaluate(sql_store, id=f"eval_{number}")
    with database.write() as connection:
        connection.execute(update(studies).where(studies.c.id == "eval_1").values(changed))
    assert sorted(sql_studies.get(["eval_0", "eval_1", "eval_2"])) == ["eval_0", "eval_2"]
    wanted = StudyFilter("ann", Kind.EVALUATION, limit=2)
    assert [study.id for study in sql_studies.find(wanted)] == ["eval_2", "eval_0"]
    taken = [sql_studies.claim(Step.RESULT, "scorer", LEASE_S, NOW) for _ in range(3)]
    assert [one and one.id for one in taken] == ["eval_0", "eval_2", None]


def test_a_manifest_that_cannot_be_read_is_left_out_and_can_be_published_again(
    sql_store: SqlJobStore, database: Database
) -> None:
    with database.write() as connection:
        told = {**MANIFEST.to_json(), "state": "dreaming"}
        connection.execute(update(pins).where(pins.c.name == PIN).values(manifest=told))
    assert [manifest.pin for manifest, _ in sql_store.manifests()] != [PIN]
    sql_store.publish("worker", [MANIFEST], NOW)
    assert MANIFEST in [manifest for manifest, _ in sql_store.manifests()]
