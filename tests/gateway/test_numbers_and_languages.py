"""Numbers and languages as people and programs write them: each is taken as what it means, or refused by its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from services.gateway.models.admission import Admission, Provenance
from services.gateway.models.option_schema import OptionSchema
from services.gateway.requests.job_schemas import read_job
from shared.gating.checking import read_rules
from tests.gateway.place import RICH, SENTENCE, Place, refused

pytestmark = pytest.mark.anyio
SUITE = {
    "schema": 1.0,
    "name": "a",
    "version": "1",
    "title": "A",
    "licence": "CC0-1.0",
    "language": "en_US.UTF-8",
    "items": [{"id": "a", "text": "One."}, {"id": "b", "text": "二。", "language": "zh_CN"}],
}


class Whole(NamedTuple):
    """A field of a job that is an integer, the value of it that is sent, and what that is."""

    field: str
    sent: str
    used: int


WHOLES = [
    Whole("seed", "42.0", 42),
    Whole("seed", "4.2e1", 42),
    Whole("seed", "-0.0", 0),
    Whole("seed", "4294967295.0", 2**32 - 1),
    Whole("sample_rate", "16000.0", 16_000),
    Whole("priority", "-3.0", -3),
]


async def posted(place: Place, field: str, sent: str) -> Any:
    """The answer to a job in which a field is written so."""
    content = f'{{"text": "One.", "pin": "rich-v1", "{field}": {sent}}}'
    return await place.http.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("whole", WHOLES, ids=lambda whole: f"{whole.field}={whole.sent}")
async def test_a_whole_number_is_one_however_it_is_written(place: Place, whole: Whole) -> None:
    answer = await posted(place, whole.field, whole.sent)
    assert answer.status_code == 202, answer.text
    used = answer.json()["input"][whole.field]
    assert (used, type(used)) == (whole.used, int)


@pytest.mark.parametrize("field", ["seed", "sample_rate", "priority"])
@pytest.mark.parametrize("sent", ["42.5", "1e300", "18446744073709551616", "1e400", "-1e400", "NaN", "9" * 400, "true"])
async def test_what_is_no_whole_number_within_bounds_is_refused_by_its_field(
    place: Place, field: str, sent: str
) -> None:
    problem = refused(await posted(place, field, sent), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [f"/{field}"]


@pytest.mark.parametrize("field", ["speed", "ttl_s", "timeout_s", "metadata", "options"])
async def test_a_number_beyond_any_is_refused_by_its_field(place: Place, field: str) -> None:
    problem = refused(await posted(place, field, '[0, {"a/b": 1e999}]'), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [f"/{field}/1/a~1b"]


async def test_an_engine_gets_a_whole_option_as_an_integer(place: Place) -> None:
    job = await place.submit(options={"gap_ms": 20.0})
    assert type(job["input"]["options"]["gap_ms"]) is int
    refused(await place.http.post("/v1/jobs", json={**SENTENCE, "options": {"gap_ms": 20.5}}), "option_invalid")


def test_options_become_whole_where_an_integer_is_declared_and_nowhere_else() -> None:
    schema = {
        "properties": {
            "n": {"type": "integer"},
            "x": {"type": "number"},
            "either": {"type": ["integer", "number"]},
            "rows": {"type": "array", "items": {"type": ["integer", "null"]}},
        },
        "additionalProperties": {"type": "integer"},
    }
    value = {"n": 1.0, "x": 1.0, "either": 1.0, "rows": [2.0, None], "other": 3.0}
    options = OptionSchema(schema)
    assert not options.faults(value)
    assert repr(options.as_used(value)) == "{'n': 1, 'x': 1.0, 'either': 1.0, 'rows': [2, None], 'other': 3}"


@pytest.mark.parametrize(("seeds", "used"), [("2.0", [0, 1]), ("[7.0, 3]", [3, 7])])
async def test_seeds_of_an_evaluation_are_whole_too(place: Place, seeds: str, used: list[int]) -> None:
    wanted = {"suite": SUITE, "pin": RICH.pin, "seeds": "SEEDS", "priority": 1.0, "params": {"sample_rate": 16000.0}}
    request = place.http.build_request("POST", "/v1/evaluations", json=wanted)
    content = request.content.replace(b'"SEEDS"', seeds.encode())
    answer = await place.http.post("/v1/evaluations", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["seeds"] == used


@pytest.mark.parametrize("seeds", [2.5, [0.5], [1, 1.0], [True], 1e300])
async def test_seeds_that_are_not_whole_or_doubled_are_refused(place: Place, seeds: Any) -> None:
    wanted = {"suite": SUITE, "pin": RICH.pin, "seeds": seeds}
    problem = refused(await place.http.post("/v1/evaluations", json=wanted), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == ["/seeds"]


@pytest.mark.parametrize("path", ["/v1/jobs?limit=5.0", "/v1/voices?limit=5.0", "/v1/evaluations?limit=5"])
async def test_a_page_has_a_whole_number(place: Place, path: str) -> None:
    assert (await place.http.get(path)).status_code == 200


@pytest.mark.parametrize("written", ["5.5", "5_0", "+5", " 5", "٥", "1e1", "5.", "0x5", "9" * 30, ""])
@pytest.mark.parametrize("address", ["/v1/jobs?limit=", "/v1/gates?limit=", "/v1/jobs/job_X?wait="])
async def test_a_query_that_is_no_whole_number_is_refused(place: Place, address: str, written: str) -> None:
    path, name = address.removesuffix("=").split("?")
    problem = refused(await place.http.get(path, params={name: written}), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [f"/{name}"]


LANGUAGES = [
    ("zh", "zh"),
    ("zh-CN", "zh"),
    ("zh_CN", "zh"),
    ("ZH-cn", "zh"),
    ("zh_Hans_CN", "zh"),
    ("zh_CN.UTF-8", "zh"),
    ("zh_CN.gb18030@stroke", "zh"),
    ("cmn", "zh"),
    ("cmn_Hans-CN", "zh"),
    ("zho", "zh"),
    ("chi", "zh"),
    ("zh-cmn-Hans", "zh"),
    ("yue", "zh-yue"),
    ("zh-yue-HK", "zh-yue"),
    ("en_US.UTF-8", "en"),
    ("en_GB.ISO-8859-1", "en"),
    ("eng", "en"),
    ("EN", "en"),
]


@pytest.mark.parametrize(("written", "used"), LANGUAGES)
async def test_a_language_is_the_pins_own_however_it_is_written(place: Place, written: str, used: str) -> None:
    assert (await place.submit(language=written))["input"]["language"] == used


def test_a_pin_that_names_a_language_otherwise_speaks_it_too() -> None:
    admission = Admission(replace(RICH, languages=("cmn", "en-gb", "sr-latn"), default_language="cmn"))
    for written, used in (("zh", "cmn"), ("zh_CN", "cmn"), ("eng_GB", "en-gb"), ("sr_RS@latin", "sr-latn")):
        body = {**SENTENCE, "language": written}
        job = admission.admit(read_job(body), Provenance("job_1", "ann", body, 0.0))
        assert job.input.language == used, written


@pytest.mark.parametrize("written", ["fr_FR", "ja_JP.UTF-8", "deu", "english", "xx"])
async def test_another_language_is_unsupported_however_it_is_written(place: Place, written: str) -> None:
    refused(await place.http.post("/v1/jobs", json={**SENTENCE, "language": written}), "language_unsupported")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("english", "en"),
        ("Chinese", "zh"),
        ("cn", "zh"),
        ("tw", "zh"),
        ("uk", "en"),
        ("gb", "en"),
        ("jp", ""),
        ("xx", ""),
    ],
)
async def test_a_country_or_a_name_is_refused_with_the_language_that_is_meant(
    place: Place, written: str, meant: str
) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "language": written})
    said = refused(answer, "language_unsupported").detail
    assert said.endswith(f"is {meant} meant?" if meant else f"does not speak {written}"), said


@pytest.mark.parametrize(
    "written", ["", "C", "en US", "en_US!", "en__US", "-en", "汉语", "en\n", "e" * 50, "zh_CN.UTF-8@"]
)
async def test_what_is_no_language_is_told_how_one_is_written(place: Place, written: str) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "language": written})
    problem = refused(answer, "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == ["/language"]
    assert "zh-Hans-CN (BCP 47)" in problem.detail


async def test_a_suite_may_write_languages_as_locales_do(place: Place) -> None:
    answer = await place.http.post("/v1/evaluations", json={"suite": SUITE, "pin": RICH.pin})
    assert answer.status_code == 202, answer.text
    (job, other) = [place.store.get([clip["job"]])[clip["job"]] for clip in await clips(place, answer.json())]
    assert (job.input.language, other.input.language) == ("en", "zh")


async def clips(place: Place, evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    found = (await place.http.get(f"/v1/evaluations/{evaluation['id']}/clips")).json()["data"]
    assert isinstance(found, list)
    return found


def test_a_gate_may_write_the_language_of_a_scope_so_too() -> None:
    rule = {"metric": "asr/wer", "not_worse_by": 1, "scope": "language/zh_CN", "fewest_items": 20.0}
    rules = read_rules({"schema": 1.0, "rule": [rule]})
    assert (rules.rules[0].scope, rules.rules[0].fewest_items) == ("language/zh-cn", 20)
