"""The metric families: what each one is, and where its code is, as a string that is imported on demand.

A family is a row here, its facts in infos.py, a file or folder, and the suite in tests/scorer/metrics. Knows no model
library: reading this table is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from services.scorer.metrics import infos
from shared.scores import MetricInfo

TABLE = __name__
"""Name of this module; a host may be given another one with `FAMILIES` of its own."""


@dataclass(frozen=True, slots=True)
class Family:
    """One row. ``code``: ``module:class``, the class taking the host's `Instruments`, a `Metric`."""

    info: MetricInfo
    code: str


_HERE = "services.scorer.metrics"

FAMILIES: Mapping[str, Family] = {
    family.info.family: family
    for family in (
        Family(infos.COST, f"{_HERE}.cost:Cost"),
        Family(infos.SIGNAL, f"{_HERE}.signal:Signal"),
        Family(infos.PROSODY, f"{_HERE}.prosody:Prosody"),
        Family(infos.NISQA_TTS, f"{_HERE}.nisqa.metric:NisqaTts"),
        Family(infos.NISQA, f"{_HERE}.nisqa.metric:Nisqa"),
        Family(infos.SPEAKER, f"{_HERE}.speaker.metric:Speaker"),
        Family(infos.DNSMOS, f"{_HERE}.dnsmos.metric:Dnsmos"),
        Family(infos.SPEAKER_WAVLM, f"{_HERE}.speaker.wavlm:SpeakerWavlm"),
        Family(infos.ASR, f"{_HERE}.asr:Asr"),
        Family(infos.SEMANTIC, f"{_HERE}.semantic:Semantic"),
        Family(infos.UTMOS, f"{_HERE}.utmos:Utmos"),
        Family(infos.EMOTION, f"{_HERE}.emotion.metric:Emotion"),
        Family(infos.FUNASR, f"{_HERE}.funasr.metric:FunasrRecogniser"),
        Family(infos.WHISPER, f"{_HERE}.whisper.metric:Whisper"),
        Family(infos.SEMANTIC_MULTILINGUAL, f"{_HERE}.semantic_multilingual:SemanticMultilingual"),
    )
}
"""Cheap ones first: they are measured in this order."""


def families_of(table: str) -> Mapping[str, Family]:
    """The `FAMILIES` of the module named ``table``."""
    return cast("Mapping[str, Family]", import_module(table).FAMILIES)
