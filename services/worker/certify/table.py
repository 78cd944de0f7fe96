"""A certificate or a comparison as Markdown for a release note: function, output, speed.

Owns what is shown and its wording. Computes nothing but medians and ratios.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from services.worker.certify.certificate import HERE, Certificate, CertificateEntry, CertifyOutcome
from services.worker.certify.comparing import TakePair, TakesCompared
from services.worker.certify.conditions import in_words
from services.worker.certify.tiers import Tier, TierDifference
from shared.machine.environment import comparable

NAMES: Mapping[Tier, str] = {
    Tier.EQUAL: "equal PCM",
    Tier.TOLERABLE: "within 2 LSB",
    Tier.SAME_SOUND: "the same sound",
    Tier.DIFFERENT: "different",
}
_SPEED: Sequence[tuple[str, str, str]] = (
    ("start_s", "start of a host, loaded", "s"),
    ("first_response_s", "first response, first time", "s"),
    ("first_response_warm_s", "first response, warm", "s"),
    ("steady_s", "an item, warm", "s"),
    ("rtf", "real-time factor, warm", "x"),
    ("peak_rss_mb", "peak memory", "MB"),
    ("peak_vram_mb", "peak GPU memory", "MB"),
)
"""Timing, its name, its unit. The median over the items is shown, and for memory the maximum."""
_SHORT = 12
_UNKNOWN = "-"
_LEGEND = f"tiers: {', '.join(f'{int(tier)} {name}' for tier, name in NAMES.items())}"


def of_certificate(certificate: Certificate) -> str:
    """Return a certificate as Markdown: function, output under each condition, speed."""
    conditions = list(dict.fromkeys(name for entry in certificate.entries for name in entry.conditions))
    output = [
        [entry.id, *(_outcome(entry.conditions.get(name)) for name in conditions), f"{entry.clip.duration_s:.2f}"]
        for entry in certificate.entries
    ]
    return "\n".join(
        [
            f"## {certificate.pin}: {_verdict(certificate.tier, len(certificate.entries))}",
            *_section(["function", _place(certificate)], _function([certificate])),
            *_section(["output", *(in_words(name) for name in conditions), "s"], output),
            *_section(["speed", "", ""], _speed([certificate])),
            *_notes([f"{_LEGEND}; each is compared with the item's reference, which a new host spoke first and alone"]),
            *_notes(f"{in_words(name)}: skipped: {why}" for name, why in certificate.skipped.items()),
            *_notes(f"{name} was not spoken: {why}" for name, why in certificate.unspoken.items()),
            *_notes(_failures(certificate.entries)),
        ]
    )


def of_comparison(comparison: TakesCompared, names: Sequence[str] | None = None) -> str:
    """Return a comparison as Markdown: function, output and speed side by side. ``names``: headings of the two;
    default: where each was made."""
    both = [comparison.one, comparison.other]
    named = names or [one.where for one in both]
    sides = [f"{place}: {name}" for place, name in zip(("first", "second"), named, strict=True)]
    heading = ["output", "tier", "first sample", "LSB at most", "SNR dB", "log-mel dB", "longer by s"]
    return "\n".join(
        [
            f"## {comparison.one.pin} and {comparison.other.pin}: {_verdict(comparison.tier, len(comparison.pairs))}",
            *_section(["function", *sides], [*_made(both), *_function(both)]),
            *_section(heading, [_pair(pair) for pair in comparison.pairs]),
            *_section(["speed", *sides, "second / first", ""], _speed(both)),
            *_notes([_LEGEND]),
            *_notes(_of_servers(both)),
            *_notes(
                f"{side}: {failure}"
                for side, one in zip(sides, both, strict=True)
                for failure in _failures(one.entries)
            ),
            *_notes(f"{pair.id}: {pair.why}" for pair in comparison.pairs if pair.why),
            *_notes(_unheard(comparison, sides)),
            *_notes(_used_otherwise(comparison.pairs)),
        ]
    )


def _verdict(tier: Tier | None, items: int) -> str:
    if tier is None:
        return "no verdict: some items were not spoken or could not be compared"
    return f"{_tier(tier)} ({items} {'item' if items == 1 else 'items'})"


def _tier(tier: Tier | None) -> str:
    return "no verdict" if tier is None else f"tier {int(tier)}, {NAMES[tier]}"


def _section(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_line(heading), _line(["---"] * len(heading)), *map(_line, rows)]
    return ["", *lines]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _notes(lines: Iterable[str]) -> list[str]:
    found = [f"* {' '.join(line.split())}" for line in lines]
    return ["", *found] if found else []


def _made(certificates: Sequence[Certificate]) -> list[list[str]]:
    return [["spoken", *(one.where for one in certificates)], ["made at", *(one.made_at for one in certificates)]]


def _function(certificates: Sequence[Certificate]) -> list[list[str]]:
    rows = [["pin", *(one.pin for one in certificates)], ["lock", *(one.lock_sha256[:_SHORT] for one in certificates)]]
    manifests = [one.manifest for one in certificates]
    rows += [[what, *(_fact(one.get(name)) for one in manifests)] for name, what in _FACTS.items()]
    rows += [[name, *_counted([one.get(name) or () for one in manifests])] for name in _LISTS]
    controls: list[Mapping[str, Any]] = [one.get("controls", {}) for one in manifests]
    names = dict.fromkeys(name for one in controls for name in one)
    rows += [[name, *(str(one.get(name, "unsupported")) for one in controls)] for name in names]
    rows += _host_environment([one.environment for one in certificates])
    rows.append(
        ["suite", *(" ".join(str(one.suite.get(name, "")) for name in ("name", "version")) for one in certificates)]
    )
    rows.append(["seed", *(str(one.seed) for one in certificates)])
    return [*rows, ["spoken again", *(_tier(one.tier) for one in certificates)]]


def _counted(lists: Sequence[Collection[str]]) -> list[str]:
    """Return how many each has, and how many of them the other lacks, since equal counts may be of different
    members."""
    shared = set.intersection(*map(set, lists))
    own = [len({*one} - shared) for one in lists]
    return [
        f"{len(one)}, {more} of them only here" if more else str(len(one)) for one, more in zip(lists, own, strict=True)
    ]


_FACTS: Mapping[str, str] = {
    "engine": "engine",
    "engine_version": "engine version",
    "sample_rate": "sample rate, Hz",
    "max_batch": "texts at once",
}
_LISTS = ("languages", "voices", "emotions")
_ALWAYS = ("device", "os", "cpu", "python")
"""Shown even if they are equal. Of a server, only what can change a sample is known."""


def _host_environment(environments: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the rows for the places of both, and for what else differs."""
    environments = [{**comparable(one), **one} for one in environments]
    names = dict.fromkeys([*_ALWAYS, *(name for one in environments for name in one)])
    said = [[name, *(_fact(one.get(name)) for one in environments)] for name in names if name != "libraries"]
    libraries = dict.fromkeys(name for one in environments for name in one.get("libraries", {}))
    said += [[name, *(_fact(one.get("libraries", {}).get(name)) for one in environments)] for name in libraries]
    return [row for row in said if row[0] in _ALWAYS or len({*row[1:]} - {_UNKNOWN}) > 1]


def _fact(value: object) -> str:
    if value is None:
        return _UNKNOWN
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _outcome(outcome: CertifyOutcome | None) -> str:
    if outcome is None:
        return "-"
    return "failed" if outcome.difference is None else str(int(outcome.difference.tier)) + _apart(outcome.difference)


def _apart(found: TierDifference) -> str:
    if found.tier is Tier.EQUAL:
        return ""
    snr = "" if found.snr_db is None else f", SNR {found.snr_db:.0f} dB"
    return f" ({found.log_mel_db:.1f} dB{snr})"


def _pair(pair: TakePair) -> list[str]:
    if (found := pair.difference) is None:
        return [pair.id, "-", "-", "-", "-", "-", "-"]
    samples = ["" if value is None else str(value) for value in (found.first_sample, found.max_lsb)]
    snr = "" if found.snr_db is None else f"{found.snr_db:.1f}"
    return [pair.id, str(int(found.tier)), *samples, snr, f"{found.log_mel_db:.1f}", f"{found.shift_s:+.3f}"]


def _speed(certificates: Sequence[Certificate]) -> list[list[str]]:
    rows = []
    for name, what, unit in _SPEED:
        values = [_of_items(one.entries, name) for one in certificates]
        if any(value is not None for value in values):
            cells = ["-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}" for value in values]
            rows.append([what, *cells, *([_ratio(values)] if len(values) > 1 else []), unit])
    return rows


def _of_items(entries: Iterable[CertificateEntry], name: str) -> float | None:
    found = [entry.timings[name] for entry in entries if name in entry.timings]
    if not found:
        return None
    return max(found) if name.startswith("peak") else median(found)


def _ratio(values: Sequence[float | None]) -> str:
    first, second = values
    return f"{second / first:.2f}" if first and second is not None else "-"


def _of_servers(certificates: Iterable[Certificate]) -> Iterable[str]:
    if any(one.where != HERE for one in certificates):
        yield "first response: here, the time to the first piece; on a gateway, the time to the whole clip"


def _failures(entries: Iterable[CertificateEntry]) -> Iterable[str]:
    for entry in entries:
        for name, outcome in entry.conditions.items():
            if outcome.failure is not None:
                yield f"{entry.id}, {in_words(name)}: {outcome.failure}"


def _unheard(comparison: TakesCompared, sides: Sequence[str]) -> Iterable[str]:
    if comparison.unheard:
        both = (comparison.one, comparison.other)
        without = [side for side, one in zip(sides, both, strict=True) if _lacks_audio(one)]
        yield (
            f"{len(comparison.unheard)} of {len(comparison.pairs)} items are in tier 2 by their fingerprints. Whether"
            f" they are in tier 1 cannot be said: no samples from {' and '.join(without)} (--with-audio)"
        )


def _lacks_audio(certificate: Certificate) -> bool:
    return any(entry.clip.pcm is None for entry in certificate.entries)


def _used_otherwise(pairs: Iterable[TakePair]) -> Iterable[str]:
    for pair in pairs:
        if pair.used_otherwise:
            yield f"{pair.id}: the pins have other defaults for {json.dumps(pair.used_otherwise)[1:-1]}"


def _place(certificate: Certificate) -> str:
    return f"{certificate.where}, {certificate.made_at}"
