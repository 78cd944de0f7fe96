"""Gates: rules, held against a comparison. The words, and both clients' ``gates``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringtrue.comparisons import Comparison, Range
from ringtrue.jobs import Json
from ringtrue.studies import AsyncStudies, Studies, Study, StudyFlows, as_sent, common

PATH = "/v1/gates"
JUNIT, SUMMARY, REPORT = "junit.xml", "summary.md", "report.html"
DEFAULT_RULES = "default-rules"

Rules = Path | Mapping[str, Any]
"""A ``gate.toml``, or the same as JSON."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule came to in one scope. ``gain``: positive is better."""

    metric: str
    scope: str
    outcome: str
    """pass, fail, inconclusive, not_applicable."""
    why: str
    gain: Range | None
    threshold: float | None
    n: int
    n_needed: int | None
    """Items that would settle it, where it is inconclusive."""

    @classmethod
    def from_json(cls, data: Json) -> Judged:
        plain = {name: data[name] for name in cls.__slots__ if name != "gain"}
        return cls(**plain, gain=Range.from_json(data["gain"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Study):
    """A gate as it stands. Without ``judged`` until its verdict is there, and in lists."""

    comparison: str
    """Id of the comparison."""
    rules: Json
    """Every default filled in."""
    verdict: str | None
    """pass, fail or inconclusive."""
    headline: str | None
    judged: tuple[Judged, ...]
    files: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Json) -> Gate:
        result = data.get("result") or {}
        return cls(
            **common(data),
            comparison=data["comparison"],
            rules=data["rules"],
            verdict=data["verdict"],
            headline=data["headline"],
            judged=tuple(Judged.from_json(one) for one in result.get("judged", ())),
            files=tuple(data["files"]),
        )


def flows(patience_s: float) -> StudyFlows[Gate]:
    """The operations as flows."""
    return StudyFlows(PATH, Gate.from_json, patience_s)


class Gates(Studies[Gate]):
    """``Ringtrue.gates``."""

    def create(
        self, comparison: Comparison | str, *, rules: Rules | None = None, idempotency_key: str | None = None
    ) -> Gate:
        """Hold rules (default: those that ship) against a comparison, once it is over."""
        return self._run(self._does.create(_body(comparison, rules), idempotency_key))

    def default_rules(self) -> str:
        """The rules that ship, as a ``gate.toml`` to start one's own from."""
        return self._run(self._does.text(DEFAULT_RULES))


class AsyncGates(AsyncStudies[Gate]):
    """``AsyncRingtrue.gates``; `Gates` says what each method does."""

    async def create(
        self, comparison: Comparison | str, *, rules: Rules | None = None, idempotency_key: str | None = None
    ) -> Gate:
        body = await asyncio.to_thread(_body, comparison, rules)
        return await self._run(self._does.create(body, idempotency_key))

    async def default_rules(self) -> str:
        return await self._run(self._does.text(DEFAULT_RULES))


def _body(comparison: Comparison | str, rules: Rules | None) -> Mapping[str, Any]:
    named = {"comparison": comparison if isinstance(comparison, str) else comparison.id}
    return named if rules is None else {**named, "rules": as_sent(rules)}
