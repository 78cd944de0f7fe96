"""From the results of all conditions to a certificate.

Owns which difference and which timings of several are recorded. Does not know how anything was spoken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from services.worker.certify.certificate import Certificate, CertificateEntry, CertifyOutcome
from services.worker.certify.conditions import REFERENCE, WARM, RepeatRuns, Result, Take
from services.worker.certify.items import Selection, asked
from services.worker.certify.tiers import Print, TierDifference, difference
from shared.catalog import Manifest
from shared.errors import JobFailure
from shared.suites.suite import Item


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a certificate says besides the results."""

    made_at: str
    where: str
    manifest: Manifest
    environment: Mapping[str, Any]
    seed: int


def issued(
    occasion: Occasion, selection: Selection, used: Mapping[str, Mapping[str, Any]], runs: RepeatRuns
) -> Certificate:
    """Return the certificate, with the samples of the references. ``used``: what decided each item's sound, by its id.

    Raises the first `JobFailure` if no item was spoken.
    """
    firsts = {item.id: runs.heard[REFERENCE][item.id][0] for item in selection.items}
    failures = {id_: first for id_, first in firsts.items() if isinstance(first, JobFailure)}
    if len(failures) == len(firsts):
        raise next(iter(failures.values()))
    unspoken = {**selection.unspeakable, **{id_: said(failure) for id_, failure in failures.items()}}
    suite = selection.suite
    return Certificate(
        made_at=occasion.made_at,
        where=occasion.where,
        manifest=occasion.manifest.to_json(),
        environment={**occasion.environment, **runs.host_environment},
        suite={"name": suite.name, "version": suite.version, "sha256": suite.sha256},
        seed=occasion.seed,
        entries=tuple(
            _entry(item, occasion.seed, used[item.id], runs) for item in selection.items if item.id not in unspoken
        ),
        unspoken=unspoken,
        skipped=runs.skipped,
    )


def said(failure: JobFailure) -> str:
    """Return code and message of a failure."""
    return f"{failure.code.value}: {failure.message}"


def _entry(item: Item, seed: int, used: Mapping[str, Any], runs: RepeatRuns) -> CertificateEntry:
    first = runs.heard[REFERENCE][item.id][0]
    assert isinstance(first, Take), "it was spoken"
    clip = Print.of(first.audio)
    conditions = {
        condition: _outcome(clip, of[item.id])
        for condition, of in runs.heard.items()
        if condition != REFERENCE and item.id in of
    }
    again = [one for one in runs.heard.get(WARM, {}).get(item.id, []) if isinstance(one, Take)]
    return CertificateEntry(item.id, asked(item, seed), used, clip, _timings(first, again), conditions)


def _outcome(clip: Print, results: Sequence[Result]) -> CertifyOutcome:
    failures = [result for result in results if isinstance(result, JobFailure)]
    if failures:
        return CertifyOutcome(failure=said(failures[0]))
    heard = [result for result in results if isinstance(result, Take)]
    return CertifyOutcome(tuple(one.audio.sha256 for one in heard), _furthest(clip, heard))


def _furthest(clip: Print, heard: Iterable[Take]) -> TierDifference:
    clips = {one.audio.sha256: one.audio for one in heard}
    found = [difference(clip, Print.of(audio)) for audio in clips.values()]
    return max(found, key=lambda one: (one.tier, one.max_lsb or 0, one.log_mel_db))


def _timings(first: Take, again: Sequence[Take]) -> dict[str, float]:
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
    # 0 means that the system does not report it, so it is left out
    said |= {name: peak for name, peak in peaks.items() if peak}
    return {name: round(value, 6) for name, value in said.items()}
