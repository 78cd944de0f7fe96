"""Comparisons stand on evaluations, gates on comparisons: accepted at once, waited for, listed, each user their own."""

from __future__ import annotations

import time
from typing import Any

import pytest

from services.gateway.openapi.study_answer_schemas import (
    ComparisonDocument,
    ComparisonListDocument,
    GateDocument,
    GateListDocument,
)
from shared.gating.toml_notation import default_rules, rules_from_toml
from shared.studies import Kind, Step, StudyIds
from tests.gateway.evaluating import evaluate, finish, item, perform
from tests.gateway.place import Place, refused

pytestmark = pytest.mark.anyio
RULE = {"metric": "mos/nisqa", "not_worse_by": 0.1}
RULES = {"schema": 1, "rule": [RULE]}
COMPARED = {"comparison": {"headline": "espeak-v2 is better", "rows": []}, "files": {}}


async def two(place: Place, headers: dict[str, str] | None = None) -> dict[str, str]:
    """The body of a comparison of two evaluations."""
    sides = [await evaluate(place, headers, suite=item(), seeds=[seed]) for seed in (0, 1)]
    return {"baseline": sides[0]["id"], "candidate": sides[1]["id"]}


async def compare(place: Place, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    body = {**await two(place, headers), **changes}
    answer = await place.http.post("/v1/comparisons", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def gate(place: Place, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    comparison = await compare(place, headers)
    answer = await place.http.post("/v1/gates", json={"comparison": comparison["id"], **changes}, headers=headers)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_a_comparison_is_accepted_before_its_evaluations_are_over(place: Place) -> None:
    body = await two(place)
    place.wake_ups.woken.clear()
    answer = await place.http.post("/v1/comparisons", json={**body, "allow": ["seeds", "params", "seeds"]})
    comparison = ComparisonDocument.model_validate_json(answer.content)
    assert (answer.status_code, comparison.status, comparison.result) == (202, "waiting", None)
    assert answer.headers["location"] == comparison.links.self
    assert (comparison.baseline, comparison.candidate) == (body["baseline"], body["candidate"])
    assert comparison.allow == ["params", "seeds"]
    assert place.wake_ups.woken == ["judge"]


async def test_it_goes_from_waiting_to_running_to_its_result(place: Place) -> None:
    links = (await compare(place))["links"]
    perform(place, 2)
    finish(place, {"files": {}})
    finish(place, {"files": {}})
    study = place.studies.claim(Step.RESULT, "scorer", 60.0, time.time())
    assert study is not None
    assert (await place.http.get(links["self"])).json()["status"] == "running"
    assert place.studies.finish(study.id, study.result.attempt, COMPARED, time.time())
    done = ComparisonDocument.model_validate_json((await place.http.get(links["self"] + "?wait=5")).content)
    assert (done.status, done.headline, done.result) == ("succeeded", "espeak-v2 is better", COMPARED["comparison"])


async def test_why_it_cannot_be_compared_is_shown(place: Place) -> None:
    links = (await compare(place))["links"]
    perform(place, 2)
    finish(place, {})
    finish(place, {})
    study = place.studies.claim(Step.RESULT, "scorer", 60.0, time.time())
    assert study is not None
    error = {"code": "not_comparable", "message": "the seeds differ; allow them with --allow seeds"}
    assert place.studies.fail(study.id, study.result.attempt, error, time.time())
    failed = ComparisonDocument.model_validate_json((await place.http.get(links["self"])).content)
    assert (failed.status, failed.error and failed.error.model_dump()) == ("failed", error)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"allow": ["everything"]}, "/allow"),
        ({"allow": "seeds"}, "/allow"),
        ({"baseline": 3}, "/baseline"),
        ({"threshold": 1}, "/threshold"),
    ],
)
async def test_a_wrong_field_of_a_comparison_is_named(place: Place, changes: dict[str, Any], pointer: str) -> None:
    answer = await place.http.post("/v1/comparisons", json={**await two(place), **changes})
    assert [error.pointer for error in refused(answer, "invalid_request").errors or ()] == [pointer]


async def test_an_evaluation_is_not_compared_with_itself(place: Place) -> None:
    body = await two(place)
    answer = await place.http.post("/v1/comparisons", json={**body, "candidate": body["baseline"]})
    assert [error.pointer for error in refused(answer, "invalid_request").errors or ()] == ["/candidate"]


async def test_only_ones_own_evaluations_are_compared(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    anns, bobs = await two(place, ann), await two(place, bob)
    mixed = {"baseline": anns["baseline"], "candidate": bobs["candidate"]}
    refused(await place.http.post("/v1/comparisons", json=mixed, headers=ann), "evaluation_not_found")
    nothing = {**anns, "candidate": StudyIds(Kind.EVALUATION).next()}
    refused(await place.http.post("/v1/comparisons", json=nothing, headers=ann), "evaluation_not_found")


async def test_comparisons_and_gates_of_others_are_not_there(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    decided = await gate(place, ann)
    comparison = f"/v1/comparisons/{decided['comparison']}"
    for path in (comparison, f"{comparison}/report", f"{comparison}/files/comparison.json"):
        refused(await place.http.get(path, headers=bob), "comparison_not_found")
    for path in decided["links"].values():
        refused(await place.http.get(path, headers=bob), "gate_not_found")
    stolen = await place.http.post("/v1/gates", json={"comparison": decided["comparison"]}, headers=bob)
    refused(stolen, "comparison_not_found")


async def test_a_gate_has_the_rules_that_ship_unless_it_says_others(place: Place) -> None:
    assert (await gate(place))["rules"] == default_rules().to_json()
    assert (await gate(place, rules=None))["rules"] == default_rules().to_json()
    assert (await gate(place, rules=RULES))["rules"]["rule"][0]["fewest_items"] == 10
    written = {"notation": "toml", "text": 'schema = 1\n[[rule]]\nmetric = "mos/nisqa"\nnot_worse_by = 0.1\n'}
    assert (await gate(place, rules=written))["rules"] == (await gate(place, rules=RULES))["rules"]


async def test_the_rules_that_ship_can_be_started_from(place: Place) -> None:
    answer = await place.http.get("/v1/gates/default-rules")
    assert answer.headers["content-type"] == "application/toml"
    assert rules_from_toml(answer.text) == default_rules()


async def test_every_fault_of_rules_has_its_place(place: Place) -> None:
    comparison = (await compare(place))["id"]
    rules = {"schema": 1, "rule": [{**RULE, "not_worse_by": -1}, {"metric": "mos/nisqa", "scope": "sometimes"}]}
    answer = await place.http.post("/v1/gates", json={"comparison": comparison, "rules": rules})
    pointers = {error.pointer for error in refused(answer, "invalid_request").errors or ()}
    assert pointers == {"/rules/rule/0/not_worse_by", "/rules/rule/1", "/rules/rule/1/scope"}


async def test_every_fault_of_a_gate_toml_has_its_line(place: Place) -> None:
    comparison = (await compare(place))["id"]
    text = 'schema = 2\n\n[[rule]]\nmetric = "mos/nisqa"\nnot_worse_by = "much"\n'
    body = {"comparison": comparison, "rules": {"notation": "toml", "text": text}}
    errors = refused(await place.http.post("/v1/gates", json=body), "invalid_request").errors or []
    assert [(error.pointer, error.detail.partition(":")[0]) for error in errors] == [
        ("/rules/text", "line 1"),
        ("/rules/text", "line 5"),
    ]
    body["rules"] = {"notation": "toml", "text": "schema = = 1"}
    (error,) = refused(await place.http.post("/v1/gates", json=body), "invalid_request").errors or []
    assert error.detail.startswith("line 1: no TOML")
    body["rules"] = {"notation": "toml", "text": "schema = 1"}
    (error,) = refused(await place.http.post("/v1/gates", json=body), "invalid_request").errors or []
    assert error.detail == "rule is missing"


@pytest.mark.parametrize("metric", ["mos/dnsmos_ovr", "coverage/mos/dnsmos_ovr"])
async def test_a_rule_about_a_metric_that_does_not_exist_is_refused(place: Place, metric: str) -> None:
    comparison, said = (await compare(place))["id"], "there is no metric mos/dnsmos_ovr; did you mean mos/dnsmos_ovrl?"
    rules: Any = {"schema": 1, "rule": [{"metric": metric, "not_worse_by": 0.1}]}
    (error,) = (
        refused(
            await place.http.post("/v1/gates", json={"comparison": comparison, "rules": rules}), "invalid_request"
        ).errors
        or []
    )
    assert (error.pointer, error.detail) == ("/rules/rule/0/metric", said)
    text = f'schema = 1\n\n[[rule]]\nmetric = "{metric}"\nnot_worse_by = 0.1\n'
    rules = {"notation": "toml", "text": text}
    (error,) = (
        refused(
            await place.http.post("/v1/gates", json={"comparison": comparison, "rules": rules}), "invalid_request"
        ).errors
        or []
    )
    assert error.detail == f"line 4: {said}"


@pytest.mark.parametrize("rules", [3, [], {"notation": "yaml", "text": ""}, {"notation": "toml"}])
async def test_rules_of_no_form_are_refused(place: Place, rules: Any) -> None:
    comparison = (await compare(place))["id"]
    answer = await place.http.post("/v1/gates", json={"comparison": comparison, "rules": rules})
    assert [error.pointer for error in refused(answer, "invalid_request").errors or ()] == ["/rules"]


async def test_a_gate_that_has_decided_shows_its_verdict(place: Place) -> None:
    decided = await gate(place, rules=RULES)
    perform(place, 2)
    for outcome in ({}, {}, COMPARED):
        finish(place, outcome)
    verdict = {"verdict": "inconclusive", "headline": "one item is too few", "judged": []}
    assert finish(place, {"gate": verdict, "files": {}}) == decided["id"]
    shown = GateDocument.model_validate_json((await place.http.get(decided["links"]["self"])).content)
    assert (shown.status, shown.verdict, shown.headline) == ("succeeded", "inconclusive", "one item is too few")
    assert shown.result == verdict


async def test_lists_are_newest_first_with_pages_and_without_results(place: Place) -> None:
    gates = [(await gate(place))["id"] for _ in range(2)]
    first = GateListDocument.model_validate_json((await place.http.get("/v1/gates?limit=1")).content)
    rest = (await place.http.get(f"/v1/gates?limit=1&cursor={first.next_cursor}")).json()
    assert [first.data[0].id, rest["data"][0]["id"]] == gates[::-1]
    assert "result" not in rest["data"][0]
    comparisons = ComparisonListDocument.model_validate_json((await place.http.get("/v1/comparisons")).content)
    assert [one.id for one in comparisons.data] == sorted((one.id for one in comparisons.data), reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=a",
        "cursor=1",
        "cursor=gate_01JD4Q0000000000000000000A",
        "pin=rich-v1",
        "limit=1&limit=2",
    ],
)
async def test_a_list_takes_no_other_query(place: Place, query: str) -> None:
    refused(await place.http.get(f"/v1/comparisons?{query}"), "invalid_request")


async def test_sent_twice_under_a_key_it_is_one(place: Place) -> None:
    body, headers = await two(place), {"Idempotency-Key": "again"}
    first, second = [await place.http.post("/v1/comparisons", json=body, headers=headers) for _ in range(2)]
    assert (first.content, second.headers["idempotent-replayed"]) == (second.content, "true")
    assert len((await place.http.get("/v1/comparisons")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/comparisons/{}", "comparison_not_found"),
        ("/v1/gates/{}", "gate_not_found"),
        ("/v1/comparisons/{}/report", "comparison_not_found"),
    ],
)
async def test_one_kind_is_not_found_where_another_stands(place: Place, path: str, code: str) -> None:
    evaluation = await evaluate(place, suite=item())
    refused(await place.http.get(path.format(evaluation["id"])), code)
