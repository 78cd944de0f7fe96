"""The engine host: a process that serves one pin to the worker around it, over the pipe of shared/hosting.py.

Owns the four things that can be asked (manifest, load, speak, stats; and pins, of a whole family) and what is done to
every engine's audio alike: checks and sample rate. Knows no job. See services/worker/engine_host.py for the other end.

    {"op": "speak", "request": {...}, "sample_rate": 24000}  ->  {"ok": {"sample_rate": 24000}} + PCM
                                                             or  {"error": {"code": "engine_error", "message": "..."}}
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from services.worker.engines import requests, samples, seclusion
from services.worker.engines.base import Engine, EngineError, EngineFamily, Snapshot, SpeakRequest, WeightedFamily
from services.worker.engines.families import family, family_of
from shared.catalog import Manifest
from shared.errors import FailureCode
from shared.hosting import Frame, Served

log = logging.getLogger("engine host")

Answer = tuple[Mapping[str, Any], bytes]


class PinHost:
    """Answers for one pin. ``build`` is called when first asked: what it raises is an answer too. A pin of the catalog
    bears the lock of its ``snapshot``, whatever the engine says."""

    def __init__(self, build: Callable[[], Engine], snapshot: Snapshot | None = None) -> None:
        self._build = build
        self._snapshot = snapshot
        self._manifest: Manifest | None = None

    @cached_property
    def _engine(self) -> Engine:
        return self._build()

    def manifest(self, _asked: Mapping[str, Any]) -> Answer:
        if self._manifest is None:
            self._manifest = _of_catalog(self._engine.manifest(), self._snapshot)
        return self._manifest.to_json(), b""

    def load(self, asked: Mapping[str, Any]) -> Answer:
        self._engine.load()
        return self.manifest(asked)

    def speak(self, asked: Mapping[str, Any]) -> Answer:
        assert self._manifest is not None, "the parent loads before it asks for speech"
        request = SpeakRequest.from_json(asked["request"])
        request = replace(request, text=request.text.strip())
        sample_rate = asked["sample_rate"]
        requests.check(request, sample_rate, self._manifest)
        audio = samples.checked(self._engine.speak(request))
        audio = samples.resampled(audio, sample_rate or audio.sample_rate)
        return {"sample_rate": audio.sample_rate}, audio.pcm

    def stats(self, _asked: Mapping[str, Any]) -> Answer:
        return {"peak_rss_mb": peak_rss_mb()}, b""


class FamilyHost:
    """Answers for a family as a whole."""

    def __init__(self, engines: EngineFamily) -> None:
        self._pins = list(engines.pins())

    def pins(self, _asked: Mapping[str, Any]) -> Answer:
        return {"pins": self._pins}, b""


def peak_rss_mb() -> float:
    """Most memory that this process has held, in MB (1e6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss counts the parent's memory from before exec
        kilobytes = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def serve(served: Served, host: PinHost | FamilyHost) -> None:
    """Answer requests until the parent is gone."""
    for frame in served.requests():
        served.answer(*_answered(host, frame))


def _answered(host: PinHost | FamilyHost, frame: Frame) -> Answer:
    operation: Callable[[Mapping[str, Any]], Answer] = getattr(host, frame.header["op"])
    try:
        ok, payload = operation(frame.header)
    except EngineError as error:
        return _failed(error.code, str(error)), b""
    except Exception as error:  # the one seam: whatever an engine raises is an answer, and the host goes on
        log.exception("%s raised", frame.header["op"])
        return _failed(FailureCode.ENGINE_ERROR, f"{type(error).__name__}: {error}"), b""
    return {"ok": ok}, payload


def _of_catalog(manifest: Manifest, snapshot: Snapshot | None) -> Manifest:
    if snapshot is None:
        return manifest
    return replace(
        manifest,
        lock_sha256=snapshot.lock_sha256,
        licence=snapshot.licence or manifest.licence,
        model_repo=snapshot.repo,
        model_revision=snapshot.revision,
    )


def _failed(code: FailureCode, message: str) -> Mapping[str, Any]:
    return {"error": {"code": code.value, "message": message}}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.worker.engines.host")
    parser.add_argument("--family", help="module:attribute of the family; default: the installed one that has the pin")
    parser.add_argument("--pin", help="serve this pin; without it answer for the family")
    parser.add_argument("--snapshot", type=json.loads, help="JSON: the pin is the catalog's, and this is its snapshot")
    arguments = parser.parse_args(argv)
    served = Served()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    os.environ.update(seclusion.OFFLINE)  # libraries read it when they are imported, which the family will do
    if (why := seclusion.close_network()) is not None:
        log.warning("the network stays open to this engine: %s", why)
    engines = family(arguments.family) if arguments.family else family_of(arguments.pin)
    pin = arguments.pin
    if pin is None:
        serve(served, FamilyHost(engines))
    elif arguments.snapshot is None:
        serve(served, PinHost(lambda: engines.build(pin)))
    else:
        snapshot = Snapshot.from_json(arguments.snapshot)
        serve(served, PinHost(lambda: _weighted(engines).build_from(snapshot), snapshot))


def _weighted(engines: EngineFamily) -> WeightedFamily:
    if not hasattr(engines, "build_from"):
        raise EngineError(f"the engine family {engines.name} takes no weights: it serves built-in pins only")
    return cast(WeightedFamily, engines)


if __name__ == "__main__":
    main()
