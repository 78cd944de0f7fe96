"""A gate's result in the forms that others read: JSON for programs, JUnit XML and Markdown for CI.

Owns these forms. Names of suites, tags and pins come from users and are escaped.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from services.scorer.analysis.comparison.figures import counted, number, ranged, turned
from services.scorer.analysis.comparison.headline import insisted
from services.scorer.analysis.comparison.reasons import rule_in_words
from services.scorer.analysis.comparison.result import ComparisonResult, Estimate, GateResult, RuleResult

_MARKS: Mapping[str, str] = {"fail": "failure", "inconclusive": "error", "not_applicable": "skipped"}
"""JUnit's element for each outcome. A pass has none."""
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKDOWN = {ord(sign): f"\\{sign}" for sign in "\\`*_[]|~"}


def gate_json(result: GateResult) -> bytes:
    """Return ``gate.json``, with one entry per rule and scope. ``diff`` is candidate minus baseline, whichever is
    better."""
    document = {
        "schema": 1,
        "id": result.id,
        "comparison": result.comparison,
        "baseline": result.baseline,
        "candidate": result.candidate,
        "suite": result.suite,
        "verdict": result.verdict,
        "headline": result.headline,
        "disagreements_allowed": list(result.disagreements_allowed),
        "method": result.method,
        "metrics": [_entry(one, result) for one in result.judged],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _entry(one: RuleResult, result: GateResult) -> dict[str, Any]:
    diff = _difference(one)
    interval = None if diff is None else [diff.low, diff.high]
    return {
        "name": one.metric,
        "scope": one.scope,
        "demand": one.demand,
        "direction": one.direction,
        "baseline_mean": one.baseline_mean,
        "candidate_mean": one.candidate_mean,
        "diff": None if diff is None else diff.estimate,
        "ci95": interval if one.confidence == 0.95 else None,
        "ci": interval,
        "confidence": one.confidence,
        "margin": None if one.threshold is None else abs(one.threshold),
        "margin_said": {"amount": one.amount, "scale": one.scale},
        "noise_floor": one.noise_floor,
        "unit": one.unit,
        "n_items": one.n,
        "n_seeds": one.seeds,
        "unscored_share": one.unscored_share,
        "method": one.method,
        "resamples": result.resamples,
        "seed": result.resampling_seed,
        "verdict": one.outcome,
        "doubt": one.doubt,
        "why": one.why,
        "n_needed": one.n_needed,
    }


def junit(result: GateResult) -> bytes:
    """Return JUnit XML with a test case per rule and scope.

    Fail is a failure, inconclusive an error, not applicable a skip. A gate that is inconclusive although no rule is
    (none
    applies) has an error case ``verdict``: CI must not be green.
    """
    names = ("tests", "failures", "errors", "skipped")
    told = [(one.outcome, f"{one.metric} {rule_in_words(one)}", one.scope, one.why) for one in result.judged]
    if result.verdict == "inconclusive" and not any(one.outcome == "inconclusive" for one in result.judged):
        told.append(("inconclusive", "verdict", "gate", result.headline))
    outcomes = [outcome for outcome, *_ in told]
    counts = (len(told), *(outcomes.count(one) for one in ("fail", "inconclusive", "not_applicable")))
    totals = dict(zip(names, map(str, counts), strict=True))
    root = ElementTree.Element("testsuites", {"name": "ringtrue gate", **totals, "time": "0"})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(f"gate {result.suite}"), **totals, "time": "0"})
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("id", "comparison", "baseline", "candidate", "suite", "verdict"):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _xml(getattr(result, name))})
    for outcome, name, scope, why in told:
        marks = {"name": _xml(name), "classname": _xml(f"{result.suite}.{scope}"), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", marks)
        if (mark := _MARKS.get(outcome)) is not None:
            kind = {} if mark == "skipped" else {"type": outcome}
            ElementTree.SubElement(case, mark, {"message": _xml(why), **kind}).text = _xml(why)
    ElementTree.SubElement(suite, "system-out").text = _xml(result.headline)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def markdown(result: GateResult, comparison: ComparisonResult, links: Mapping[str, str] | None = None) -> str:
    """Return a step summary for GitHub: the verdict first, then a table.

    ``links``: URLs by their text, shown below the table. Raises `ValueError` if the gate is not on this comparison.
    """
    if comparison.id != result.comparison:
        raise ValueError(f"{result.id} is not a gate on {comparison.id}")
    lines = [f"## Ringtrue gate: {result.verdict}", "", _text(result.headline), ""]
    if warning := insisted(comparison.allowed):
        lines += [f"> **{_text(warning)}**", ""]
    lines += [
        f"{_text(result.candidate)} against {_text(result.baseline)} on {_text(result.suite)}"
        f" {_text(comparison.suite_version)}, {counted(comparison.items, 'item')}, seeds "
        f"{', '.join(map(str, comparison.baseline.seeds))}",
        "",
        "| verdict | metric | scope | baseline | candidate | better by | rule | n |",
        "|---|---|---|---:|---:|---:|---|---:|",
        *(_line(one) for one in result.judged),
        "",
        *(f"- {_text(one.why)}" for one in result.judged if one.outcome != "pass"),
    ]
    linked = " · ".join(f"[{_text(name)}](<{_url(url)}>)" for name, url in (links or {}).items())
    return "\n".join([*lines, *(["", linked] if linked else [])]).rstrip() + "\n"


def _line(one: RuleResult) -> str:
    verdict = f"**{one.outcome}**" if one.outcome == "fail" else one.outcome.replace("_", " ")
    means = [_text("") if mean is None else _text(number(mean)) for mean in (one.baseline_mean, one.candidate_mean)]
    gain = "" if one.gain is None else _text(ranged(one.gain))
    cells = [verdict, _text(one.metric), _text(one.scope), *means, gain, _text(rule_in_words(one)), str(one.n)]
    return f"| {' | '.join(cells)} |"


def _difference(one: RuleResult) -> Estimate | None:
    """Return the gain as candidate minus baseline."""
    return turned(one.gain) if one.gain is not None and one.direction == "lower" else one.gain


def _text(words: str) -> str:
    """Escape the words for Markdown."""
    return html.escape(words, quote=False).translate(_MARKDOWN).replace("\n", " ")


def _url(url: str) -> str:
    return url.replace("<", "%3C").replace(">", "%3E").replace("\n", "").replace("\\", "%5C")


def _xml(words: str) -> str:
    """Drop the characters that XML 1.0 cannot contain."""
    return _NOT_XML.sub("", words)
