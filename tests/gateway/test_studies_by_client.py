"""The client's evaluations, comparisons and gates are the gateway's, and what a scorer hands in is what it reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from ringtrue import AsyncRingtrue, Evaluation, InvalidRequest, NotFound, StudyTimedOut
from services.gateway.app import create_app
from services.scorer.analysis.comparison.result import (
    ComparisonResult,
    Estimate,
    GateResult,
    MetricRow,
    RuleResult,
    SetupDifference,
    Side,
)
from tests.gateway.evaluating import SCORED, SUITE, finish, item, perform
from tests.gateway.place import RICH, Place, opened

pytestmark = pytest.mark.anyio
GAIN = Estimate(0.35, 0.1, 0.6)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with opened(tmp_path) as place:
        yield place


@pytest.fixture
async def ringtrue(place: Place) -> AsyncIterator[AsyncRingtrue]:
    transport = httpx.ASGITransport(create_app(place.gateway), raise_app_exceptions=False)
    async with AsyncRingtrue("http://127.0.0.1", transport=transport) as ringtrue:
        yield ringtrue


async def two(ringtrue: AsyncRingtrue) -> list[Evaluation]:
    return [await ringtrue.evaluations.create(pin=RICH.pin, suite=item(), seeds=[seed]) for seed in (0, 1)]


def compared() -> ComparisonResult:
    """As a scorer hands it in."""
    sides = [Side(f"eval_{n}", RICH.pin, "rich", "ab" * 32, "MIT", (n,), 1, 0, 0, ("env",)) for n in (0, 1)]
    rows = tuple(
        MetricRow("mos/nisqa", "MOS", "higher", scope, False, 1, 1.0, 1, 1, {}, {"too_short": 1}, 3.5, 3.85, GAIN, GAIN)
        for scope in ("overall", "emotion/happy")
    )
    differs = (
        SetupDifference("seeds", "0", "1", blocks=True, allowed=True),
        SetupDifference("commit", "a", "b", blocks=False),
    )
    return ComparisonResult("cmp_1", *sides, "ours", "1", "cd" * 32, "none", 1, rows, differs, "better", {}, {})


async def test_an_evaluation_is_asked_for_watched_and_read(place: Place, ringtrue: AsyncRingtrue) -> None:
    asked = await ringtrue.evaluations.create(
        pin=RICH.pin, suite=SUITE, seeds=2, score=("signal",), params={"speed": 1.5}
    )
    assert (asked.status, asked.pin.name, asked.suite.items, asked.seeds) == ("running", RICH.pin, 3, (0, 1))
    assert (asked.progress.clips, asked.standing) == (6, "0 of 6 spoken, 0 scored")
    perform(place, 6)
    finish(place, {**SCORED, "files": {"items.jsonl": place.blobs.put(b"{}\n")}})
    seen: list[Evaluation] = []
    done = await ringtrue.evaluations.wait(asked, watcher=seen.append)
    assert seen[-1] == done
    assert done.succeeded
    assert done.result is not None
    assert (done.result.metrics["mos/nisqa"].mean, done.result.noise["mos/nisqa"].run_to_run) == (3.9, 0.1)
    assert await ringtrue.evaluations.file(done, "items.jsonl") == b"{}\n"


@pytest.mark.parametrize("ending", [".jsonl", ".JSONL"])
async def test_a_suite_is_read_from_its_file(ringtrue: AsyncRingtrue, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"ours{ending}"
    head = {name: value for name, value in SUITE.items() if name != "items"}
    file.write_text("\n".join(json.dumps(line) for line in (head, *SUITE["items"])))  # type: ignore[misc]
    from_file = await ringtrue.evaluations.create(pin=RICH.pin, suite=file)
    assert from_file.suite == (await ringtrue.evaluations.create(pin=RICH.pin, suite=SUITE)).suite


async def test_what_is_wrong_with_a_file_is_told_by_line(ringtrue: AsyncRingtrue, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("schema: 1\nname: Ours!\n")
    with pytest.raises(InvalidRequest) as refusal:
        await ringtrue.evaluations.create(pin=RICH.pin, suite=tmp_path / "ours.yaml")
    assert refusal.value.code == "suite_invalid"
    assert any(error.detail.startswith("line 2: name") for error in refusal.value.errors)


async def test_who_has_waited_long_enough_is_told_how_it_stands(ringtrue: AsyncRingtrue) -> None:
    asked = await ringtrue.evaluations.create(pin=RICH.pin, suite=item())
    with pytest.raises(StudyTimedOut, match="0 of 1 spoken") as timed_out:
        await ringtrue.evaluations.wait(asked, timeout=0.1)
    assert timed_out.value.study.id == asked.id


async def test_an_evaluation_is_canceled(ringtrue: AsyncRingtrue) -> None:
    asked = await ringtrue.evaluations.create(pin=RICH.pin, suite=item())
    assert (await ringtrue.evaluations.cancel(asked)).status == "canceled"
    assert (await ringtrue.evaluations.wait(asked)).finished


async def test_lists_go_on_over_their_pages(ringtrue: AsyncRingtrue) -> None:
    ids = [(await ringtrue.evaluations.create(pin=RICH.pin, suite=item())).id for _ in range(51)]
    assert [one.id async for one in ringtrue.evaluations.all(suite="ours")] == ids[::-1]
    assert [one async for one in ringtrue.evaluations.all(pin="another")] == []


async def test_a_comparison_and_its_gate_are_asked_for_at_once_and_read(place: Place, ringtrue: AsyncRingtrue) -> None:
    sides = await two(ringtrue)
    comparison = await ringtrue.comparisons.create(*sides, allow=["seeds"])
    gate = await ringtrue.gates.create(comparison)
    assert (comparison.status, gate.status, gate.verdict) == ("waiting", "waiting", None)
    perform(place, 2)
    finish(place, SCORED)
    finish(place, SCORED)
    finish(place, {"comparison": compared().to_json(), "files": {"report.html": place.blobs.put(b"<h1>")}})
    judged = RuleResult(
        "mos/nisqa", "overall", "not_worse", 0.1, "absolute", "higher", "pass", "it is", gain=GAIN, n=12
    )
    verdict = GateResult("gate_1", comparison.id, RICH.pin, RICH.pin, "ours", "pass", "it passes", (judged,))
    finish(place, {"gate": verdict.to_json(), "files": {}})

    done = await ringtrue.comparisons.wait(comparison)
    assert [asdict(row) for row in done.rows] == [
        {name: value for name, value in asdict(row).items() if name in done.rows[0].__slots__}
        for row in compared().rows
    ]
    assert [row.scope for row in done.of("emotion")] == ["emotion/happy"]
    assert [one.what for one in done.allowed] == ["seeds"]
    assert await ringtrue.comparisons.report(done) == b"<h1>"
    decided = await ringtrue.gates.wait(gate)
    assert (decided.verdict, decided.headline, decided.judged[0].outcome) == ("pass", "it passes", "pass")
    assert decided.judged[0].gain is not None
    assert decided.judged[0].gain.low == 0.1


async def test_rules_are_sent_as_a_file_or_as_json(ringtrue: AsyncRingtrue, tmp_path: Path) -> None:
    comparison = await ringtrue.comparisons.create(*await two(ringtrue))
    (tmp_path / "gate.toml").write_text(await ringtrue.gates.default_rules())
    from_file = await ringtrue.gates.create(comparison, rules=tmp_path / "gate.toml")
    assert from_file.rules == (await ringtrue.gates.create(comparison.id)).rules
    assert from_file.rules == (await ringtrue.gates.create(comparison, rules=from_file.rules)).rules


async def test_what_is_not_there_is_not_found(ringtrue: AsyncRingtrue) -> None:
    for kind in (ringtrue.evaluations, ringtrue.comparisons, ringtrue.gates):
        with pytest.raises(NotFound):
            await kind.get("eval_1")  # type: ignore[attr-defined]


async def test_both_pins_may_be_asked_for_at_the_same_time(ringtrue: AsyncRingtrue) -> None:
    asked = [ringtrue.evaluations.create(pin=RICH.pin, suite="golden-long") for _ in range(4)]
    assert len({one.id for one in await asyncio.gather(*asked)}) == 4
