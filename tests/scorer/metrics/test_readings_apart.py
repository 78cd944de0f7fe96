"""No two numbers, times, sums or dates that differ have a reading in common, in either language."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import pytest

from services.scorer.metrics.counting import chinese, english
from services.scorer.metrics.counting.lattice import Item

Items = Callable[[str], Sequence[Item]]
WRITTEN = {
    "numbers": [str(number) for number in (*range(10_000), *range(99_990, 100_600))],
    "decimals": [f"{whole}.{part:02}" for whole in range(120) for part in range(100)],
    "times": [f"{hour}:{minute:02}" for hour in range(24) for minute in range(60)],
    "sums": [f"${whole}.{part:02}" for whole in range(60) for part in range(100)],
    "fractions": [f"{over}/{under}" for over in range(1, 40) for under in range(2, 40)],
    "percentages": [f"{number}%" for number in range(1_000)],
}
ENGLISH = {
    "ordinals": [f"{number}th" for number in range(3_000)],
    "decades": [f"{number}s" for number in (*range(10, 100, 10), *range(1_000, 2_100, 10))],
    "dates": [f"{month} {day}" for month in ("May", "June") for day in range(1, 32)],
}
CHINESE = {"years": [f"{number}年" for number in (*range(10, 100), *range(1_000, 2_100))]}


def in_chinese(text: str) -> Sequence[Item]:
    return chinese.items(text, "zh")


CASES = [
    *((in_chinese, texts) for texts in (WRITTEN | CHINESE).values()),
    *((english.items, texts) for texts in (WRITTEN | ENGLISH).values()),
]
NAMES = [*(f"zh {name}" for name in WRITTEN | CHINESE), *(f"en {name}" for name in WRITTEN | ENGLISH)]


def readings(items: Iterable[Item]) -> set[str]:
    """Every reading without spaces, because spaces alone are no difference."""
    ways = [
        ["".join(filter(None, way)) for reading in item for way in itertools.product(*map(choices, reading))]
        for item in items
    ]
    return {"".join(way) for way in itertools.product(*ways)}


def choices(slot: str | tuple[str | None, ...]) -> tuple[str | None, ...]:
    return (slot,) if isinstance(slot, str) else slot


@pytest.mark.parametrize(("items", "texts"), CASES, ids=NAMES)
def test_a_reading_belongs_to_one_of_them(items: Items, texts: Sequence[str]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        for reading in readings(items(text)):
            found[reading].append(text)
    assert {reading: texts for reading, texts in found.items() if len(texts) > 1} == {}
    assert len(found) >= len(texts)
