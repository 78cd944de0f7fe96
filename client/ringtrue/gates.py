"""Gates: rules, checked on a comparison. Their types, and ``gates`` of both clients."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringtrue.comparisons import Comparison, Range
from ringtrue.http.exchange import id_of
from ringtrue.jobs import Json
from ringtrue.studies import AsyncStudyCalls, BaseStudy, StudyCalls, StudyFlows, as_sent, common

PATH = "/v1/gates"
JUNIT, SUMMARY = "junit.xml", "summary.md"
DEFAULT_RULES = "default-rules"

Rules = Path | Mapping[str, Any]
"""A ``gate.toml``, or the same as JSON."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of one rule in one scope. ``gain``: positive is better."""

    metric: str
    scope: str
    outcome: str
    """pass, fail, inconclusive or not_applicable."""
    why: str
    gain: Range | None
    threshold: float | None
    n: int
    n_needed: int | None
    """How many items would decide it, if it is inconclusive."""

    @classmethod
    def from_json(cls, data: Json) -> Judged:
        plain = {name: data[name] for name in cls.__slots__ if name != "gain"}
        return cls(**plain, gain=Range.from_json(data["gain"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(BaseStudy):
    """A gate as it is now. ``judged`` is empty until the verdict is there, and in lists."""

    comparison: str
    """Id of the comparison."""
    rules: Json
    """With every default filled in."""
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
    """Return the operations as flows."""
    return StudyFlows(PATH, Gate.from_json, patience_s)


class Gates(StudyCalls[Gate]):
    """``Ringtrue.gates``."""

    def create(
        self, comparison: Comparison | str, *, rules: Rules | None = None, idempotency_key: str | None = None
    ) -> Gate:
        """Check rules (default: those that ship) on a comparison, once it is over."""
        return self._run(self._does.create(_body(comparison, rules), idempotency_key))

    def default_rules(self) -> str:
        """Return the default rules as a ``gate.toml``, as a start for your own."""
        return self._run(self._does.text(DEFAULT_RULES))


class AsyncGates(AsyncStudyCalls[Gate]):
    """``AsyncRingtrue.gates``; `Gates` documents each method."""

    async def create(
        self, comparison: Comparison | str, *, rules: Rules | None = None, idempotency_key: str | None = None
    ) -> Gate:
        body = await asyncio.to_thread(_body, comparison, rules)
        return await self._run(self._does.create(body, idempotency_key))

    async def default_rules(self) -> str:
        return await self._run(self._does.text(DEFAULT_RULES))


def _body(comparison: Comparison | str, rules: Rules | None) -> Mapping[str, Any]:
    named = {"comparison": id_of(comparison)}
    return named if rules is None else {**named, "rules": as_sent(rules)}
