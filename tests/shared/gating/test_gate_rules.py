"""The rules of a gate: what they mean, and everything that is wrong with them at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RefusalCode
from shared.gating.checking import MOST_RULES, read_rules
from shared.gating.rules import RuleAmount, Rules, RulesInvalid, RuleSpec
from shared.gating.toml_notation import default_rules, default_toml, rules_from_toml
from shared.scores import Direction

RULE = {"metric": "mos/dnsmos_ovrl", "not_worse_by": 0.1}


def rules(*rows: Mapping[str, Any], **head: Any) -> dict[str, Any]:
    return {"schema": 1, "rule": list(rows or [RULE]), **head}


def wrong(document: object, at: str = "") -> dict[str, str]:
    with pytest.raises(RulesInvalid) as refused:
        read_rules(document, at)
    assert refused.value.code is RefusalCode.INVALID_REQUEST
    return {error.pointer: error.detail for error in refused.value.errors}


def test_a_rule_has_defaults() -> None:
    assert read_rules(rules()) == Rules((RuleSpec("mos/dnsmos_ovrl", "not_worse", RuleAmount(0.1)),), 0.95)


def test_the_head_says_what_holds_for_rules_that_say_nothing() -> None:
    document = rules(RULE, RULE | {"scope": "each_tag", "fewest_items": 30}, fewest_items=20, unscored_at_most=0)
    first, second = read_rules(document).rules
    assert (first.fewest_items, second.fewest_items) == (20, 30)
    assert (first.unscored_at_most, second.unscored_at_most) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        (0, RuleAmount(0.0)),
        (0.05, RuleAmount(0.05)),
        ("5 %", RuleAmount(0.05, "relative")),
        ("12.5%", RuleAmount(0.125, "relative")),
        ("1.5 floors", RuleAmount(1.5, "noise_floors")),
        ("1 floor", RuleAmount(1.0, "noise_floors")),
    ],
)
def test_an_amount_is_a_number_a_share_or_noise_floors(said: object, amount: RuleAmount) -> None:
    (rule,) = read_rules(rules({"metric": "mos/utmos", "better_by": said})).rules
    assert (rule.demand, rule.amount) == ("better", amount)


@pytest.mark.parametrize(
    "scope", ["overall", "each_emotion", "emotion/indextts2:melancholic", "tag/speaker: Anna", "each_language"]
)
def test_scopes(scope: str) -> None:
    assert read_rules(rules(RULE | {"scope": scope})).rules[0].scope == scope


def test_languages_are_lower_case_as_in_suites() -> None:
    assert read_rules(rules(RULE | {"scope": "language/zh-CN"})).rules[0].scope == "language/zh-cn"


def test_a_direction_can_be_said() -> None:
    assert read_rules(rules(RULE | {"direction": "lower"})).rules[0].direction is Direction.LOWER


WRONG: list[tuple[object, str, str]] = [
    ([], "", "a mapping is required"),
    ({"rule": [RULE]}, "", "schema is missing"),
    ({"schema": 1}, "", "rule is missing"),
    (rules(schema=2), "/schema", "schema must be 1 (found 2)"),
    (rules(schema=True), "/schema", "schema must be 1 (found true)"),
    (rules(rules=[]), "/rules", "unknown member 'rules'"),
    (rules() | {"rule": []}, "/rule", "at least one rule"),
    (rules() | {"rule": "mos"}, "/rule", "at least one rule"),
    (rules() | {"rule": [RULE] * (MOST_RULES + 1)}, "/rule", f"at most {MOST_RULES}"),
    (rules(confidence=0.5), "/confidence", "from 0.8 to 0.999"),
    (rules(fewest_items=5), "/fewest_items", "no verdict is given on fewer"),
    (rules("mos"), "/rule/0", "a mapping is required"),
    (rules({"not_worse_by": 1}), "/rule/0", "metric is missing"),
    (rules(RULE | {"metric": "MOS"}), "/rule/0/metric", "a metric's name"),
    (rules(RULE | {"metric": 3}), "/rule/0/metric", "a metric's name"),
    (rules({"metric": "mos/utmos"}), "/rule/0", "exactly one of"),
    (rules(RULE | {"better_by": 0.1}), "/rule/0", "exactly one of"),
    (rules(RULE | {"not_worse_by": -0.1}), "/rule/0/not_worse_by", "found -0.1"),
    (rules(RULE | {"not_worse_by": float("nan")}), "/rule/0/not_worse_by", "found nan"),
    (rules(RULE | {"not_worse_by": float("inf")}), "/rule/0/not_worse_by", "found inf"),
    (rules(RULE | {"not_worse_by": 10**400}), "/rule/0/not_worse_by", "found 1000"),
    (rules(RULE | {"not_worse_by": True}), "/rule/0/not_worse_by", "found true"),
    (rules(RULE | {"not_worse_by": "5 percent"}), "/rule/0/not_worse_by", "found '5 percent'"),
    (rules(RULE | {"not_worse_by": "-1 floors"}), "/rule/0/not_worse_by", "found '-1 floors'"),
    (rules({"metric": "coverage/asr/wer", "not_worse_by": "5 %"}), "/rule/0/not_worse_by", "as a number"),
    (rules({"metric": "coverage/asr/wer", "better_by": "1 floors"}), "/rule/0/better_by", "as a number"),
    (rules(RULE | {"scope": "emotions"}), "/rule/0/scope", "found 'emotions'"),
    (rules(RULE | {"direction": "neutral"}), "/rule/0/direction", "higher or lower"),
    (rules(RULE | {"unscored_at_most": 1.1}), "/rule/0/unscored_at_most", "from 0 to 1"),
    (rules(RULE | {"fewest_items": 10.5}), "/rule/0/fewest_items", "a whole number from 10"),
    (rules(RULE | {"if_covered": 1}), "/rule/0/if_covered", "true or false"),
    (rules(RULE | {"a/b~": 1}), "/rule/0/a~1b~0", "unknown member 'a/b~'"),
    (rules(RULE, RULE), "/rule/1", "rule 0 demands the same"),
]


@pytest.mark.parametrize(("document", "pointer", "detail"), WRONG)
def test_what_is_wrong_is_named_where_it_stands(document: object, pointer: str, detail: str) -> None:
    found = wrong(document)
    assert list(found) == [pointer]
    assert detail in found[pointer]


def test_everything_wrong_is_said_at_once_below_the_place_of_the_rules() -> None:
    found = wrong(rules({"metric": "x"}, RULE | {"scope": 3}, confidence="high"), at="/rules")
    assert set(found) == {"/rules/confidence", "/rules/rule/0/metric", "/rules/rule/0", "/rules/rule/1/scope"}


AMOUNTS = st.one_of(
    st.floats(0, 100).map(RuleAmount),
    st.integers(0, 2000).map(lambda tenths: RuleAmount(tenths / 10 / 100, "relative")),
    st.integers(0, 90).map(lambda tenths: RuleAmount(tenths / 10, "noise_floors")),
)


@given(
    amount=AMOUNTS, demand=st.sampled_from(["not_worse", "better"]), items=st.integers(10, 99), covered=st.booleans()
)
def test_rules_survive_json(amount: RuleAmount, demand: Any, items: int, covered: bool) -> None:
    made = Rules((RuleSpec("a/b", demand, amount, "emotion/sad", Direction.LOWER, items, 0.2, covered),), 0.9)
    assert read_rules(json.loads(json.dumps(made.to_json()))) == made


def test_the_rules_that_ship_are_rules() -> None:
    assert len(default_rules().rules) == default_toml().count("[[rule]]")


TOML = """\
schema = 1
confidence = 2

[[rule]]
metric = "mos/dnsmos_ovrl"
  not_worse_by = "much"

[[rule]]
metric = "asr/wer"
"""


def test_a_file_tells_the_lines() -> None:
    with pytest.raises(RulesInvalid) as refused:
        rules_from_toml(TOML)
    told = {error.pointer: error.detail.partition(":")[0] for error in refused.value.errors}
    assert told == {"/confidence": "line 2", "/rule/0/not_worse_by": "line 6", "/rule/1": "line 8"}


def test_a_byte_order_mark_is_none_of_the_rules() -> None:
    assert rules_from_toml("\ufeff" + default_toml()) == default_rules()


def test_rules_in_a_line_are_told_without_one() -> None:
    with pytest.raises(RulesInvalid) as refused:
        rules_from_toml('schema = 1\nrule = [{metric = "mos/utmos"}]\n')
    assert not refused.value.errors[0].detail.startswith("line")


def test_faults_are_told_in_the_order_of_the_file() -> None:
    with pytest.raises(RulesInvalid) as refused:
        rules_from_toml('schema = 1\n[[rule]]\nmetrc = "a/b"\n[[rule]]\nmetric = "a/b"\nnot_worse_by = -1\n')
    lines = [int(error.detail.split(":")[0].removeprefix("line ")) for error in refused.value.errors]
    assert lines == [2, 2, 3, 6]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("schema = 1\nrule [\n", "line 2: no TOML: "),
        ("schema = 1\nschema = 1", "no TOML: "),
        ("# one\u2028line\nschema = = 1", "line 2: no TOML: "),
        ("schema = " + "[\n" * 5_000, "no TOML: nested too deep"),
        ("schema = " + "9" * 1_999, "line 1: 2008 characters, at most 2000 are allowed in a line"),
        ("schema = 1\n" + "a." * 20_000 + "b = 1", "line 2: 40005 characters"),
        ("# \n" * 30_000, "90000 characters, at most 65536 are allowed"),
    ],
)
def test_what_is_no_toml_says_where_and_takes_no_time(text: str, detail: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        rules_from_toml(text)
    (error,) = refused.value.errors
    assert error.detail.startswith(detail)
