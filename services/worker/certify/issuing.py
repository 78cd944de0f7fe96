"""From what was heard to a certificate.

Owns which difference and which times of several are put down. Knows not how anything was spoken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from services.worker.certify.certificate import Certificate, Entry, Outcome
from services.worker.certify.conditions import REFERENCE, WARM, Heard, Recital, Result
from services.worker.certify.items import Selection, asked
from services.worker.certify.tiers import Difference, Print, difference
from shared.catalog import Manifest
from shared.errors import JobFailure
from shared.suites.suite import Item


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a certificate says besides what was heard."""

    made_at: str
    where: str
    manifest: Manifest
    environment: Mapping[str, Any]
    seed: int


def issued(
    occasion: Occasion, selection: Selection, used: Mapping[str, Mapping[str, Any]], recital: Recital
) -> Certificate:
    """The certificate, samples of the references included. ``used``: what decided each item's sound, by its id.

    Raises the first `JobFailure` where no item was spoken.
    """
    firsts = {item.id: recital.heard[REFERENCE][item.id][0] for item in selection.items}
    failures = {id_: first for id_, first in firsts.items() if isinstance(first, JobFailure)}
    if len(failures) == len(firsts):
        raise next(iter(failures.values()))
    unspoken = {**selection.unspeakable, **{id_: said(failure) for id_, failure in failures.items()}}
    suite = selection.suite
    return Certificate(
        made_at=occasion.made_at,
        where=occasion.where,
        manifest=occasion.manifest.to_json(),
        environment={**occasion.environment, **recital.surroundings},
        suite={"name": suite.name, "version": suite.version, "sha256": suite.sha256},
        seed=occasion.seed,
        entries=tuple(
            _entry(item, occasion.seed, used[item.id], recital) for item in selection.items if item.id not in unspoken
        ),
        unspoken=unspoken,
        skipped=recital.skipped,
    )


def said(failure: JobFailure) -> str:
    """Code and message."""
    return f"{failure.code.value}: {failure.message}"


def _entry(item: Item, seed: int, used: Mapping[str, Any], recital: Recital) -> Entry:
    first = recital.heard[REFERENCE][item.id][0]
    assert isinstance(first, Heard), "it was spoken"
    clip = Print.of(first.audio)
    conditions = {
        condition: _outcome(clip, of[item.id])
        for condition, of in recital.heard.items()
        if condition != REFERENCE and item.id in of
    }
    again = [one for one in recital.heard.get(WARM, {}).get(item.id, []) if isinstance(one, Heard)]
    return Entry(item.id, asked(item, seed), used, clip, _timings(first, again), conditions)


def _outcome(clip: Print, results: Sequence[Result]) -> Outcome:
    failures = [result for result in results if isinstance(result, JobFailure)]
    if failures:
        return Outcome(failure=said(failures[0]))
    heard = [result for result in results if isinstance(result, Heard)]
    return Outcome(tuple(one.audio.sha256 for one in heard), _furthest(clip, heard))


def _furthest(clip: Print, heard: Iterable[Heard]) -> Difference:
    clips = {one.audio.sha256: one.audio for one in heard}
    found = [difference(clip, Print.of(audio)) for audio in clips.values()]
    return max(found, key=lambda one: (one.tier, one.max_lsb or 0, one.log_mel_db))


def _timings(first: Heard, again: Sequence[Heard]) -> dict[str, float]:
    everything = [first, *again]
    said = {"first_response_s": first.first_s}
    if first.start_s is not None:
        said["start_s"] = first.start_s
    if again:
        said["first_response_warm_s"] = median(one.first_s for one in again)
        said["steady_s"] = median(one.took_s for one in again)
        said["rtf"] = said["steady_s"] / first.audio.duration_s
    peaks = {
        "peak_rss_mb": max(one.peak.rss_mb for one in everything),
        "peak_vram_mb": max(one.peak.vram_mb for one in everything),
    }
    said |= {name: peak for name, peak in peaks.items() if peak}  # a system that does not say has none, not nothing
    return {name: round(value, 6) for name, value in said.items()}
