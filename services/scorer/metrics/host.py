"""The metric host: a child process that measures one clip at a time, for as long as its parent lives.

    python -m services.scorer.metrics.host --models DIR [--lock FILE] [--funasr-python FILE] [--threads N]
        [--table MODULE]

Owns the protocol on the pipe (its frames are in shared/processes/frames.py). Requests and their answers:

    {"op": "clip", "sample_rate", "pcm_bytes", "reference_rate", "text", "language", "emotion",
        "pronunciation", "cost"} + PCM s16le of the clip, then of its reference voice if it has one (else its rate is
        null)                    -> {"op": "taken"}
    {"op": "load", "family"}     -> {"op": "loaded", "lock"} or {"op": "unavailable", "reason", "detail"}
    {"op": "measure", "family"}  -> {"op": "measured", "scores": {name: score or reason}}

Loading is a separate request, so that a cold model does not count against the deadline of a clip. Knows no deadline:
the parent kills a host that takes too long. The models that it loads, such as TorchScript files, are code or nearly
so; therefore the parent starts it in a sandbox (shared/sandbox).
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.scorer.metrics.table import TABLE, families_of
from shared.processes.frames import Frame
from shared.processes.hosting import threads
from shared.processes.serving import Served

if TYPE_CHECKING:
    from services.scorer.metrics.base import MeasuredClip
    from services.scorer.metrics.panel import Panel


log = logging.getLogger(__name__)


class Conversation:
    """Answers the parent's requests. Keeps the clip that was given last."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._clip: MeasuredClip | None = None

    def answer(self, request: Frame) -> Mapping[str, Any]:
        """Return the answer to one request. Raises `ValueError` for an unknown op: the parent is of another version."""
        header = request.header
        match header["op"]:
            case "clip":
                return self._take(request)
            case "load":
                return self._load(header["family"])
            case "measure":
                assert self._clip is not None, "a clip comes first"
                scores = self._panel.measure(header["family"], self._clip)
                return {"op": "measured", "scores": {name: scored.to_json() for name, scored in scores.items()}}
            case other:
                raise ValueError(f"unknown op {other!r}")

    def _take(self, request: Frame) -> Mapping[str, Any]:
        from services.scorer.metrics.base import MeasuredClip
        from shared.audio import Audio
        from shared.readings.pronunciation import Pronunciation

        header, pcm_bytes = request.header, request.header["pcm_bytes"]
        judged = header["pronunciation"]
        rate = header["reference_rate"]
        self._clip = MeasuredClip.of(
            Audio(bytes(request.payload[:pcm_bytes]), header["sample_rate"]),
            text=header["text"],
            language=header["language"],
            reference=None if rate is None else Audio(bytes(request.payload[pcm_bytes:]), rate),
            emotion=header["emotion"],
            pronunciation=None if judged is None else Pronunciation.from_json(judged),
            cost=header["cost"],
        )
        return {"op": "taken"}

    def _load(self, family: str) -> Mapping[str, Any]:
        from services.scorer.metrics.panel import MetricUnavailable

        try:
            return {"op": "loaded", "lock": self._panel.load(family)}
        except MetricUnavailable as unavailable:
            return {"op": "unavailable", "reason": unavailable.why.reason.value, "detail": unavailable.why.detail}


def main() -> None:
    """Answer requests until the parent is gone."""
    parser = argparse.ArgumentParser(
        prog="services.scorer.metrics.host", description="Measures clips for a parent process."
    )
    parser.add_argument("--models", type=Path, required=True, help="folder of fetched weights")
    parser.add_argument("--lock", type=Path, help="catalog.lock, for the metrics whose weights are its pins")
    parser.add_argument("--funasr-python", type=Path, default=Path(sys.executable), help="the Python that has FunASR")
    parser.add_argument("--threads", type=int, default=1, help="threads that one model may use")
    parser.add_argument("--table", default=TABLE, help="module with the metric families")
    arguments = parser.parse_args()
    served = Served()
    # Libraries read these when they are loaded, so they must be set before anything below imports one.
    os.environ.update(
        threads(arguments.threads),
        TOKENIZERS_PARALLELISM="false",
        TQDM_DISABLE="1",
    )
    from services.scorer.metrics.instruments import Instruments
    from services.scorer.metrics.panel import Panel

    instruments = Instruments(arguments.models, arguments.threads, arguments.lock, arguments.funasr_python)
    panel = Panel(families_of(arguments.table), instruments)
    conversation = Conversation(panel)
    for request in served.requests():
        served.answer(conversation.answer(request))


if __name__ == "__main__":
    main()
