"""Reads a document as rules, and collects everything that is wrong with it.

Owns what each member may be. Which metrics exist is given; which scopes the items have is known only once there are
scores.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator
from typing_extensions import TypedDict

from shared.errors import FieldError
from shared.gating.rules import CONFIDENCE, COVERAGE, FEWEST_ITEMS, SCHEMA, RuleAmount, Rules, RulesInvalid, RuleSpec
from shared.scores import Direction
from shared.values.faults import MOST_FAULTS, Loc, pointer
from shared.values.language_tags import tag_in
from shared.values.numbers import as_whole
from shared.values.shapes import MappingShape, few, must_be, strict
from shared.values.spelling import did_you_mean

MOST_RULES = 100
MOST_ITEMS = 10_000
_AMOUNTS = ("not_worse_by", "better_by")
_LIMITS = ("fewest_items", "unscored_at_most")
_LARGEST = sys.float_info.max
"""TOML allows integers beyond it."""
_METRIC = r"^(coverage/)?[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.:-]*$"
_SCOPE = r"^(overall|each_(emotion|language|tag)|(emotion|language|tag)/[^\x00-\x1f\x7f,]{1,200})$"
_PARTS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?) ?(%|floors?)\s*")


def _amount(value: object) -> RuleAmount:
    """Return an amount. Raises `ValueError` if it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
        return RuleAmount(float(value))
    if not isinstance(value, str) or (found := _PARTS.fullmatch(value)) is None:
        raise ValueError
    parts = float(found[1])
    return RuleAmount(parts / 100, "relative") if found[2] == "%" else RuleAmount(parts, "noise_floors")


def _scope(written: str) -> str:
    """Return the scope in the form in which a comparison names it."""
    kind, _, name = written.partition("/")
    return f"{kind}/{tag_in(name) or name.lower()}" if kind == "language" else written


_Amount = Annotated[
    RuleAmount,
    PlainValidator(_amount),
    must_be('a number from 0 on, a share such as "5 %", or noise floors such as "1.5 floors"'),
]
_FewestItems = Annotated[
    int,
    Field(ge=FEWEST_ITEMS, le=MOST_ITEMS),
    BeforeValidator(as_whole),
    must_be(f"a whole number from {FEWEST_ITEMS} to {MOST_ITEMS}: no verdict is given on fewer"),
]
_Share = Annotated[float, Field(ge=0, le=1), must_be("a number from 0 to 1")]


class _RuleMembers(TypedDict, total=False):
    __pydantic_config__ = strict()  # type: ignore[misc]
    metric: Required[Annotated[str, Field(pattern=_METRIC), must_be("a metric's name such as mos/dnsmos_ovrl")]]
    not_worse_by: _Amount
    better_by: _Amount
    scope: Annotated[
        str, Field(pattern=_SCOPE), AfterValidator(_scope), must_be("overall, each_emotion, emotion/NAME or the like")
    ]
    direction: Annotated[Literal["higher", "lower"], AfterValidator(Direction), must_be("higher or lower")]
    fewest_items: _FewestItems
    unscored_at_most: _Share
    if_covered: Annotated[bool, must_be("true or false")]


class _RulesMembers(TypedDict, total=False):
    __pydantic_config__ = strict()  # type: ignore[misc]
    schema: Required[Annotated[int, Field(ge=SCHEMA, le=SCHEMA), BeforeValidator(as_whole), must_be(str(SCHEMA))]]
    confidence: Annotated[float, Field(ge=0.8, le=0.999), must_be("a number from 0.8 to 0.999")]
    fewest_items: _FewestItems
    unscored_at_most: _Share
    rule: Required[Annotated[list[Any], few(f"at least one rule, at most {MOST_RULES}", 1, MOST_RULES)]]


_RULE, _RULES = MappingShape(_RuleMembers), MappingShape(_RulesMembers)


def read_rules(document: object, at: str = "", metrics: Collection[str] | None = None) -> Rules:
    """Return the rules in a document of JSON types. ``at``: pointer to it, if it is part of a larger document.
    ``metrics``: the names that there are; by default any name is taken.

    Raises `RulesInvalid` with everything that is wrong.
    """
    head, faults = _RULES.read(document)
    limits = {name: head[name] for name in _LIMITS if name in head} if head else {}
    rows = document.get("rule") if isinstance(document, dict) else None
    specs: dict[tuple[str, ...], tuple[int, RuleSpec]] = {}
    for index, row in enumerate(rows if isinstance(rows, list) and len(rows) <= MOST_RULES else []):
        spec, wrong = _rule(row, limits)
        if spec is not None and metrics is not None:
            wrong += _unknown(spec.metric, metrics)
        if spec is not None:
            first, _ = specs.setdefault((spec.metric, spec.scope, spec.demand), (index, spec))
            if first != index:
                wrong.append(((), f"rule {first} demands the same of {spec.metric} in {spec.scope}"))
        faults += [(("rule", index, *loc), what) for loc, what in wrong]
        if len(faults) > MOST_FAULTS:
            break
    if head is None or faults:
        raise RulesInvalid([FieldError(at + pointer(loc), what) for loc, what in faults])
    return Rules(tuple(spec for _, spec in specs.values()), head.get("confidence", CONFIDENCE))


def _unknown(metric: str, metrics: Collection[str]) -> list[tuple[Loc, str]]:
    """A rule about a metric that does not exist decides nothing, and nobody would notice."""
    name = metric.removeprefix(COVERAGE)
    if name in metrics:
        return []
    return [(("metric",), f"there is no metric {name}{did_you_mean(name, metrics)}")]


def _rule(row: Any, limits: Mapping[str, Any]) -> tuple[RuleSpec | None, list[tuple[Loc, str]]]:
    """Return the rule, and what is wrong with it. ``limits``: those of a rule that says none."""
    said, faults = _RULE.read(row)
    if not isinstance(row, dict):
        return None, faults
    metric, amounts = row.get("metric"), [name for name in _AMOUNTS if name in row]
    if len(amounts) != 1:
        faults.append(((), "a rule says exactly one of not_worse_by and better_by"))
    for name in amounts:
        if isinstance(row[name], str) and isinstance(metric, str) and metric.startswith(COVERAGE):
            faults.append(((name,), "coverage is a share and has no noise floor: state its amount as a number"))
    if said is None or faults:
        return None, faults
    said |= {"demand": "better" if "better_by" in said else "not_worse", "amount": said.pop(amounts[0])}
    return RuleSpec(**{**limits, **said}), []
