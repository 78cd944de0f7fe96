"""Whatever a gateway accepts, both databases keep, list and give back as it was."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.answers import accepted_document, voice_document
from services.gateway.models.admission import Admission, Provenance
from services.gateway.requests.job_schemas import MAX_METADATA, read_job, read_voice
from shared.controls import MAX_SEED
from shared.errors import InvalidRequest
from shared.jobs import JobIds
from shared.ports import JobFilter, JobStore, Submission
from shared.values.times import FIRST_S, LAST_S
from shared.voices import Consent, Recording, Voice, VoiceIds, VoiceStore
from tests.gateway.place import RICH

JOBS, VOICES = JobIds(), VoiceIds()
ADMISSION = Admission(replace(RICH, options_schema={"type": "object"}, voice_pattern=".*"))
WORDS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\0\n\u0301\u0344\u202e'\"\\\u2028\ufeff😀")),
    max_size=40,
)
JSON: Any = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        WORDS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {"text": WORDS, "pin": st.just(RICH.pin)},
    optional={
        "voice": WORDS,
        "options": st.dictionaries(WORDS, JSON, max_size=4),
        "metadata": st.dictionaries(WORDS, WORDS, max_size=MAX_METADATA),
        "seed": st.integers(0, MAX_SEED),
        "speed": st.floats(0.25, 4),
        "priority": st.integers(-10, 10),
        "emotion": st.fixed_dictionaries({"vector": st.lists(st.floats(0, 1.5), min_size=8, max_size=8)}),
    },
)
CONSENTS = st.fixed_dictionaries(
    {"by": WORDS, "text": WORDS},
    optional={
        "at": st.one_of(
            st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()), st.integers(), st.floats(), WORDS
        )
    },
)
THRIFTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@THRIFTY
@given(st.lists(BODIES, min_size=1, max_size=5))
def test_a_job_that_is_accepted_is_listed_and_read_as_it_was(store: JobStore, bodies: list[dict[str, Any]]) -> None:
    new = []
    for body in bodies:
        sent = orjson.loads(orjson.dumps(body))
        try:
            new.append(ADMISSION.admit(read_job(sent), Provenance(JOBS.next(), "ann", sent, time.time())))
        except InvalidRequest:
            continue
    if new:
        store.add([Submission(new)])
    listed = {job.id: job for job in store.find(JobFilter("ann", limit=200)).jobs}
    for job in new:
        kept = listed[job.id]
        assert (kept.input, kept.asked, kept.metadata) == (job.input, job.asked, job.metadata)
        assert as_json(accepted_document(kept))


@THRIFTY
@given(CONSENTS, st.one_of(st.none(), WORDS))
def test_a_voice_that_is_accepted_is_listed_as_it_was(
    voice_store: VoiceStore, consent: dict[str, Any], name: str | None
) -> None:
    try:
        wanted = read_voice({"consent": consent, **({} if name is None else {"name": name})})
    except InvalidRequest:
        return
    said = wanted.consent
    given_ = Consent(said.by, said.at.timestamp(), said.text)
    voice = Voice(VOICES.next(), "ann", wanted.name, Recording("ab" * 32, 8000, 1.0), given_, time.time())
    voice_store.add(voice)
    (kept,) = voice_store.page("ann", 1)
    assert kept == voice
    assert as_json(voice_document(kept))


def test_a_time_that_an_earlier_version_took_does_not_break_the_list(voice_store: VoiceStore) -> None:
    for at in (LAST_S + 82_800, FIRST_S - 82_800, 1e300, -1e300):
        given_ = Consent("Ann", at, "Yes.")
        voice_store.add(Voice(VOICES.next(), "ann", None, Recording("ab" * 32, 8000, 1.0), given_, time.time()))
    shown = [voice_document(voice)["consent"]["at"] for voice in voice_store.page("ann", 10)]
    assert shown == ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.000Z"] * 2
