"""A lexicon with a submission or an evaluation: what is spoken, what is kept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from shared.jobs import MAX_TEXT_CHARS
from shared.readings.lexicons import LONGEST_READING, LONGEST_WORD, MAX_CHARS, MAX_ENTRIES
from tests.gateway.evaluating import SUITE, evaluate, perform, settle
from tests.gateway.place import SENTENCE, Place, refused

pytestmark = pytest.mark.anyio

OURS = {"name": "ours", "version": "3", "entries": {"morning": "mourning", "阳光": "洋光"}}


def of_sentences(**changes: Any) -> dict[str, Any]:
    return {**OURS, **changes}


async def test_the_text_is_spoken_with_its_readings_and_kept_as_it_was_written(place: Place) -> None:
    job = await place.submit(text="Good morning.", lexicon=OURS)
    used = job["input"]
    assert (used["text"], used["written"]) == ("Good mourning.", "Good morning.")
    assert used["lexicon"].keys() == {"name", "version", "sha256"}
    stored = place.store.get([job["id"]])[job["id"]]
    assert (stored.input.text, stored.input.as_written) == ("Good mourning.", "Good morning.")
    assert stored.asked["lexicon"] == OURS
    assert (await place.http.get(job["links"]["self"])).json()["input"] == used


@pytest.mark.parametrize("lexicon", [of_sentences(language="zh"), of_sentences(entries={"nowhere": "there"})])
async def test_a_text_that_no_entry_is_for_is_as_it_was(place: Place, lexicon: dict[str, Any]) -> None:
    used = (await place.submit(text="Good morning.", lexicon=lexicon))["input"]
    assert used["text"] == "Good morning."
    assert "written" not in used
    assert used["lexicon"]["name"] == "ours"


async def test_the_words_of_an_entry_are_composed_as_the_text_is(place: Place) -> None:
    job = await place.submit(text="caf\u00e9", lexicon=of_sentences(entries={"cafe\u0301": "coffee house"}))
    assert job["input"]["text"] == "coffee house"


@pytest.mark.parametrize(
    ("lexicon", "pointer"),
    [
        ({}, "/lexicon/name"),
        ("ours", "/lexicon"),
        (of_sentences(entries={}), "/lexicon/entries"),
        (of_sentences(entries={"": "nothing"}), "/lexicon/entries/"),
        (of_sentences(entries={"word": ""}), "/lexicon/entries/word"),
        (of_sentences(entries={"word": 3}), "/lexicon/entries/word"),
        (of_sentences(entries={" word": "word"}), "/lexicon/entries/ word"),
        (of_sentences(entries={"word": "two\nlines"}), "/lexicon/entries/word"),
        (of_sentences(entries={"word": "be\x07ll"}), "/lexicon/entries/word"),
        (of_sentences(entries={"word": "e" + "\u0301" * 40}), "/lexicon/entries/word"),
        (of_sentences(entries={"word": "<break/>"}), "/lexicon/entries/word"),
        (of_sentences(entries={"w" * (LONGEST_WORD + 1): "word"}), f"/lexicon/entries/{'w' * (LONGEST_WORD + 1)}"),
        (of_sentences(entries={"word": "w" * (LONGEST_READING + 1)}), "/lexicon/entries/word"),
        (of_sentences(entries={f"w{n}": "word" for n in range(MAX_ENTRIES + 1)}), "/lexicon/entries"),
        (of_sentences(entries={f"w{n}": "w" * LONGEST_READING for n in range(MAX_CHARS // 200)}), "/lexicon/entries"),
        (of_sentences(entries={"caf\u00e9": "one", "cafe\u0301": "two"}), "/lexicon/entries"),
        (of_sentences(language="Chinese!"), "/lexicon/language"),
        (of_sentences(alphabet="ipa"), "/lexicon/alphabet"),
    ],
)
async def test_a_lexicon_that_cannot_be_used_is_refused_at_its_place(
    place: Place, lexicon: object, pointer: str
) -> None:
    problem = refused(await place.http.post("/v1/jobs", json={**SENTENCE, "lexicon": lexicon}), "invalid_request")
    assert pointer in [error.pointer for error in problem.errors or ()]


async def test_a_text_that_its_readings_make_too_long_is_refused(place: Place) -> None:
    text = "好" * MAX_TEXT_CHARS
    answer = await place.http.post(
        "/v1/jobs", json={**SENTENCE, "text": text, "lexicon": of_sentences(entries={"好": "很好"})}
    )
    [error] = refused(answer, "text_too_long").errors or ()
    assert error.pointer == "/lexicon"


async def test_every_item_of_an_evaluation_is_spoken_with_it(place: Place) -> None:
    study = await evaluate(place, lexicon=OURS)
    assert study["lexicon"]["entries"] == OURS["entries"]
    clips = (await place.http.get(study["links"]["clips"])).json()["data"]
    jobs = place.store.get([clip["job"] for clip in clips])
    spoken = {jobs[clip["job"]].input.text for clip in clips}
    assert spoken == {"Good mourning.", "What a day!", "今天的洋光真灿烂!"}
    assert not any("lexicon" in job.asked for job in jobs.values()), "the evaluation keeps it once for all clips"


async def test_only_clips_whose_text_it_changes_are_spoken_anew(place: Place) -> None:
    settle(place)
    await evaluate(place)
    perform(place, 3)
    of_chinese = of_sentences(entries={"阳光": "洋光"})
    assert (await evaluate(place, lexicon=of_chinese))["progress"]["cached"] == 2
    perform(place, 1)
    later = of_sentences(version="4", entries={"阳光": "洋光", "nowhere": "there"})
    assert (await evaluate(place, lexicon=later))["progress"]["cached"] == 3


async def test_without_one_an_evaluation_says_so(place: Place) -> None:
    assert (await evaluate(place))["lexicon"] is None


async def test_an_item_that_its_readings_make_too_long_is_reported(place: Place) -> None:
    suite = {**SUITE, "items": [{"id": "long", "text": "day " * 2_400 + "day"}]}
    lexicon = of_sentences(entries={"day": "weekday"})
    answer = await place.http.post("/v1/evaluations", json={"suite": suite, "pin": SENTENCE["pin"], "lexicon": lexicon})
    [error] = refused(answer, "text_too_long").errors or ()
    assert error.pointer == "/lexicon"
