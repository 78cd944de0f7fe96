"""What tests of engines with packages of their own share: pins in a model store, what an installer leaves, how hosts
end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.worker.engine_host import HOST, EngineHost, never_mind
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest, WeightedFamily
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.audio import Audio
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure
from shared.weights.lock import PinLock
from shared.weights.trust import trust
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines.conftest import LOAD_S

# --- pins


def put(model_stores: ModelStores, engine: str, pin: str, content: Mapping[str, bytes], **members: Any) -> PinLock:
    """Pull and lock a pin, with members of its lock."""
    lock = locked(pin, content, NOWHERE, engine=engine, **members)
    pull(model_stores.store, lock, content)
    model_stores.write({lock.name: lock})
    return lock


def snapshot(folder: Path, engine: str, pin: str, content: Mapping[str, bytes], **members: Any) -> Snapshot:
    """As a worker gives it to a host."""
    model_stores = ModelStores(folder / pin)
    lock = put(model_stores, engine, pin, content, **members)
    trust(model_stores.lock_file, [lock])
    return CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)


def refusal(family: WeightedFamily, given: Snapshot) -> str:
    """Why no engine is made of a snapshot."""
    with pytest.raises(EngineError) as refused:
        family.build_from(given)
    return str(refused.value)


# --- packages


def note_installed(folder: Path, name: str, version: str, more: Mapping[str, str] | None = None) -> None:
    """What an installer writes down of a package in ``folder``; ``more``: further files of that, by name."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for file, text in (more or {}).items():
        (info / file).write_text(text)


def from_commit(commit: str) -> dict[str, str]:
    """The file by which a package that was built from a repository is known (PEP 610)."""
    origin = {"url": "https://example.org/code", "vcs_info": {"vcs": "git", "commit_id": commit}}
    return {"direct_url.json": json.dumps(origin)}


# --- hosts


def host_of(family: str, given: Snapshot, environ: Mapping[str, str]) -> EngineHost:
    """Not loaded."""
    return EngineHost(given.pin, (*HOST, "--family", family), environ, snapshot=given)


def manifest_of(host: EngineHost) -> Manifest:
    """What it says of its pin; it ends with that."""
    try:
        return host.manifest(LOAD_S)
    finally:
        host.close()


def load_failure(host: EngineHost) -> tuple[FailureCode, str]:
    """How it ends that a pin is loaded."""
    try:
        with pytest.raises(JobFailure) as failed:
            host.load(never_mind, LOAD_S)
        return failed.value.code, failed.value.message
    finally:
        host.close()


def spoken(host: EngineHost, text: str, language: str, /, **changes: Any) -> Audio:
    """One text, with seed 7 unless it says otherwise."""
    request = replace(SpeakRequest(text, language, seed=7), **changes)
    return host.speak(request, sample_rate=None, deadline_s=60, tick=never_mind)


def failure(host: EngineHost, text: str, language: str, /, **changes: Any) -> tuple[FailureCode, str]:
    """How the job ends; the host must go on."""
    with pytest.raises(JobFailure) as failed:
        spoken(host, text, language, **changes)
    assert host.alive
    return failed.value.code, failed.value.message


def check_failure(host: EngineHost, text: str, usual: str, language: str, code: FailureCode, why: str) -> None:
    """``text`` fails as it is said, and the ``usual`` one sounds after it as before."""
    before = spoken(host, usual, language).sha256
    told, message = failure(host, text, language)
    assert told is code
    assert why in message
    assert spoken(host, usual, language).sha256 == before


def refused_by_a_worker(
    family: str, pin: str, content: Mapping[str, bytes], environ: Mapping[str, str], folder: Path
) -> Manifest:
    """What a worker says of a pin that its Python lacks the packages for: it refuses it, and jobs in the same words.

    ``folder``: on the path of ``environ``, for the family to be registered in.
    """
    engine = family.split(".")[-2]
    model_stores = ModelStores(folder / "model stores")
    lock = put(model_stores, engine, pin, content)
    entry = f"[ringtrue.engines]\n{engine} = {family}\n"
    note_installed(folder, "registered", "1.0", {"entry_points.txt": entry})
    served_pins = ServedPins([pin], env=environ, catalog_pins=CatalogPins(model_stores.store, model_stores.lock_file))
    manifest = next(iter(served_pins.manifests()))
    assert (manifest.state, manifest.lock_sha256) == (PinState.REFUSED, lock.sha256)
    assert manifest.detail == f"engine_error: {served_pins.refused()[pin].message}"
    assert pin not in served_pins.served()
    return manifest
