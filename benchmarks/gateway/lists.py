"""What a page of jobs costs among a million finished ones, to what it costs among a thousand: each filter, and several.

Both databases are PostgreSQL's, made and dropped here; pages are asked of the store as the gateway does, of both in
turns, and the best of many is compared. Seeding takes some minutes and about 2 GB.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.harness.deployments import throw_away_database
from benchmarks.harness.many_jobs import FEW, OTHER_PIN, PIN, RARE_PIN, USER, add_finished, created_at
from benchmarks.harness.progress import say
from shared.jobs import FacetStatus, Status
from shared.ports import JobFilter
from shared.store.sql import Database, SqlJobStore, migrate

THOUSAND, MILLION = 1000, 1_000_000
ROUNDS = 250
_PAGE = 51


def filters(count: int) -> Mapping[str, Mapping[str, Any]]:
    """What is asked for of ``count`` jobs, by name; a name finds as many among any number, unless a page is full."""
    middle, begin = created_at(count // 2), created_at(FEW - 1)
    found: dict[str, Mapping[str, Any]] = {"all": {}}
    found |= {f"status {status}": {"status": status} for status in Status}
    for facet in ("scoring", "tracking"):
        found |= {f"{facet} {status}": {facet: status} for status in FacetStatus}
    found |= {f"pin {pin}": {"pin": pin} for pin in (PIN, OTHER_PIN, RARE_PIN, "absent")}
    found |= {
        "created before the middle": {"created_before": middle},
        "created before all others": {"created_before": begin},
        "created after the middle": {"created_after": middle},
        "created after all others": {"created_after": created_at(count - FEW)},
        "created between": {"created_after": begin, "created_before": middle},
        "metadata of all": {"metadata": {"team": "voice"}},
        "metadata of the newest": {"metadata": {"batch": str(count - 1)}},
        "metadata of the oldest": {"metadata": {"batch": "0"}},
        "metadata of none": {"metadata": {"batch": "absent"}},
    }
    return {**found, **_several(middle, begin)}


def _several(middle: float, begin: float) -> Mapping[str, Mapping[str, Any]]:
    oldest = {"batch": "0"}
    return {
        "failed, pin": {"status": Status.FAILED, "pin": PIN},
        "failed, pin of few": {"status": Status.FAILED, "pin": RARE_PIN},
        "succeeded, pin of few": {"status": Status.SUCCEEDED, "pin": RARE_PIN},
        "failed, scored: none of many": {"status": Status.FAILED, "scoring": FacetStatus.DONE},
        "expired before the middle": {"status": Status.EXPIRED, "created_before": middle},
        "tracking failed, all metadata": {"tracking": FacetStatus.FAILED, "metadata": {"team": "voice"}},
        "two pairs of metadata": {"metadata": {"team": "voice", **oldest}},
        "succeeded, scored, tracked": {
            "status": Status.SUCCEEDED,
            "scoring": FacetStatus.DONE,
            "tracking": FacetStatus.DONE,
        },
        "expired, pin, metadata": {"status": Status.EXPIRED, "pin": RARE_PIN, "metadata": oldest},
        "failed, pin, before": {"status": Status.FAILED, "pin": OTHER_PIN, "created_before": begin},
    }


def measure() -> dict[str, float | None]:
    """The worst ratio, what the slowest page takes among a million, in ms; ``None`` without a PostgreSQL."""
    with ExitStack() as made:
        stores = []
        for count in (THOUSAND, MILLION):
            url = made.enter_context(throw_away_database())
            if url is None:
                say("lists: no PostgreSQL is reachable")
                return {"worst_ratio": None, "slowest_ms": None}
            stores.append((count, made.enter_context(_filled(url, count))))
        measured = _best(stores)
    for name, (few, many) in sorted(measured.items(), key=lambda entry: entry[1][1] / entry[1][0]):
        say(f"lists: {name:30} {few * 1e3:6.2f} ms  {many * 1e3:6.2f} ms  {many / few:5.2f} x")
    return {
        "worst_ratio": max(many / few for few, many in measured.values()),
        "slowest_ms": max(many for _, many in measured.values()) * 1e3,
    }


@contextmanager
def _filled(url: str, count: int) -> Iterator[SqlJobStore]:
    database = Database(url)
    migrate(database)
    say(f"lists: seeding {count:,} jobs ...")
    add_finished(database, count)
    try:
        yield SqlJobStore(database)
    finally:
        database.close()


def _best(stores: Sequence[tuple[int, SqlJobStore]]) -> dict[str, tuple[float, float]]:
    """Seconds of the best page of each store by name. All take turns, so that what else the machine does meets all."""
    asked = [
        (name, number, store, JobFilter(USER, limit=_PAGE, **wanted))
        for number, (count, store) in enumerate(stores)
        for name, wanted in filters(count).items()
    ]
    asked.sort(key=lambda one: one[:2])
    best: dict[str, list[float]] = {name: [float("inf")] * len(stores) for name, *_ in asked}
    for _ in range(ROUNDS):
        for name, number, store, wanted in asked:
            began = time.perf_counter()
            store.find(wanted)
            best[name][number] = min(best[name][number], time.perf_counter() - began)
    return {name: (few, many) for name, (few, many) in best.items()}
