"""A gate's result as JSON, JUnit XML and Markdown: read back, whatever the names are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.exports import gate_json, junit, markdown
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import ComparisonResult, GateResult
from shared.gating.checking import read_rules
from tests.scorer.comparison.drawn import evaluated, honest, shifted, spoiled, suite

HOSTILE = "a|b](x) <img src=x onerror=alert(1)> `c` *d* \\"
CONVENTION = {
    *("name", "direction", "baseline_mean", "candidate_mean", "diff", "ci95", "margin", "noise_floor"),
    *("n_items", "n_seeds", "method", "resamples", "seed", "verdict", "n_needed"),
}
ATTRIBUTES = {"name", "tests", "failures", "errors", "skipped", "time"}


def gate(*rules: Mapping[str, Any]) -> tuple[GateResult, ComparisonResult]:
    of = suite(35)
    tagged = replace(of, items=tuple(replace(item, tags=(HOSTILE,)) for item in of.items))
    baseline = evaluated("v1", honest(1), suite=tagged)
    worse = evaluated("v2", spoiled(honest(2), shifted(asr__wer=0.3)), suite=tagged, preprocessing="wetext 1.0")
    comparison = compare("cmp_1", baseline, worse, allow=["preprocessing"])
    return decide("gate_1", comparison, baseline, worse, read_rules({"schema": 1, "rule": [*rules]})), comparison


RESULT, COMPARISON = gate(
    {"metric": "mos/dnsmos_ovrl", "not_worse_by": 0.1},
    {"metric": "asr/wer", "not_worse_by": 0.05, "scope": f"tag/{HOSTILE}"},
    {"metric": "mos/dnsmos_ovrl", "not_worse_by": 0.1, "scope": "emotion/sad"},
    {"metric": "mos/utmos", "better_by": "5 %", "if_covered": True},
)
NOTHING_APPLIES, _ = gate({"metric": "mos/utmos", "not_worse_by": 0.1, "if_covered": True})


def test_the_gate_was_what_the_tests_below_take_it_for() -> None:
    assert [one.outcome for one in RESULT.judged] == ["pass", "fail", "inconclusive", "not_applicable"]


def test_json_has_the_agreed_names() -> None:
    document = json.loads(gate_json(RESULT))
    assert document["verdict"] == "fail"
    assert document["disagreements_allowed"] == ["preprocessing"]
    assert all(entry.keys() >= CONVENTION for entry in document["metrics"])


def test_json_says_differences_as_candidate_less_baseline() -> None:
    wer = json.loads(gate_json(RESULT))["metrics"][1]
    assert wer["diff"] == pytest.approx(wer["candidate_mean"] - wer["baseline_mean"])
    assert wer["ci95"][0] < wer["diff"] < wer["ci95"][1]
    assert wer["margin"] == 0.05


def test_an_interval_of_another_confidence_is_not_called_95() -> None:
    judged = tuple(replace(one, confidence=0.99) for one in RESULT.judged)
    entry = json.loads(gate_json(replace(RESULT, judged=judged)))["metrics"][0]
    assert entry["ci95"] is None
    assert entry["ci"][0] < entry["ci"][1]


def test_junit_has_a_case_per_rule_and_counts_them() -> None:
    root = ElementTree.fromstring(junit(RESULT))
    (of,) = root
    cases = of.findall("testcase")
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["error"], ["skipped"]]
    for counted in (root, of):
        assert [counted.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    assert cases[1].get("classname") == f"drawn.tag/{HOSTILE}"
    assert cases[1][0].get("message") == RESULT.judged[1].why


@pytest.mark.parametrize("result", [RESULT, NOTHING_APPLIES])
def test_junit_keeps_to_the_elements_and_attributes_that_ci_servers_know(result: GateResult) -> None:
    root = ElementTree.fromstring(junit(result))
    assert (root.tag, {*root.keys()} <= ATTRIBUTES) == ("testsuites", True)
    (of,) = root
    assert (of.tag, {*of.keys()} <= ATTRIBUTES) == ("testsuite", True)
    order = [child.tag for child in of]
    assert order == ["properties", *["testcase"] * (len(order) - 2), "system-out"]
    for one in of.find("properties") or []:
        assert (one.tag, {*one.keys()}) == ("property", {"name", "value"})
    for case in of.findall("testcase"):
        assert {*case.keys()} == {"name", "classname", "time"}
        for mark in case:
            assert {*mark.keys()} == {"message"} | ({"type"} if mark.tag in ("failure", "error") else set())


def test_a_gate_that_asked_nothing_is_not_green_in_ci() -> None:
    (of,) = ElementTree.fromstring(junit(NOTHING_APPLIES))
    assert (of.get("errors"), of.get("skipped")) == ("1", "1")


def test_junit_survives_what_xml_cannot_say() -> None:
    odd = replace(RESULT, candidate="v2\x08\ud800")
    (of,) = ElementTree.fromstring(junit(odd))
    assert [one.get("value") for one in of.iter("property") if one.get("name") == "candidate"] == ["v2"]


def cells(line: str) -> list[str]:
    """Of a table's row in GitHub's Markdown, unescaped."""
    parts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [re.sub(r"\\(.)", r"\1", part.strip()) for part in parts]


def test_markdown_says_the_verdict_first_and_what_was_insisted_on() -> None:
    lines = markdown(RESULT, COMPARISON).splitlines()
    assert lines[0] == "## Ringtrue gate: fail"
    assert lines[2].startswith("fail: asr/wer in tag/")
    assert lines[4].startswith("> **Compared although these differ, as requested: preprocessing (none / wetext 1.0)")


def test_markdown_reads_back_as_a_table_whatever_the_names_are() -> None:
    rows = [cells(line) for line in markdown(RESULT, COMPARISON).splitlines() if line.startswith("| ")]
    assert {len(row) for row in rows} == {8}
    assert [row[0] for row in rows] == ["verdict", "pass", "**fail**", "inconclusive", "not applicable"]
    assert rows[2][2] == f"tag/{HOSTILE}".replace("<", "&lt;").replace(">", "&gt;")
    assert rows[4][6] == "better by 5 % at least"


def test_markdown_lets_nothing_through_as_markup() -> None:
    text = markdown(RESULT, COMPARISON)
    assert "<img" not in text
    assert not re.search(r"(?<!\\)[`\]]\(", text)


def test_markdown_links_what_it_is_given() -> None:
    assert markdown(RESULT, COMPARISON, {"report": "https://x.test/r?a=<b>"}).endswith(
        "\n[report](<https://x.test/r?a=%3Cb%3E>)\n"
    )


def test_markdown_of_another_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a gate on"):
        markdown(RESULT, replace(COMPARISON, id="cmp_2"))
