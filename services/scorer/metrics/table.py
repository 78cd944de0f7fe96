"""The table of metric families: the facts of each, and where its code is, as a string that is imported on demand.

A family is a row here, its facts in shared/metrics.py, a file or folder, and the suite in tests/scorer/metrics. Knows
no model library: reading this table is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from shared.metrics import METRICS
from shared.scores import MetricInfo

TABLE = __name__
"""The name of this module. A host may be given another one with its own `FAMILIES`."""


@dataclass(frozen=True, slots=True)
class Family:
    """One row. ``code`` is ``module:class``; the class is a `Metric` and takes the host's `Instruments`."""

    info: MetricInfo
    code: str


_CODE: Mapping[str, str] = {
    "cost": "cost:Cost",
    "signal": "signal:Signal",
    "prosody": "prosody:Prosody",
    "nisqa_tts": "nisqa.metric:NisqaTts",
    "nisqa": "nisqa.metric:Nisqa",
    "speaker": "speaker.metric:Speaker",
    "dnsmos": "dnsmos.metric:Dnsmos",
    "speaker_wavlm": "speaker.wavlm:SpeakerWavlm",
    "asr": "asr:Asr",
    "semantic": "semantic:Semantic",
    "utmos": "utmos:Utmos",
    "emotion": "emotion.metric:Emotion",
    "funasr": "funasr.metric:FunasrRecogniser",
    "whisper": "whisper.metric:Whisper",
    "semantic_multilingual": "semantic_multilingual:SemanticMultilingual",
}
"""For each family, the module in this package and the class."""

FAMILIES: Mapping[str, Family] = {name: Family(info, f"{__package__}.{_CODE[name]}") for name, info in METRICS.items()}
"""The families in the order in which they are measured."""


def families_of(table: str) -> Mapping[str, Family]:
    """Return the `FAMILIES` of the module named ``table``."""
    return cast("Mapping[str, Family]", import_module(table).FAMILIES)
