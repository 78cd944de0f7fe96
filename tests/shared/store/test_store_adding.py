"""Jobs are added together or not at all, and are read back as they were given."""

from __future__ import annotations

import pytest

from shared.controls import Emotion
from shared.errors import StoreUnavailable
from shared.jobs import Facet, FacetStatus, Job, SpeechInput, Status
from shared.ports import JobStore, Submission
from shared.store.sql import SqlJobStore
from shared.voices import Recording
from tests.shared.store.building import NOW, add, claim, job, new_job


def test_a_job_is_read_back_as_it_was_given(store: JobStore) -> None:
    new = new_job("job_1", priority=-3, timeout_s=0.1 + 0.2)
    add(store, new)
    assert job(store, "job_1") == Job.accepted(new)


def test_every_form_of_an_emotion_survives(store: JobStore) -> None:
    forms = [
        None,
        Emotion("happy", strength=0.3),
        Emotion(vector=(0.0,) * 7 + (1.0,)),
        Emotion(audio="voice_01"),
        Emotion(text="as if it rained"),
    ]
    inputs = [SpeechInput("Hello", "en", emotion=emotion, seed=2**53) for emotion in forms]
    add(store, *(new_job(f"job_{number}", input=spoken) for number, spoken in enumerate(inputs)))
    assert [job(store, f"job_{number}").input for number in range(len(forms))] == inputs


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE jobs; --", 'a "quoted" \\ word', "line\nline\ttab", "😀 ﷽ ́", "%s %(id)s :x ?"]
)
def test_any_text_survives(store: JobStore, text: str) -> None:
    add(store, new_job("job_1", input=SpeechInput(text, "en"), asked={"text": text}, metadata={text: text}))
    stored = job(store, "job_1")
    assert (stored.input.text, stored.asked, stored.metadata) == (text, {"text": text}, {text: text})


def test_any_name_survives(store: JobStore) -> None:
    new = new_job("job_1", user="a\\N\tb\nc\rd\\.", engine='"', lock_sha256="\\")
    add(store, new)
    assert job(store, "job_1") == Job.accepted(new)


def test_a_job_that_is_not_to_be_scored_skips_scoring_at_once(store: JobStore) -> None:
    add(store, new_job("job_1", score=False))
    assert job(store, "job_1").scoring == Facet(FacetStatus.SKIPPED)


def test_a_thousand_jobs_of_one_submission_are_all_there(store: JobStore) -> None:
    ids = [f"job_{number:04}" for number in range(1000)]
    add(store, *(new_job(id) for id in ids))
    assert sorted(store.get(ids)) == ids


def test_ids_that_do_not_exist_are_absent(store: JobStore) -> None:
    add(store, new_job("job_1"))
    assert set(store.get(["job_1", "job_2"])) == {"job_1"}
    assert store.get([]) == {}


def test_adding_nothing_is_no_error(store: JobStore) -> None:
    assert store.add([]) == []
    assert store.add([Submission(())]) == [True]


def test_a_failure_adds_no_job_of_any_submission(sql_store: SqlJobStore) -> None:
    add(sql_store, new_job("job_1"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        sql_store.add([Submission([new_job("job_2")]), Submission([new_job("job_1")])])
    assert sql_store.get(["job_2"]) == {}


def test_a_failure_leaves_the_store_usable(sql_store: SqlJobStore) -> None:
    add(sql_store, new_job("job_1"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        add(sql_store, new_job("job_1"))
    add(sql_store, new_job("job_2"))
    assert [taken.id for taken in claim(sql_store, at_most=2)] == ["job_1", "job_2"]


def test_errors_do_not_repeat_what_users_wrote(sql_store: SqlJobStore) -> None:
    secret = new_job("job_1", input=SpeechInput("my secret", "en"))
    add(sql_store, secret)
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        add(sql_store, secret)
    assert not isinstance(caught.value, StoreUnavailable)
    assert "my secret" not in str(caught.value)


def test_waiting_counts_queued_jobs_by_engine_family(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2"), new_job("job_3", engine="piper", pin="piper-v1"))
    claim(store)
    assert store.waiting(NOW).families == {"espeak": 1, "piper": 1}


def test_canceling_a_queued_job_ends_it_untracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    canceled = store.cancel("job_1", NOW + 1)
    assert canceled == job(store, "job_1")
    assert (canceled.status, canceled.completed_at) == (Status.CANCELED, NOW + 1)
    assert (canceled.scoring.status, canceled.tracking.status) == (FacetStatus.SKIPPED, FacetStatus.SKIPPED)


def test_canceling_a_job_that_does_not_exist_finds_none(store: JobStore) -> None:
    assert store.cancel("job_1", NOW) is None


def test_canceling_twice_changes_nothing_the_second_time(store: JobStore) -> None:
    add(store, new_job("job_1"))
    assert store.cancel("job_1", NOW + 1) == store.cancel("job_1", NOW + 2)


def test_which_recordings_a_job_names_is_kept(store: JobStore) -> None:
    recordings = {"voice_1": Recording("ab" * 32, 24_000, 4.05)}
    spoken = SpeechInput("Hello", "en", reference="voice_1", recordings=recordings)
    add(store, new_job("job_1", input=spoken))
    assert job(store, "job_1").input == spoken
