"""Reads a document as rules, and collects everything that is wrong with it.

Owns what each member may be, and the messages. Does not check that a metric exists or which scopes the items have: both
are known only once there are scores.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import FieldError
from shared.gating.rules import (
    CONFIDENCE,
    COVERAGE,
    FEWEST_ITEMS,
    SCHEMA,
    UNSCORED_AT_MOST,
    RuleAmount,
    Rules,
    RulesInvalid,
    RuleSpec,
    Scale,
)
from shared.scores import Direction
from shared.values.faults import Enough, Faults
from shared.values.language_tags import tag_in
from shared.values.numbers import as_whole
from shared.values.text import shown

MOST_RULES = 100
MOST_ITEMS = 10_000
_LIMITS = ("fewest_items", "unscored_at_most")
_HEAD = ("schema", "confidence", *_LIMITS, "rule")
_AMOUNTS = ("not_worse_by", "better_by")
_RULE = ("metric", *_AMOUNTS, "scope", "direction", *_LIMITS, "if_covered")

_LARGEST = sys.float_info.max
"""TOML allows integers beyond it."""
_METRIC = re.compile(r"(coverage/)?[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.:-]*")
_SCOPE = re.compile(r"overall|each_(emotion|language|tag)|(emotion|language|tag)/[^\x00-\x1f\x7f,]{1,200}")
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?%")
_FLOORS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?floors?")


def read_rules(document: object, at: str = "") -> Rules:
    """Return the rules in a document of JSON types. ``at``: pointer to it, if it is part of a larger document.

    Raises `RulesInvalid` with everything that is wrong.
    """
    checker = _RuleChecker()
    rules = None
    with contextlib.suppress(Enough):
        rules = checker.rules(document, at)
    if rules is None or checker.errors:
        raise RulesInvalid(checker.errors)
    return rules


class _RuleChecker:
    """One pass over a document. The values that its methods return are useful only if `errors` stays empty."""

    def __init__(self) -> None:
        self.errors = Faults[FieldError]()

    def rules(self, document: object, at: str) -> Rules:
        said = self._members(document, at, _HEAD, ("schema", "rule"))
        if "schema" in said and (type(as_whole(said["schema"])) is not int or said["schema"] != SCHEMA):
            self._wrong(f"{at}/schema", f"schema is {SCHEMA}, not {shown(said['schema'])}")
        confidence = self._number(said, "confidence", at, CONFIDENCE, (0.8, 0.999))
        limits = self._limits(said, at, FEWEST_ITEMS, UNSCORED_AT_MOST)
        rows = said.get("rule", ())
        if "rule" in said and (isinstance(rows, str) or not isinstance(rows, Sequence) or not rows):
            self._wrong(f"{at}/rule", "rule is a list of at least one rule")
            return Rules(())
        if len(rows) > MOST_RULES:
            self._wrong(f"{at}/rule", f"{len(rows)} rules, at most {MOST_RULES} are taken")
            return Rules(())
        specs = tuple(self._rule(row, f"{at}/rule/{index}", limits) for index, row in enumerate(rows))
        self._each_once(specs, at)
        return Rules(specs, confidence)

    def _rule(self, document: object, at: str, defaults: tuple[int, float]) -> RuleSpec:
        said = self._members(document, at, _RULE, ("metric",))
        if not isinstance(document, Mapping):
            return RuleSpec("", "not_worse", RuleAmount(0))
        metric = self._text(said, "metric", at, _METRIC, "a metric's name such as mos/dnsmos_ovrl") or ""
        scope = self._text(said, "scope", at, _SCOPE, "overall, each_emotion, emotion/NAME or the like") or "overall"
        name, amount = self._amount(said, at)
        if metric.startswith(COVERAGE) and amount.scale != "absolute":
            self._wrong(f"{at}/{name}", "coverage is a share and has no noise floor: state its amount as a number")
        direction = said.get("direction")
        if "direction" in said and direction not in ("higher", "lower"):
            self._wrong(f"{at}/direction", f"direction is higher or lower, not {shown(direction)}")
            direction = None
        if not isinstance(if_covered := said.get("if_covered", False), bool):
            self._wrong(f"{at}/if_covered", f"if_covered is true or false, not {shown(if_covered)}")
        fewest_items, unscored_at_most = self._limits(said, at, *defaults)
        return RuleSpec(
            metric,
            "better" if name == "better_by" else "not_worse",
            amount,
            _scope(scope),
            Direction(direction) if direction else None,
            fewest_items,
            unscored_at_most,
            bool(if_covered),
        )

    def _amount(self, said: Mapping[str, Any], at: str) -> tuple[str, RuleAmount]:
        """Return which of the two demands the rule makes, and its amount."""
        names = [name for name in _AMOUNTS if name in said]
        if len(names) != 1:
            self._wrong(at, "a rule says exactly one of not_worse_by and better_by")
            return _AMOUNTS[0], RuleAmount(0)
        value = said[names[0]]
        if (amount := _amount_of(value)) is None:
            form = 'a number from 0 on, a share such as "5 %", or noise floors such as "1.5 floors"'
            self._wrong(f"{at}/{names[0]}", f"{names[0]} is {form}, not {shown(value)}")
        return names[0], amount or RuleAmount(0)

    def _limits(self, said: Mapping[str, Any], at: str, fewest: int, unscored: float) -> tuple[int, float]:
        if "fewest_items" in said:
            value = as_whole(said["fewest_items"])
            if type(value) is not int or not FEWEST_ITEMS <= value <= MOST_ITEMS:
                form = f"a whole number from {FEWEST_ITEMS} to {MOST_ITEMS}: no verdict is given on fewer"
                self._wrong(f"{at}/fewest_items", f"fewest_items is {form}, not {shown(value)}")
            else:
                fewest = value
        return fewest, self._number(said, "unscored_at_most", at, unscored, (0, 1))

    def _number(
        self, said: Mapping[str, Any], name: str, at: str, default: float, bounds: tuple[float, float]
    ) -> float:
        value = said.get(name, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]:
            return float(value)
        self._wrong(f"{at}/{name}", f"{name} is a number from {bounds[0]} to {bounds[1]}, not {shown(value)}")
        return default

    def _text(self, said: Mapping[str, Any], name: str, at: str, form: re.Pattern[str], meant: str) -> str | None:
        value = said.get(name)
        if name in said and not (isinstance(value, str) and form.fullmatch(value)):
            self._wrong(f"{at}/{name}", f"{name} is {meant}, not {shown(value)}")
            return None
        return value

    def _members(self, document: object, at: str, known: Sequence[str], required: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(document, Mapping):
            self._wrong(at, f"a mapping is needed, of {', '.join(known)}")
            return {}
        for name in document:
            if name not in known:
                pointer = str(name).replace("~", "~0").replace("/", "~1")
                self._wrong(f"{at}/{pointer}", f"nobody reads {shown(name)}; there are {', '.join(known)}")
        for name in required:
            if name not in document:
                self._wrong(at, f"{name} is missing")
        return document

    def _each_once(self, specs: Sequence[RuleSpec], at: str) -> None:
        first: dict[tuple[str, str, str], int] = {}
        for index, spec in enumerate(specs):
            known = first.setdefault((spec.metric, spec.scope, spec.demand), index)
            if known != index and spec.metric:
                self._wrong(f"{at}/rule/{index}", f"rule {known} demands the same of {spec.metric} in {spec.scope}")

    def _wrong(self, pointer: str, detail: str) -> None:
        self.errors.append(FieldError(pointer, detail))


def _scope(written: str) -> str:
    """Return the scope in the form in which a comparison names it."""
    kind, _, name = written.partition("/")
    return f"{kind}/{tag_in(name) or name.lower()}" if kind == "language" else written


def _amount_of(value: object) -> RuleAmount | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return RuleAmount(float(value)) if 0 <= value <= _LARGEST else None
    forms: tuple[tuple[re.Pattern[str], Scale, float], ...] = ((_SHARE, "relative", 100), (_FLOORS, "noise_floors", 1))
    for form, scale, parts in forms:
        if isinstance(value, str) and (found := form.fullmatch(value.strip())):
            return RuleAmount(float(found[1]) / parts, scale)
    return None
