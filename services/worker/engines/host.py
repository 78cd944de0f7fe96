"""The engine host: a process that serves one pin to the worker, over the pipe of shared/processes/serving.py.

Owns the operations (manifest, load, speak, limit, describe; pins for a whole family) and what is done to every engine's
audio: checks and sample rate. Knows no job. The other end is services/worker/engine_host.py.

    {"op": "speak", "requests": [{...}], "sample_rate": 24000}
        ->  {"ok": {"sample_rate": 24000, "sizes": [88200], "memory": {"rss_mb": 61.2, ...}}} + PCM
        or  {"error": {"code": "engine_error", "message": "..."}}
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from services.worker.engines import requests, samples, usage
from services.worker.engines.base import (
    BatchEngine,
    Engine,
    EngineError,
    EngineFamily,
    Snapshot,
    SpeakRequest,
    WeightedFamily,
)
from services.worker.engines.families import family, family_of
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode
from shared.machine.installed_packages import interpreter
from shared.processes.frames import Frame
from shared.processes.serving import Served

LIBRARIES = ("numpy", "soxr", "sentencex")
"""Distributions that are part of how every pin sounds. Those of an engine are named by its family."""

log = logging.getLogger("engine host")

Answer = tuple[Mapping[str, Any], bytes]


class PinHost:
    """Answers for one pin. ``build`` is called at the first request; what it raises becomes an answer. The manifest of
    a pin of the catalog gets the lock of ``snapshot``, whatever the engine says. ``libraries``: those of the family."""

    def __init__(
        self, build: Callable[[], Engine], snapshot: Snapshot | None = None, libraries: Sequence[str] = ()
    ) -> None:
        self._build = build
        self._libraries = (*LIBRARIES, *libraries)
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
        loaded = {"manifest": self.manifest(asked)[0], "memory": usage.report()}
        return {**loaded, **self.describe(asked)[0]}, b""

    def speak(self, asked: Mapping[str, Any]) -> Answer:
        assert self._manifest is not None, "the parent loads before it asks for speech"
        sample_rate = asked["sample_rate"]
        wanted = [_request(given) for given in asked["requests"]]
        for request in wanted:
            requests.check(request, sample_rate, self._manifest)
        usage.forget_peaks()
        began_s = time.process_time()
        try:
            spoken = [samples.checked(audio, self._manifest.sample_rate) for audio in self._spoken(wanted)]
        except EngineError as error:
            told = [requests.unusual_options(request, self._manifest) for request in wanted]
            if error.code is not FailureCode.ENGINE_RETURNED_NOTHING or not any(told):
                raise
            raise EngineError(f"{error}, with {'; '.join(filter(None, told))}", error.code) from error
        spoken = [samples.resampled(audio, sample_rate or audio.sample_rate) for audio in spoken]
        pcm = spoken[0].pcm if len(spoken) == 1 else b"".join(audio.pcm for audio in spoken)
        sizes = [len(audio.pcm) for audio in spoken]
        cost = {"cpu_s": time.process_time() - began_s, "memory": usage.report()}
        return {"sample_rate": spoken[0].sample_rate, "sizes": sizes, **cost}, pcm

    def describe(self, _asked: Mapping[str, Any]) -> Answer:
        return {"host_environment": interpreter(self._libraries)}, b""

    def limit(self, asked: Mapping[str, Any]) -> Answer:
        usage.keep_below(asked["vram_mb"])
        return {}, b""

    def _spoken(self, wanted: Sequence[SpeakRequest]) -> Sequence[Audio]:
        if len(wanted) == 1:
            return [self._engine.speak(wanted[0])]
        spoken = cast(BatchEngine, self._engine).speak_batch(wanted)
        if len(spoken) != len(wanted):
            raise EngineError(f"{len(wanted)} texts were requested, but {len(spoken)} were spoken")
        return spoken


class FamilyHost:
    """Answers for a family as a whole."""

    def __init__(self, engines: EngineFamily) -> None:
        self._pins = list(engines.pins())

    def pins(self, _asked: Mapping[str, Any]) -> Answer:
        return {"pins": self._pins}, b""


def serve(served: Served, host: PinHost | FamilyHost) -> None:
    """Answer requests until the parent is gone."""
    for frame in served.requests():
        served.answer(*_answered(host, frame))


def _answered(host: PinHost | FamilyHost, frame: Frame) -> Answer:
    operation: Callable[[Mapping[str, Any]], Answer] = getattr(host, frame.header["op"])
    try:
        ok, payload = operation(frame.header)
    except EngineError as error:
        if error.code is FailureCode.GPU_OUT_OF_MEMORY:
            usage.release_cache()
        return _failed(error.code, str(error)), b""
    except MemoryError as error:
        return _failed(FailureCode.OUT_OF_MEMORY, str(error) or "the machine is out of memory"), b""
    except Exception as error:  # the only catch-all: whatever an engine raises becomes an answer, and the host goes on
        log.exception("%s raised", frame.header["op"])
        return _failed(FailureCode.ENGINE_ERROR, f"{type(error).__name__}: {error}"), b""
    return {"ok": ok}, payload


def _request(given: Mapping[str, Any]) -> SpeakRequest:
    request = SpeakRequest.from_json(given)
    return replace(request, text=request.text.strip())


def _of_catalog(manifest: Manifest, snapshot: Snapshot | None) -> Manifest:
    if snapshot is None:
        return manifest
    return replace(
        manifest,
        lock_sha256=snapshot.lock_sha256,
        licence=snapshot.licence or manifest.licence,
        model_repo=snapshot.repo,
        model_revision=snapshot.revision,
        trust_remote_code=snapshot.trust_remote_code,
    )


def _failed(code: FailureCode, message: str) -> Mapping[str, Any]:
    return {"error": {"code": code.value, "message": message}}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.worker.engines.host")
    parser.add_argument(
        "--family", help="module:attribute of the engine family; default: the installed one that has the pin"
    )
    parser.add_argument("--pin", help="serve this pin; default: answer for the family")
    parser.add_argument("--snapshot", type=json.loads, help="JSON: the snapshot of a pin of the catalog")
    arguments = parser.parse_args(argv)
    served = Served()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    engines = family(arguments.family) if arguments.family else family_of(arguments.pin)
    pin, libraries = arguments.pin, getattr(engines, "libraries", ())
    if pin is None:
        serve(served, FamilyHost(engines))
    elif arguments.snapshot is None:
        serve(served, PinHost(lambda: engines.build(pin), libraries=libraries))
    else:
        snapshot = Snapshot.from_json(arguments.snapshot)
        serve(served, PinHost(lambda: _weighted(engines).build_from(snapshot), snapshot, libraries))


def _weighted(engines: EngineFamily) -> WeightedFamily:
    if not hasattr(engines, "build_from"):
        raise EngineError(f"the engine family {engines.name} serves only built-in pins and cannot use weights")
    return cast(WeightedFamily, engines)


if __name__ == "__main__":
    main()
